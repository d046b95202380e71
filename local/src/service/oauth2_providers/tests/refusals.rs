//! What a custom provider may not be told.

use serde_json::{Value, json};

use super::{CREATE, DISCOVERY, KEY, custom, private_key_jwt};
use crate::service::tests::{refused, service};

async fn check_refusals(refusals: &[(Value, &str)]) {
    let service = service();
    for (changes, expected) in refusals {
        let (status, message) = refused(&service, CREATE, custom(changes.clone())).await;
        assert_eq!(status, 400, "{changes}: {message}");
        assert!(message.contains(expected), "{changes}: {message}");
        assert!(message.contains(": oauth2ProviderConfigInput.customOauth2ProviderConfig."), "{message}");
    }
}

#[tokio::test]
async fn what_a_custom_provider_may_not_be_told() {
    check_refusals(&[
        (json!({ "clientId": null }), "clientId: is required for the client authentication CLIENT_SECRET_BASIC"),
        (json!({ "clientSecret": "" }), "clientSecret: is required for the client authentication CLIENT_SECRET_BASIC"),
        (json!({ "clientSecretSource": "EXTERNAL" }), "clientSecretSource: the local service keeps only MANAGED"),
        (
            json!({ "clientSecretConfig": { "secretId": "s", "jsonKey": "k" } }),
            "clientSecretConfig: the local service keeps only MANAGED",
        ),
        (
            json!({ "clientAuthenticationMethod": "NONE" }),
            "\"NONE\" is none of CLIENT_SECRET_BASIC, CLIENT_SECRET_POST",
        ),
        (json!({ "oauthDiscovery": null }), "oauthDiscovery: is required"),
        (json!({ "oauthDiscovery": {} }), "oauthDiscovery: must have exactly one of discoveryUrl, author"),
        (
            json!({ "oauthDiscovery": { "discoveryUrl": DISCOVERY, "authorizationServerMetadata": {} } }),
            "oauthDiscovery: must have exactly one of discoveryUrl, authorizationServerMetadata, but has discoveryUrl and",
        ),
        (json!({ "oauthDiscovery": { "discoveryUrl": "https://idp.example.com" } }), "is not a discovery URL"),
        (
            json!({ "oauthDiscovery": { "authorizationServerMetadata": { "issuer": "http://idp.example.com" } } }),
            "authorizationServerMetadata.issuer: \"http://idp.example.com\" is not a URL of an authorization server",
        ),
        (
            json!({ "oauthDiscovery": { "authorizationServerMetadata": { "tokenEndpointAuthMethods": [] } } }),
            "tokenEndpointAuthMethods: has 0 entries, at least 1 required",
        ),
        (
            json!({
                "clientAuthenticationMethod": "CLIENT_SECRET_POST",
                "oauthDiscovery": { "authorizationServerMetadata": {
                    "issuer": "https://a.example.com",
                    "authorizationEndpoint": "https://a.example.com/a",
                    "tokenEndpoint": "https://a.example.com/t",
                    "tokenEndpointAuthMethods": ["client_secret_post"],
                }},
            }),
            "clientAuthenticationMethod: cannot go together with tokenEndpointAuthMethods",
        ),
        (
            json!({ "privateEndpoint": { "selfManagedLatticeResource": {} } }),
            "privateEndpoint: the local service connects",
        ),
        (json!({ "certificateConfigurations": [] }), "certificateConfigurations: the local service connects"),
    ])
    .await;
}

#[tokio::test]
async fn what_an_exchange_may_not_be_told() {
    let exchange = |config: Value| json!({ "onBehalfOfTokenExchangeConfig": config });
    check_refusals(&[
        (exchange(json!({})), "onBehalfOfTokenExchangeConfig.grantType: is required"),
        (exchange(json!({ "grantType": "TOKEN" })), "\"TOKEN\" is none of TOKEN_EXCHANGE, JWT_AUTHORIZATION_GRANT"),
        (
            exchange(json!({
                "grantType": "JWT_AUTHORIZATION_GRANT",
                "tokenExchangeGrantTypeConfig": { "actorTokenContent": "NONE" },
            })),
            "tokenExchangeGrantTypeConfig: goes with the grantType TOKEN_EXCHANGE only",
        ),
        (
            exchange(json!({
                "grantType": "TOKEN_EXCHANGE",
                "tokenExchangeGrantTypeConfig": { "actorTokenContent": "NONE", "actorTokenScopes": ["a"] },
            })),
            "tokenExchangeGrantTypeConfig.actorTokenScopes: goes with the actorTokenContent M2M only",
        ),
        (
            exchange(json!({
                "grantType": "TOKEN_EXCHANGE",
                "tokenExchangeGrantTypeConfig": { "actorTokenContent": "M2M", "actorTokenScopes": [""] },
            })),
            "tokenExchangeGrantTypeConfig.actorTokenScopes[0]: \"\" has 0 characters",
        ),
        (
            exchange(json!({ "grantType": "TOKEN_EXCHANGE", "onBehalfOfAuthenticationConfig": {} })),
            "onBehalfOfAuthenticationConfig.clientAuthenticationMethod: is required",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_a_client_assertion_may_not_be_told() {
    let key = |change: fn(&mut Value)| {
        let mut config = private_key_jwt("RS256");
        change(&mut config["privateKeyJwtConfig"]);
        config
    };
    check_refusals(&[
        (
            json!({ "privateKeyJwtConfig": {} }),
            "privateKeyJwtConfig: goes with the clientAuthenticationMethod PRIVATE_KEY_JWT only",
        ),
        (json!({ "clientAuthenticationMethod": "PRIVATE_KEY_JWT" }), "privateKeyJwtConfig: is required"),
        (
            key(|config| config["privateKeySource"] = json!({})),
            "privateKeySource: must have exactly one of kmsKeySource",
        ),
        (key(|config| config["signingAlgorithm"] = Value::Null), "signingAlgorithm: is required"),
        (
            key(|config| config["privateKeySource"]["kmsKeySource"]["kmsKeyArn"] = "alias/key".into()),
            "kmsKeySource.kmsKeyArn: \"alias/key\" is not the ARN of a KMS key",
        ),
        (
            key(|config| {
                config["privateKeySource"]["kmsKeySource"]["kmsKeyArn"] = KEY.replace("us-east-1", "eu-west-1").into();
            }),
            "is in another Region than the provider, which is in us-east-1",
        ),
        (
            key(|config| config["additionalHeaderClaims"] = json!({ "alg": "none" })),
            "additionalHeaderClaims: \"alg\" is set",
        ),
        (
            key(|config| config["additionalPayloadClaims"] = json!({ "sub": "eve" })),
            "additionalPayloadClaims: \"sub\" is set by the service and cannot be added",
        ),
        (
            key(|config| config["additionalPayloadClaims"] = json!({})),
            "additionalPayloadClaims: has 0 entries, at least 1",
        ),
    ])
    .await;
}
