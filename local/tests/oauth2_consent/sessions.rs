//! Whose a session is, and how often and how long it can be used.

use std::time::Duration;

use agentcore_identity_local::EndUser;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::consent::{
    RETURN_URL, add_provider, begin, come_back, complete, consent, get, open, request, start, status, text, token,
    token_for, visit,
};

#[tokio::test]
async fn a_fixed_session_gives_the_attacker_nothing() {
    let (_local, client, _provider) = start().await;
    // Mallory begins, and has Ada follow the link and consent. The application sees Ada.
    let begun = begin(&client, &request(&token_for(&client, "mallory").await)).await;
    consent(&client, &begun).await;
    let refused = complete(&client, &begun.session, "ada").await;
    assert_eq!((refused.status.as_u16(), refused.error()), (403, "AccessDeniedException"));
    assert!(refused.message().starts_with("Invalid or expired session: "), "{}", refused.message());
    assert!(!refused.message().contains("mallory"), "{}", refused.message());
    // Mallory knows the session from the link, and now brings it to the application as its own user.
    assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
    let refused = complete(&client, &begun.session, "mallory").await;
    assert_eq!(refused.status, 403);
    assert!(refused.message().contains("it has failed"), "{}", refused.message());
    assert_eq!(get(&client, &begun.poll).await.json()["sessionStatus"], "FAILED");
    assert!(get(&client, &request(&token_for(&client, "mallory").await)).await.json().get("accessToken").is_none());
}

#[tokio::test]
async fn only_the_very_jwt_confirms_the_user_of_a_jwt() {
    let (local, client, _provider) = start().await;
    let jwt = |id: u32| {
        let claims = json!({ "sub": "ada", "exp": 4_102_444_800_u64, "jti": id }).to_string();
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims))
    };
    let workload = local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt(1)))).await.unwrap();
    let complete = async |session: &str, identifier: Value| {
        client.call("CompleteResourceTokenAuth", json!({ "sessionUri": session, "userIdentifier": identifier })).await
    };
    for identifier in [json!({ "userToken": jwt(2) }), json!({ "userId": "ada" })] {
        let begun = begin(&client, &request(&workload)).await;
        consent(&client, &begun).await;
        assert_eq!(complete(&begun.session, identifier).await.status, 403);
        assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
    }
    let begun = begin(&client, &request(&workload)).await;
    consent(&client, &begun).await;
    assert_eq!(complete(&begun.session, json!({ "userToken": jwt(1) })).await.status, 200);
    // The person is the same in a later JWT, and so is the token; a user id of that name is another.
    let later = local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt(2)))).await.unwrap();
    assert_eq!(token(&client, &request(&later)).await, "at-3");
    assert_eq!(get(&client, &request(&token_for(&client, "ada").await)).await.json()["sessionStatus"], "IN_PROGRESS");
    for identifier in [json!({}), json!({ "userId": "ada", "userToken": jwt(1) }), json!({ "userToken": "x" })] {
        let invalid = complete(&begun.session, identifier).await;
        assert_eq!((invalid.status.as_u16(), invalid.error()), (400, "ValidationException"));
    }
}

#[tokio::test]
async fn everything_is_good_for_one_time() {
    let (_local, client, provider) = start().await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    let early = complete(&client, &begun.session, "ada").await;
    assert_eq!(early.status, 403);
    assert!(early.message().contains("not consented yet"), "{}", early.message());
    let sent = open(&client, &begun.link).await;
    assert_eq!(come_back(&client, &sent, &[("code", "code-1")]).await.status, 303);
    let replayed = visit(&client, &begun.link, None).await;
    assert_eq!(replayed.status, 400);
    assert!(text(&replayed).contains("This link was used already"), "{}", text(&replayed));
    let elsewhere = visit(&client, &sent.back(&[("code", "code-1")]), None).await;
    assert_eq!(elsewhere.status, 400);
    assert!(text(&elsewhere).contains("Not the browser that began this"), "{}", text(&elsewhere));
    assert_eq!(come_back(&client, &sent, &[("code", "code-1")]).await.status, 303, "a reload leads on as before");
    assert_eq!(provider.asked().len(), 1, "a code is exchanged once");
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
    let replayed = complete(&client, &begun.session, "ada").await;
    assert_eq!((replayed.status.as_u16(), replayed.error()), (403, "AccessDeniedException"));
    assert!(replayed.message().contains("good for one time"), "{}", replayed.message());
    let replayed = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert!(text(&replayed).contains("This link was used already"), "{}", text(&replayed));
    assert_eq!(token(&client, &begun.poll).await, "at-1");
}

