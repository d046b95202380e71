use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::operation::Operation;
use crate::service::tests::{call, github, ok, refused, service};
use crate::service::{Input, Service};
use crate::store::{ClientAuthentication, Endpoints, Oauth2Provider, OnBehalfOfGrant};
use crate::vendor::{KnownEndpoints, Vendor};

const CREATE: Operation = Operation::CreateOauth2CredentialProvider;
const GET: Operation = Operation::GetOauth2CredentialProvider;
const UPDATE: Operation = Operation::UpdateOauth2CredentialProvider;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const DISCOVERY: &str = "https://idp.example.com/.well-known/openid-configuration";

fn request(name: &str, vendor: Vendor, config: Value) -> Value {
    let mut union = Map::new();
    union.insert(vendor.config_member().to_owned(), config);
    json!({ "name": name, "credentialProviderVendor": vendor.as_str(), "oauth2ProviderConfigInput": union })
}

/// A configuration that the vendor takes.
fn config(vendor: Vendor) -> Value {
    let mut config = json!({ "clientId": "the-id", "clientSecret": "the-secret" });
    if vendor == Vendor::Custom {
        config["oauthDiscovery"] = json!({ "discoveryUrl": DISCOVERY });
    } else if vendor.profile().endpoints == KnownEndpoints::PerTenant {
        config["issuer"] = "https://tenant.example.com".into();
        config["authorizationEndpoint"] = "https://tenant.example.com/authorize".into();
        config["tokenEndpoint"] = "https://tenant.example.com/token".into();
    }
    config
}

/// A custom provider's request, with members of its configuration set, or taken out with null.
fn custom(changes: Value) -> Value {
    let mut config = config(Vendor::Custom);
    let Value::Object(changes) = changes else { panic!("{changes} is no object") };
    for (member, value) in changes {
        config[member] = value;
    }
    request("custom", Vendor::Custom, config)
}

fn private_key_jwt(algorithm: &str) -> Value {
    json!({
        "clientSecret": null,
        "clientAuthenticationMethod": "PRIVATE_KEY_JWT",
        "privateKeyJwtConfig": {
            "privateKeySource": { "kmsKeySource": { "kmsKeyArn": KEY } },
            "signingAlgorithm": algorithm,
            "additionalHeaderClaims": { "kid": "1" },
            "additionalPayloadClaims": { "aud": "https://idp.example.com" },
        },
    })
}

fn stored(service: &Service, name: &str) -> Oauth2Provider {
    service.store.view().unwrap().get(name).unwrap().unwrap()
}

fn client_secret(service: &Service, name: &str) -> Option<String> {
    service.store.view().unwrap().client_secret(name).unwrap().map(|secret| secret.to_string())
}

