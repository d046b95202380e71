//! What becomes of a provider and its secrets when it is changed or removed.

use serde_json::json;

use super::{CREATE, KEY, UPDATE, client_secret, config, custom, private_key_jwt, request, stored};
use crate::operation::Operation;
use crate::service::tests::{github, ok, refused, service};
use crate::store::ClientAuthentication;
use crate::vendor::Vendor;

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