#[tokio::test]
async fn a_session_is_its_user_s_and_its_request_s() {
    let (_local, client, provider) = start().await;
    add_provider(&client, "other", provider.discovered()).await;
    client
        .call("CreateWorkloadIdentity", json!({ "name": "another", "allowedResourceOauth2ReturnUrls": [RETURN_URL] }))
        .await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    consent(&client, &begun).await;
    complete(&client, &begun.session, "ada").await;
    let with = |member: &str, value: Value| {
        let mut poll = begun.poll.clone();
        poll[member] = value;
        poll
    };
    let elsewhere =
        client.call("GetWorkloadAccessTokenForUserId", json!({ "workloadName": "another", "userId": "ada" }));
    let elsewhere = elsewhere.await.json()["workloadAccessToken"].clone();
    let mut messages = Vec::new();
    for stranger in [
        with("workloadIdentityToken", token_for(&client, "bob").await.into()),
        with("workloadIdentityToken", elsewhere),
        with("sessionUri", "urn:ietf:params:oauth:request_uri:unknown".into()),
    ] {
        let refused = get(&client, &stranger).await;
        assert_eq!((refused.status.as_u16(), refused.error()), (400, "ValidationException"));
        messages.push(refused.message());
    }
    assert!(messages.iter().all(|message| *message == messages[0]), "whose it is is not told: {messages:?}");
    for (member, value) in [
        ("resourceCredentialProviderName", json!("other")),
        ("scopes", json!(["repo"])),
        ("resources", json!(["https://api.example"])),
        ("audiences", json!(["a"])),
        ("customParameters", json!({ "prompt": "login" })),
        ("customState", json!("other")),
        ("customState", Value::Null),
    ] {
        let refused = get(&client, &with(member, value)).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["reason"], "IdempotentParameterMismatchException");
        assert!(refused.message().contains(&format!("other values of {member};")), "{}", refused.message());
    }
    let malformed = get(&client, &with("sessionUri", "session-1".into())).await;
    assert!(malformed.message().starts_with("sessionUri: the value is not like urn:"), "{}", malformed.message());
    assert_eq!(token(&client, &with("scopes", json!(["user", "repo"]))).await, "at-1", "the order means nothing");
    assert_eq!(get(&client, &request(&token_for(&client, "bob").await)).await.json()["sessionStatus"], "IN_PROGRESS");
}

#[tokio::test]
async fn ten_minutes_are_all_there_is() {
    const ALMOST: Duration = Duration::from_secs(9 * 60 + 30);
    for stage in 0..3 {
        let (local, client, provider) = start().await;
        let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
        local.advance_clock(ALMOST);
        assert_eq!(status(&client, &begun).await.as_deref(), Some("IN_PROGRESS"));
        let sent = open(&client, &begun.link).await;
        if stage == 2 {
            assert_eq!(come_back(&client, &sent, &[("code", "code-1")]).await.status, 303);
        }
        local.advance_clock(Duration::from_secs(30));
        if stage == 0 {
            let page = visit(&client, &begun.link, None).await;
            assert_eq!(page.status, 400);
            assert!(text(&page).contains("This link has expired"), "{}", text(&page));
        }
        if stage == 1 {
            let page = come_back(&client, &sent, &[("code", "code-1")]).await;
            assert_eq!(page.status, 400);
            assert!(text(&page).contains("This link has expired"), "{}", text(&page));
            assert!(provider.asked().is_empty());
        }
        let refused = complete(&client, &begun.session, "ada").await;
        assert_eq!(refused.status, 403);
        assert!(refused.message().contains("it has expired"), "{}", refused.message());
        assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
    }
}