#[tokio::test]
async fn every_vendor_with_its_own_configuration() {
    for vendor in Vendor::ALL {
        let service = service();
        let created = ok(&service, CREATE, request("p", *vendor, config(*vendor))).await;
        let provider = stored(&service, "p");
        assert_eq!(created["callbackUrl"], format!("{}/oauth2/callback/{}", service.url, provider.callback_id));
        assert_eq!(client_secret(&service, "p").as_deref(), Some("the-secret"));
        let got = ok(&service, GET, json!({ "name": "p" })).await;
        assert_eq!(got["credentialProviderVendor"], vendor.as_str());
        for answer in [&created, &got] {
            let output = &answer["oauth2ProviderConfigOutput"][vendor.config_member()];
            assert_eq!(output["clientId"], "the-id", "{vendor}");
            assert!(!answer.to_string().contains("the-secret"), "{vendor}");
            let discovery = &output["oauthDiscovery"];
            match vendor.profile().endpoints {
                KnownEndpoints::At { token, .. } => {
                    let token = token.replace("{tenant}", "common");
                    assert_eq!(discovery["authorizationServerMetadata"]["tokenEndpoint"], token);
                }
                KnownEndpoints::PerTenant if *vendor == Vendor::Custom => {
                    assert_eq!(discovery["discoveryUrl"], DISCOVERY);
                }
                KnownEndpoints::PerTenant => {
                    let issuer = &discovery["authorizationServerMetadata"]["issuer"];
                    assert_eq!(issuer, "https://tenant.example.com");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_vendor_takes_no_other_s_configuration() {
    let service = service();
    for vendor in Vendor::ALL {
        for other in Vendor::ALL.iter().filter(|other| other.config_member() != vendor.config_member()) {
            let mut input = request("p", *other, config(*other));
            input["credentialProviderVendor"] = vendor.as_str().into();
            let (status, message) = refused(&service, CREATE, input).await;
            assert_eq!(status, 400);
            let (given, expected) = (other.config_member(), vendor.config_member());
            assert_eq!(
                message,
                format!(
                    "ValidationException: oauth2ProviderConfigInput: has {given}, but {vendor}, the \
                     credentialProviderVendor, is configured with {expected}"
                )
            );
        }
    }
}

#[tokio::test]
async fn a_tenant_s_endpoints_must_be_named_and_others_may() {
    for vendor in Vendor::ALL.iter().filter(|vendor| vendor.config_member() == "includedOauth2ProviderConfig") {
        for member in ["issuer", "authorizationEndpoint", "tokenEndpoint"] {
            let service = service();
            let mut given = config(*vendor);
            given[member] = Value::Null;
            if vendor.profile().endpoints == KnownEndpoints::PerTenant {
                let (_, message) = refused(&service, CREATE, request("p", *vendor, given)).await;
                let expected = format!("includedOauth2ProviderConfig.{member}: is required: {vendor} is at another");
                assert!(message.contains(&expected), "{message}");
            } else {
                given[member] = "http://localhost:9000/own".into();
                let output = ok(&service, CREATE, request("p", *vendor, given)).await;
                let metadata = &output["oauth2ProviderConfigOutput"]["includedOauth2ProviderConfig"]["oauthDiscovery"];
                assert_eq!(metadata["authorizationServerMetadata"][member], "http://localhost:9000/own");
            }
        }
    }
}

#[tokio::test]
async fn a_tenant_of_microsoft_is_in_its_endpoints() {
    let service = service();
    let mut given = config(Vendor::Microsoft);
    given["tenantId"] = "contoso.onmicrosoft.com".into();
    ok(&service, CREATE, request("p", Vendor::Microsoft, given.clone())).await;
    let provider = stored(&service, "p");
    let Endpoints::Inline(metadata) = &provider.endpoints else { panic!("{provider:?}") };
    assert_eq!(metadata.issuer, "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0");
    assert_eq!(provider.on_behalf_of.unwrap().grant, OnBehalfOfGrant::JwtAuthorizationGrant);
    given["tenantId"] = "../evil".into();
    let (_, message) = refused(&service, CREATE, request("q", Vendor::Microsoft, given)).await;
    assert!(message.contains("microsoftOauth2ProviderConfig.tenantId: \"../evil\" holds '/'"), "{message}");
}

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

#[tokio::test]
async fn a_union_has_one_member() {
    let service = service();
    let mut input = github("p");
    input["oauth2ProviderConfigInput"]["googleOauth2ProviderConfig"] = json!({});
    let (_, message) = refused(&service, CREATE, input.clone()).await;
    let found = "but has githubOauth2ProviderConfig and googleOauth2ProviderConfig";
    assert!(message.contains("oauth2ProviderConfigInput: must have exactly one of") && message.ends_with(found));
    input["oauth2ProviderConfigInput"] = json!({ "oktaOauth2ProviderConfig": {} });
    let (_, message) = refused(&service, CREATE, input).await;
    assert!(message.ends_with("but has none"), "{message}");
}

#[tokio::test]
async fn an_update_replaces_all_but_what_makes_it_the_same_provider() {
    let service = service();
    let mut created = github("p");
    created["tags"] = json!({ "team": "blue" });
    ok(&service, CREATE, created).await;
    let before = stored(&service, "p");
    let mut changed = github("p");
    changed["oauth2ProviderConfigInput"]["githubOauth2ProviderConfig"] =
        json!({ "clientId": "another", "clientSecret": "rotated" });
    ok(&service, UPDATE, changed).await;
    let after = stored(&service, "p");
    assert_eq!(after.client_id.as_deref(), Some("another"));
    assert_eq!(client_secret(&service, "p").as_deref(), Some("rotated"));
    assert_eq!((&after.callback_id, &after.secret_suffix), (&before.callback_id, &before.secret_suffix));
    assert_eq!((&after.tags, after.created), (&before.tags, before.created));

    let other = request("p", Vendor::Google, config(Vendor::Google));
    let (status, message) = refused(&service, UPDATE, other).await;
    assert_eq!(status, 400);
    assert!(message.contains("is a provider of GithubOauth2 and cannot become one of GoogleOauth2"), "{message}");

    ok(&service, Operation::DeleteOauth2CredentialProvider, json!({ "name": "p" })).await;
    assert_eq!(client_secret(&service, "p"), None);
    ok(&service, CREATE, github("p")).await;
    assert_ne!(stored(&service, "p").callback_id, before.callback_id, "a new provider is not the old one");
}

#[tokio::test]
async fn a_secret_that_is_no_longer_needed_is_gone() {
    let service = service();
    ok(&service, CREATE, custom(json!({}))).await;
    ok(&service, UPDATE, custom(private_key_jwt("ES256"))).await;
    assert_eq!(client_secret(&service, "custom"), None);
}

#[tokio::test]
async fn one_key_stands_in_for_a_key_of_kms() {
    let service = service();
    ok(&service, CREATE, custom(private_key_jwt("RS256"))).await;
    let key = || service.store.view().unwrap().signing_key(KEY).unwrap().unwrap();
    let first = key();
    let mut second = custom(private_key_jwt("PS256"));
    second["name"] = "second".into();
    ok(&service, CREATE, second).await;
    assert_eq!(key(), first);
    let (_, message) = refused(&service, UPDATE, custom(private_key_jwt("ES256"))).await;
    assert!(message.contains(&format!("signingAlgorithm: does not fit the key {KEY:?}")), "{message}");
    assert_eq!(stored(&service, "custom").client_authentication, {
        let ClientAuthentication::PrivateKeyJwt(config) = stored(&service, "custom").client_authentication else {
            panic!("the refused update changed the provider")
        };
        ClientAuthentication::PrivateKeyJwt(config)
    });
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
    service.store.change(move |change| super::set_own(change, "p", now)).await.unwrap();
    let first = stored(&service, "p");
    assert!(first.is_own(base) && first.is_own("http://127.0.0.1:9"), "wherever the service listens");
    let output = ok(&service, GET, json!({ "name": "p" })).await;
    assert_eq!(
        output["oauth2ProviderConfigOutput"]["customOauth2ProviderConfig"]["oauthDiscovery"],
        json!({ "discoveryUrl": format!("{base}/idp/.well-known/openid-configuration") })
    );
    let secret = client_secret(&service, "p").unwrap();
    service.store.change(move |change| super::set_own(change, "p", now)).await.unwrap();
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

/// A value of the request's own shape in which members are dropped, doubled or of another type.
fn mangled(value: Value) -> BoxedStrategy<Value> {
    let anything = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ];
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| (Just(name), proptest::option::weighted(0.95, mangled(value))))
                .collect();
            members
                .prop_map(|members| {
                    Value::Object(members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
                })
                .boxed()
        }
        value => prop_oneof![9 => Just(value), 1 => anything].boxed(),
    }
}

fn elaborate() -> Value {
    let mut changes = private_key_jwt("ES256");
    changes["onBehalfOfTokenExchangeConfig"] = json!({
        "grantType": "TOKEN_EXCHANGE",
        "tokenExchangeGrantTypeConfig": { "actorTokenContent": "M2M", "actorTokenScopes": ["a"] },
        "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
    });
    custom(changes)
}

proptest! {
    #[test]
    fn no_configuration_makes_the_service_fail(input in mangled(elaborate())) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let service = service();
        let _ = service.subject(CREATE, &Input::parse(input.to_string().as_bytes()).unwrap());
        if let Err(error) = runtime.block_on(call(&service, CREATE, input)) {
            prop_assert!(error.status() < 500, "{}", error);
        }
    }
}
