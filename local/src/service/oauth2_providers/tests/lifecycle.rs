//! What becomes of a provider and its secrets when it is changed or removed.

use serde_json::json;
use zeroize::Zeroizing;

use super::super::{forget_own_tokens, set_own};
use super::{CREATE, DISCOVERY, KEY, UPDATE, client_secret, config, custom, private_key_jwt, request, stored};
use crate::clock::UnixMillis;
use crate::operation::Operation;
use crate::service::tests::{github, ok, refused, service};
use crate::store::{ClientAuthentication, StoredToken, TokenKey};
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

#[tokio::test]
async fn a_start_forgets_the_tokens_of_the_own_identity_provider_and_of_no_other() {
    let service = service();
    let at_own = format!("{}/idp/.well-known/openid-configuration", service.url);
    for (name, url) in [("discovered", at_own.as_str()), ("elsewhere", DISCOVERY)] {
        let mut provider = custom(json!({ "oauthDiscovery": { "discoveryUrl": url } }));
        provider["name"] = name.into();
        ok(&service, CREATE, provider).await;
    }
    let key = |provider: &str| TokenKey {
        provider: provider.into(),
        workload: "my-agent".into(),
        identity: "id".into(),
        digest: "digest".into(),
    };
    let url = service.url.clone();
    let put = move |change: &mut crate::store::Change<'_>| {
        let now = UnixMillis::from_seconds(1_800_000_000);
        set_own(change, "own", now)?;
        for provider in ["own", "discovered", "elsewhere"] {
            let access_token = Zeroizing::new("token".to_owned());
            let token = StoredToken { access_token, refresh_token: None, obtained: now, expires: None };
            change.put_access_token(&key(provider), &token)?;
        }
        forget_own_tokens(change, &url)
    };
    service.store.change(put).await.unwrap();
    let view = service.store.view().unwrap();
    let kept = |provider: &str| view.access_token(&key(provider)).unwrap().is_some();
    assert_eq!(["own", "discovered", "elsewhere"].map(kept), [false, false, true]);
}
