//! Authorization servers that fail, that pass for another, or that are no longer the provider's.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::support;
use crate::support::consent::{
    add_provider, begin, come_back, complete, consent, open, request, start, status, text, token_for, visit,
};
use crate::support::provider::Provider;

#[tokio::test]
async fn a_provider_that_fails_ends_it_without_a_secret_in_the_reason() {
    let provider = Provider::start().await;
    let local = support::start().await;
    let client = support::consent::set_up(&local, provider.discovered()).await;
    let secrets = ["client-secret-0123456789", "code-1-secret", "hunter2"];
    let failures: [(u16, &str, &str, &str); 9] = [
        (500, "application/json", r#"{"error":"hunter2"}"#, "answered with HTTP status 500"),
        (302, "text/html", "", "answered with HTTP status 302"),
        (404, "text/html", "<html>hunter2</html>", "answered with HTTP status 404"),
        (
            401,
            "application/json",
            r#"{"error":"invalid_client","error_description":"not hunter2"}"#,
            "refused: invalid_client",
        ),
        (200, "application/json", r#"{"error":"bad_verification_code"}"#, "refused: bad_verification_code"),
        (200, "application/json", r#"{"access_token": "hunter2""#, "did not answer with the JSON of a token response"),
        (200, "text/html", "access_token=hunter2", "did not answer with the JSON of a token response"),
        (200, "application/json", r#"{"access_token":""}"#, "empty or too long"),
        (200, "application/json", r#"{"access_token":"hunter2","token_type":"DPoP"}"#, "no bearer token"),
    ];
    for (status_code, content_type, body, expected) in failures {
        provider.answers_text(status_code, content_type, body);
        let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
        let sent = open(&client, &begun.link).await;
        let page = come_back(&client, &sent, &[("code", "code-1-secret")]).await;
        assert_eq!(page.status, 502);
        let page = text(&page);
        assert!(page.contains(expected), "{expected}: {page}");
        assert!(secrets.iter().all(|secret| !page.contains(secret)), "{page}");
        assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
    }
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    let sent = open(&client, &begun.link).await;
    let unopened = begin(&client, &request(&token_for(&client, "bob").await)).await;
    drop(provider);
    let down = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert_eq!(down.status, 502);
    assert!(text(&down).contains("gave no answer"), "{}", text(&down));
    local.advance_clock(Duration::from_mins(9));
    assert_eq!(visit(&client, &unopened.link, None).await.status, 303, "what it says of itself is remembered");
    local.advance_clock(Duration::from_secs(50));
    assert_eq!(status(&client, &unopened).await.as_deref(), Some("IN_PROGRESS"));
}

#[tokio::test]
async fn a_server_that_passes_for_another_is_not_believed() {
    let provider = Provider::start().await;
    let local = support::start().await;
    let client = support::consent::set_up(&local, provider.discovered()).await;
    let url = &provider.url;
    let metadata = |issuer: &str| {
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "authorization_response_iss_parameter_supported": true,
        })
    };
    let mut request = request(&token_for(&client, "ada").await);
    request["scopes"] = json!(["openid"]);
    for (metadata, expected) in [
        (metadata("https://other.example"), "names an issuer whose document it cannot be"),
        (json!({ "issuer": url }), "is not JSON with an issuer and a token_endpoint"),
        (json!([url, null, format!("{url}/token"), null, false]), "is not JSON with an issuer and a token_endpoint"),
        (json!({ "issuer": url, "token_endpoint": "http://idp.example/token" }), "no authorization_endpoint"),
        (
            json!({ "issuer": url, "token_endpoint": format!("{url}/token"), "authorization_endpoint": "http://idp.example" }),
            "must begin with https://",
        ),
    ] {
        provider.describes_itself(metadata);
        let begun = begin(&client, &request).await;
        let page = visit(&client, &begun.link, None).await;
        assert_eq!(page.status, 502);
        assert!(text(&page).contains(expected), "{expected}: {}", text(&page));
        local.advance_clock(Duration::from_mins(10));
        request["workloadIdentityToken"] = token_for(&client, "ada").await.into();
    }
    provider.describes_itself(metadata(url));
    for parameters in [&[("code", "c")][..], &[("code", "c"), ("iss", "https://other.example")]] {
        let begun = begin(&client, &request).await;
        let sent = open(&client, &begun.link).await;
        let page = come_back(&client, &sent, parameters).await;
        assert!(text(&page).contains("names another issuer"), "{}", text(&page));
        assert!(provider.asked().is_empty(), "no code goes to a server that did not give it");
    }
    for (nonce, accepted) in [("of-another-request", false), ("", true)] {
        let begun = begin(&client, &request).await;
        let sent = open(&client, &begun.link).await;
        let own = sent.one("nonce").unwrap();
        let nonce = if accepted { own.as_str() } else { nonce };
        let claims = json!({ "iss": url, "aud": "client-1", "nonce": nonce }).to_string();
        let id_token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        provider.answers(200, &json!({ "access_token": "at", "id_token": id_token }));
        let page = come_back(&client, &sent, &[("code", "injected"), ("iss", url)]).await;
        assert_eq!(page.status, if accepted { 303 } else { 502 });
        assert_eq!(text(&page).contains("the nonce differs"), !accepted, "{}", text(&page));
    }
}

#[tokio::test]
async fn a_server_that_is_away_for_a_moment_does_not_end_it() {
    let (_local, client, provider) = start().await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    provider.metadata_is_down(true);
    let page = visit(&client, &begun.link, None).await;
    assert_eq!(page.status, 502);
    assert!(text(&page).contains("answered with HTTP status 503"), "{}", text(&page));
    assert_eq!(status(&client, &begun).await.as_deref(), Some("IN_PROGRESS"));
    provider.metadata_is_down(false);
    consent(&client, &begun).await;
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
}

#[tokio::test]
async fn what_is_deleted_in_between_ends_it() {
    let (_local, client, provider) = start().await;
    let ada = request(&token_for(&client, "ada").await);
    let (opened, consented) = (begin(&client, &ada).await, begin(&client, &ada).await);
    let sent = open(&client, &opened.link).await;
    consent(&client, &consented).await;
    client.call("DeleteOauth2CredentialProvider", json!({ "name": "idp" })).await;
    add_provider(&client, "idp", provider.discovered()).await;
    assert_eq!(complete(&client, &consented.session, "ada").await.status, 403);
    assert_eq!(status(&client, &consented).await.as_deref(), Some("FAILED"));
    let page = come_back(&client, &sent, &[("code", "code-2")]).await;
    assert_eq!(page.status, 502);
    assert!(text(&page).contains("deleted or changed meanwhile"), "{}", text(&page));
    assert_eq!(provider.asked().len(), 1);
}

#[tokio::test]
async fn a_code_of_one_server_is_not_redeemed_at_another() {
    let (local, client, provider) = start().await;
    let ada = request(&token_for(&client, "ada").await);
    let (opened, consented) = (begin(&client, &ada).await, begin(&client, &ada).await);
    let sent = open(&client, &opened.link).await;
    consent(&client, &consented).await;
    provider.asked();
    local.set_oauth2_provider("idp").await.unwrap();
    let page = come_back(&client, &sent, &[("code", "code-2")]).await;
    assert_eq!(page.status, 502);
    assert!(text(&page).contains("deleted or changed meanwhile"), "{}", text(&page));
    let refused = complete(&client, &consented.session, "ada").await;
    assert_eq!((refused.status.as_u16(), refused.error()), (403, "AccessDeniedException"));
    assert!(provider.asked().is_empty());
}
