//! What a custom provider can be told.

use serde_json::json;

use super::{CREATE, DISCOVERY, GET, UPDATE, client_secret, custom, private_key_jwt, request, stored};
use crate::operation::Operation;
use crate::service::oauth2_providers::set_own;
use crate::service::tests::{ok, service};
use crate::vendor::Vendor;

#[tokio::test]
async fn what_a_custom_provider_is_told_it_answers() {
    let metadata = json!({ "authorizationServerMetadata": {
        "issuer": "https://idp.example.com",
        "authorizationEndpoint": "https://idp.example.com/authorize?audience=a",
        "tokenEndpoint": "http://127.0.0.1:9000/token",
        "responseTypes": ["code"],
        "tokenEndpointAuthMethods": ["client_secret_post"],
    }});
    for (changes, authentication) in [
        (json!({}), "CLIENT_SECRET_BASIC"),
        (json!({ "clientAuthenticationMethod": "CLIENT_SECRET_POST" }), "CLIENT_SECRET_POST"),
        (json!({ "oauthDiscovery": metadata }), "CLIENT_SECRET_POST"),
        (
            json!({ "clientAuthenticationMethod": "AWS_IAM_ID_TOKEN_JWT", "clientId": null, "clientSecret": "" }),
            "AWS_IAM_ID_TOKEN_JWT",
        ),
        (private_key_jwt("PS256"), "PRIVATE_KEY_JWT"),
        (json!({ "onBehalfOfTokenExchangeConfig": { "grantType": "JWT_AUTHORIZATION_GRANT" } }), "CLIENT_SECRET_BASIC"),
        (
            json!({ "onBehalfOfTokenExchangeConfig": {
                "grantType": "TOKEN_EXCHANGE",
                "tokenExchangeGrantTypeConfig": { "actorTokenContent": "M2M", "actorTokenScopes": ["a", "b"] },
                "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
            }}),
            "CLIENT_SECRET_BASIC",
        ),
        (
            json!({ "onBehalfOfTokenExchangeConfig": {
                "grantType": "TOKEN_EXCHANGE",
                "tokenExchangeGrantTypeConfig": { "actorTokenContent": "AWS_IAM_ID_TOKEN_JWT" },
            }}),
            "CLIENT_SECRET_BASIC",
        ),
    ] {
        let service = service();
        let input = custom(changes);
        let output = ok(&service, CREATE, input.clone()).await;
        let provider = stored(&service, "custom");
        assert_eq!(provider.client_authentication.as_str(), authentication);
        let mut expected = input["oauth2ProviderConfigInput"]["customOauth2ProviderConfig"].clone();
        let expected = expected.as_object_mut().unwrap();
        expected.remove("clientSecret");
        expected.retain(|_, value| !value.is_null());
        if expected["oauthDiscovery"] != metadata {
            expected.insert("clientAuthenticationMethod".into(), authentication.into());
        }
        let output = &output["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"];
        assert_eq!(output.as_object().unwrap(), expected);

        // What is answered can be sent back, but for the secret.
        let mut again = output.clone();
        again["clientSecret"] = "another".into();
        let updated = ok(&service, UPDATE, request("custom", Vendor::Custom, again)).await;
        assert_eq!(&updated["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"], output);
        assert_eq!(client_secret(&service, "custom").as_deref(), Some("another"));
    }
}

#[tokio::test]
async fn providers_of_the_service_s_own_identity_provider_are_known() {
    let service = service();
    let own = |url: &str| json!({ "oauthDiscovery": { "discoveryUrl": url } });
    let base = &service.url;
    for (discovery, expected) in [
        (own(&format!("{base}/idp/.well-known/openid-configuration")), true),
        (own(&format!("{base}/idp/.well-known/oauth-authorization-server")), true),
        (own(&format!("{base}/.well-known/oauth-authorization-server/idp")), true),
        (own(&format!("{base}/.well-known/oauth-authorization-server/other")), false),
        (own(&format!("{base}/idp-other/.well-known/openid-configuration")), false),
        (own(&format!("http://127.0.0.1:1/{base}/idp/.well-known/openid-configuration")), false),
        (own(DISCOVERY), false),
    ] {
        let mut input = custom(discovery.clone());
        input["name"] = "p".into();
        ok(&service, CREATE, input).await;
        assert_eq!(stored(&service, "p").is_own(base), expected, "{discovery}");
        ok(&service, Operation::DeleteOauth2CredentialProvider, json!({ "name": "p" })).await;
    }
    let now = service.clock.now();
    service.store.change(move |change| set_own(change, "p", now)).await.unwrap();
    let first = stored(&service, "p");
    assert!(first.is_own(base) && first.is_own("http://127.0.0.1:9"), "wherever the service listens");
    let output = ok(&service, GET, json!({ "name": "p" })).await;
    assert_eq!(
        output["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"]["oauthDiscovery"],
        json!({ "discoveryUrl": format!("{base}/idp/.well-known/openid-configuration") })
    );
    let secret = client_secret(&service, "p").unwrap();
    service.store.change(move |change| set_own(change, "p", now)).await.unwrap();
    let second = stored(&service, "p");
    assert_ne!((second.client_id, client_secret(&service, "p").unwrap()), (first.client_id, secret));
    assert_eq!(second.callback_id, first.callback_id);
}

#[tokio::test]
async fn debug_output_hides_claims() {
    let service = service();
    let mut input = private_key_jwt("ES256");
    input["privateKeyJwtConfig"]["additionalPayloadClaims"] = json!({ "pin": "a-sensitive-value" });
    ok(&service, CREATE, custom(input)).await;
    let text = format!("{:?}", stored(&service, "custom"));
    assert!(text.contains("pin") && !text.contains("a-sensitive-value"), "{text}");
}
