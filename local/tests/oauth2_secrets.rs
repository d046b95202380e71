//! Nothing that the OAuth2 flows handle leaves by a side door: not in a log at the finest level, not in `Debug`, not in
//! the log of calls, not in an error, not on a page.

mod support;

use std::time::Duration;

use agentcore_identity_local::EndUser;
use serde_json::json;
use support::consent::{
    add_provider, begin, come_back, complete, get, open, request, set_up, text, token, token_for, visit,
};
use support::jwt;
use support::log::Log;
use support::provider::Provider;

#[tokio::test]
async fn no_secret_in_any_text() {
    let log = Log::capture();

    let provider = Provider::start().await;
    let local = support::builder().workload_token_lifetime(Duration::from_hours(24)).start().await.unwrap();
    let mut config = provider.discovered();
    config["onBehalfOfTokenExchangeConfig"] = json!({ "grantType": "JWT_AUTHORIZATION_GRANT" });
    let client = set_up(&local, config).await;
    let mut post = provider.inline();
    post["clientAuthenticationMethod"] = "CLIENT_SECRET_POST".into();
    add_provider(&client, "post", post).await;
    let workload = token_for(&client, "ada").await;
    let mut asked = request(&workload);
    asked["customState"] = "custom-state-0123456789".into();
    asked["customParameters"] = json!({ "login_hint": "custom-parameter-0123456789" });
    let mut texts = Vec::new();

    // What is good, once around and renewed.
    let tokens = json!({
        "access_token": "access-token-0123456789", "refresh_token": "refresh-token-0123456789", "expires_in": 600,
    });
    provider.answers(200, &tokens);
    let begun = begin(&client, &asked).await;
    let sent = open(&client, &begun.link).await;
    assert_eq!(come_back(&client, &sent, &[("code", "code-0123456789")]).await.status, 303);
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
    local.advance_clock(Duration::from_mins(6));
    provider.answers(200, &tokens);
    token(&client, &begun.poll).await;
    let for_jwt = local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt::of("ada")))).await.unwrap();
    for (flow, name) in [("ON_BEHALF_OF_TOKEN_EXCHANGE", "idp"), ("M2M", "idp"), ("M2M", "post")] {
        let mut asked = asked.clone();
        asked["workloadIdentityToken"] = for_jwt.as_str().into();
        asked["oauth2Flow"] = flow.into();
        asked["resourceCredentialProviderName"] = name.into();
        provider.answers(200, &tokens);
        token(&client, &asked).await;
    }

    // What is bad, with a provider that repeats what it was told.
    let echo = json!({ "error": "client-secret-0123456789", "error_description": "code-0123456789" });
    local.advance_clock(Duration::from_mins(10));
    for status in [400, 500] {
        for flow in ["USER_FEDERATION", "M2M", "ON_BEHALF_OF_TOKEN_EXCHANGE"] {
            let mut asked = asked.clone();
            asked["workloadIdentityToken"] = for_jwt.as_str().into();
            asked["oauth2Flow"] = flow.into();
            asked["forceAuthentication"] = true.into();
            provider.answers(status, &echo);
            if flow == "USER_FEDERATION" {
                let begun = begin(&client, &asked).await;
                let sent = open(&client, &begun.link).await;
                texts.push(text(&come_back(&client, &sent, &[("code", "code-0123456789")]).await));
                texts.push(text(&visit(&client, &begun.link, None).await));
                texts.push(complete(&client, &begun.session, "ada").await.message());
            } else {
                texts.push(get(&client, &asked).await.message());
            }
        }
    }
    let mut mismatch = begun.poll.clone();
    mismatch["customState"] = "custom-state-0123456789x".into();
    texts.push(get(&client, &mismatch).await.message());
    let stray = come_back(&client, &sent, &[("code", "code-0123456789")]).await;
    texts.push(text(&stray));
    texts.push(visit(&client, &sent.back(&[("code", "code-0123456789")]), Some("x=y")).await.status.to_string());
    texts.push(complete(&client, &begun.session, "bob").await.message());
    texts.push(format!("{local:?} {:?}", local.calls()));
    texts.push(client.plain("GET", "/_local/calls", &[], "").await.json().to_string());
    local.shutdown().await;
    let log = log.text();
    assert!(log.contains("GetResourceOauth2Token") && log.contains("an authorization failed"), "{log}");
    texts.push(log);

    let session = begun.session.rsplit(':').next().unwrap();
    let verifiers: Vec<String> = provider.asked().iter().filter_map(|asked| asked.one("code_verifier")).collect();
    assert_eq!(verifiers.len(), 3);
    let (state, cookie) = (sent.one("state").unwrap(), sent.cookie.split_once('=').unwrap().1);
    let payload = jwt::of("ada").split('.').nth(1).unwrap().to_owned();
    let fixed = [
        "access-token-0123456789",
        "refresh-token-0123456789",
        "code-0123456789",
        "client-secret-0123456789",
        "Y2xpZW50LTE6Y2xpZW50LXNlY3JldC0",
        "custom-state-0123456789",
        "custom-parameter-0123456789",
        session,
        &state,
        cookie,
        &payload,
        &workload,
        &for_jwt,
    ];
    for secret in fixed.into_iter().chain(verifiers.iter().map(String::as_str)) {
        for text in &texts {
            assert!(!text.contains(secret), "{secret:?} shows in {text}");
        }
    }
}
