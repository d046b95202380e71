//! What the application asks for, and where it has the browser led.

use agentcore_identity_local::Operation;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::Client;
use crate::support::consent::{
    RETURN_URL, authorized, begin, come_back, complete, consent, get, open, request, start, status, text, token,
    token_for,
};

#[tokio::test]
async fn consent_leads_to_a_token_once_the_application_has_confirmed_the_user() {
    let (local, client, provider) = start().await;
    let mut request = request(&token_for(&client, "ada").await);
    request["resources"] = json!(["https://api.example/a", "https://api.example/b"]);
    request["audiences"] = json!(["https://audience.example"]);
    request["customParameters"] =
        json!({ "access_type": "offline", "redirect_uri": "https://evil.example", "state": "x" });

    let begun = begin(&client, &request).await;
    assert!(begun.session.starts_with("urn:ietf:params:oauth:request_uri:"), "{}", begun.session);
    let sent = open(&client, &begun.link).await;
    assert!(sent.to.as_str().starts_with(&format!("{}/authorize?", provider.url)), "{}", sent.to);
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "client-1"),
        ("scope", "repo user"),
        ("code_challenge_method", "S256"),
        ("audience", "https://audience.example"),
        ("access_type", "offline"),
    ] {
        assert_eq!(sent.one(name).as_deref(), Some(expected));
    }
    assert_eq!(sent.all("resource"), ["https://api.example/a", "https://api.example/b"]);
    assert_eq!(sent.one("nonce"), None);
    assert_ne!(sent.one("state").unwrap(), "x");
    let redirect_uri = sent.one("redirect_uri").unwrap();
    assert!(redirect_uri.starts_with(&format!("{}/oauth2/callback/", local.endpoint_url())), "{redirect_uri}");
    assert_eq!(status(&client, &begun).await.as_deref(), Some("IN_PROGRESS"));

    let back = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert_eq!(back.status, 303, "{back:?}");
    let location = url::Url::parse(back.headers["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with("http://localhost:8081/callback?from=agent&"), "{location}");
    let query: Vec<(String, String)> = location.query_pairs().into_owned().collect();
    let expected = [("from", "agent"), ("session_id", begun.session.as_str()), ("state", "application state")];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let asked = provider.asked_once();
    assert_eq!(asked.path, "/token");
    let verifier = asked.one("code_verifier").unwrap();
    let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    assert_eq!(sent.one("code_challenge").unwrap(), URL_SAFE_NO_PAD.encode(challenge));
    assert_eq!(asked.one("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(asked.one("code").as_deref(), Some("code-1"));
    assert_eq!(asked.one("redirect_uri"), Some(redirect_uri));
    assert_eq!(asked.all("resource").len(), 2);
    assert_eq!(asked.one("client_secret"), None);
    let basic = base64::engine::general_purpose::STANDARD.encode("client-1:client-secret-0123456789");
    assert_eq!(asked.authorization, Some(format!("Basic {basic}")));

    // The provider's token is there, but nobody has said yet whose it is.
    assert_eq!(status(&client, &begun).await.as_deref(), Some("IN_PROGRESS"));
    let completed = complete(&client, &begun.session, "ada").await;
    assert_eq!((completed.status.as_u16(), completed.json()), (200, json!({})));
    assert_eq!(token(&client, &begun.poll).await, "at-1");
    assert_eq!(token(&client, &request).await, "at-1");
    assert!(provider.asked().is_empty());

    let calls = local.calls();
    let of = |operation| calls.iter().find(|call| call.operation == operation).unwrap();
    for call in [of(Operation::GetResourceOauth2Token), of(Operation::CompleteResourceTokenAuth)] {
        let subject = [&call.workload, &call.user, &call.provider].map(|part| part.as_deref().unwrap());
        assert_eq!(subject, ["my-agent", "ada", "idp"], "{call:?}");
    }
}

#[tokio::test]
async fn browsers_are_led_only_where_the_workload_identity_allows() {
    let (local, client, _provider) = start().await;
    let workload = token_for(&client, "ada").await;
    let refused = async |return_url: Value| {
        let mut request = request(&workload);
        request["resourceOauth2ReturnUrl"] = return_url;
        let answer = get(&client, &request).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (400, "ValidationException"));
        answer.message()
    };
    for near in [
        "https://evil.example/",
        "http://localhost:8081/callback",
        "http://localhost:8081/callback?from=agent&more=1",
        "http://localhost:8081/callback?from=agent#",
        "http://LOCALHOST:8081/callback?from=agent",
        "http://localhost:8081/callback?from=agent@evil.example",
    ] {
        assert!(refused(near.into()).await.contains("is not among the allowedResourceOauth2ReturnUrls"), "{near}");
    }
    assert!(
        refused(Value::Null).await.contains("You must provide a ResourceOauth2ReturnUrl to proceed with this flow")
    );
    // AWS takes it for a workload identity, as the model's pattern does.
    let no_port = "http://localhost:99999/callback";
    let both = json!({ "name": "my-agent", "allowedResourceOauth2ReturnUrls": [no_port, RETURN_URL] });
    assert_eq!(client.call("UpdateWorkloadIdentity", both).await.status, 200);
    let message = refused(no_port.into()).await;
    assert!(
        message.contains("resourceOauth2ReturnUrl: \"http://localhost:99999/callback\" is not a URL to"),
        "{message}"
    );
    let begun = begin(&client, &request(&workload)).await;
    let sent = open(&client, &begun.link).await;
    let none = json!({ "name": "my-agent", "allowedResourceOauth2ReturnUrls": [] });
    assert_eq!(client.call("UpdateWorkloadIdentity", none).await.status, 200);
    assert!(refused(Value::Null).await.contains("You must register and use at least one ResourceOauth2ReturnUrl"));
    let stranded = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert_eq!(stranded.status, 400);
    assert!(!stranded.headers.contains_key("location") && text(&stranded).contains("was withdrawn"), "{stranded:?}");
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 403);
    local.shutdown().await;
}

#[tokio::test]
async fn force_discards_what_is_kept_and_begins_anew() {
    let (_local, client, _provider) = start().await;
    let mut request = authorized(&client, "ada").await;
    assert_eq!(token(&client, &request).await, "at-1");
    request["forceAuthentication"] = true.into();
    let begun = begin(&client, &request).await;
    request["forceAuthentication"] = false.into();
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS", "at-1 was thrown away");
    assert_eq!(status(&client, &begun).await.as_deref(), Some("IN_PROGRESS"));
    consent(&client, &begun).await;
    complete(&client, &begun.session, "ada").await;
    assert_eq!(token(&client, &begun.poll).await, "at-2");
    // A poll that repeats it starts over each time.
    let mut mistaken = begun.poll.clone();
    mistaken["forceAuthentication"] = true.into();
    let again = get(&client, &mistaken).await.json();
    assert_eq!(again["sessionStatus"], "IN_PROGRESS");
    assert_ne!(again["sessionUri"], begun.session.as_str());
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_so() {
    let (_local, client, _provider) = start().await;
    let without_user = get(&client, &request(&client.token().await)).await;
    assert_eq!((without_user.status.as_u16(), without_user.error()), (400, "ValidationException"));
    assert!(
        without_user.message().contains("GetWorkloadAccessTokenForJWT or …ForUserId"),
        "{}",
        without_user.message()
    );
    let mut unknown = request(&token_for(&client, "ada").await);
    unknown["resourceCredentialProviderName"] = "nobody".into();
    let unknown = get(&client, &unknown).await;
    assert_eq!((unknown.status.as_u16(), unknown.error()), (404, "ResourceNotFoundException"));
    let forged = get(&client, &request("forged")).await;
    assert_eq!((forged.status.as_u16(), forged.error()), (401, "UnauthorizedException"));
    let stranger = Client { secret_access_key: "wrong".into(), ..client.clone() };
    assert_eq!(complete(&stranger, "urn:ietf:params:oauth:request_uri:x", "ada").await.status, 403);
}
