//! Tokens with a person's consent: the way through the browser, and everything that could lead it astray.

mod support;

use std::time::Duration;

use agentcore_identity_local::{EndUser, Operation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use support::Client;
use support::consent::{
    RETURN_URL, add_provider, authorized, begin, come_back, complete, consent, get, open, request, start, status, text,
    token, token_for, visit,
};
use support::provider::Provider;

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
async fn a_browser_that_was_not_sent_cannot_come_back() {
    let (_local, client, provider) = start().await;
    let workload = token_for(&client, "ada").await;
    let begun = begin(&client, &request(&workload)).await;
    let sent = open(&client, &begun.link).await;
    // The attacker's own browser was sent as well, with an authorization of the attacker's.
    let attackers = open(&client, &begin(&client, &request(&token_for(&client, "mallory").await)).await.link).await;
    let back = sent.back(&[("code", "stolen")]);
    for cookie in [None, Some("agentcore-oauth2=forged"), Some(attackers.cookie.as_str())] {
        let refused = visit(&client, &back, cookie).await;
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains("Not the browser that began this"), "{}", text(&refused));
    }
    let state = sent.one("state").unwrap();
    let forged = visit(&client, &back.replace(&state, "forged"), Some(&sent.cookie)).await;
    let missing = visit(&client, &back.replace("&state=", "&other="), Some(&sent.cookie)).await;
    let twice = visit(&client, &format!("{back}&state=again"), Some(&sent.cookie)).await;
    add_provider(&client, "other", provider.inline()).await;
    let other = client.call("GetOauth2CredentialProvider", json!({ "name": "other" })).await.json();
    let callback = sent.one("redirect_uri").unwrap();
    let misled =
        visit(&client, &back.replace(&callback, other["callbackUrl"].as_str().unwrap()), Some(&sent.cookie)).await;
    for refused in [forged, missing, twice, misled] {
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains("This link leads nowhere"), "{}", text(&refused));
    }
    assert!(provider.asked().is_empty(), "no code was exchanged");
    // The honest browser is still on its way.
    assert_eq!(come_back(&client, &sent, &[("code", "code-1")]).await.status, 303);
}

#[tokio::test]
async fn a_link_that_a_program_looked_at_first_works_for_its_person() {
    let (_local, client, _provider) = start().await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    let preview = open(&client, &begun.link).await;
    let person = open(&client, &begun.link).await;
    assert_ne!(preview.one("state"), person.one("state"));
    assert_ne!(preview.one("code_challenge"), person.one("code_challenge"));
    let refused = come_back(&client, &preview, &[("code", "code-1")]).await;
    assert!(text(&refused).contains("This link leads nowhere"), "{}", text(&refused));
    assert_eq!(come_back(&client, &person, &[("code", "code-1")]).await.status, 303);
    for link in ["/oauth2/authorize", "/oauth2/authorize?request_uri=urn:x", "/oauth2/callback/none?state=x&code=y"] {
        let refused = client.plain("GET", link, &[], "").await;
        assert_eq!(refused.status, 400, "{link}");
    }
    assert_eq!(client.plain("POST", "/oauth2/authorize", &[], "").await.status, 405);
    assert_eq!(client.plain("GET", "/oauth2/elsewhere", &[], "").await.status, 404);
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
async fn a_person_who_says_no_ends_it() {
    let (_local, client, provider) = start().await;
    for (parameters, expected) in [
        (&[("error", "access_denied"), ("error_description", "<b>No</b>")][..], "You did not allow it"),
        (&[("error", "invalid_scope")], "refused: invalid_scope (a scope is unknown there"),
        (&[("error", "<script>")], "refused: an error"),
    ] {
        let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
        let sent = open(&client, &begun.link).await;
        let page = come_back(&client, &sent, parameters).await;
        assert_eq!(page.status, 200);
        let body = text(&page);
        assert!(body.contains(expected) && !body.contains("<b>") && !body.contains("<script"), "{body}");
        assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
        let link = visit(&client, &begun.link, None).await;
        assert!(text(&link).contains("No access was given"), "{}", text(&link));
        assert_eq!(complete(&client, &begun.session, "ada").await.status, 403);
    }
    assert!(provider.asked().is_empty());
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
async fn a_browser_that_reloads_during_the_exchange_is_led_on() {
    let (_local, client, provider) = start().await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    let sent = open(&client, &begun.link).await;
    let stalled = provider.stall().await;
    let first = tokio::spawn({
        let (client, sent) = (client.clone(), sent.clone());
        async move { come_back(&client, &sent, &[("code", "code-1")]).await }
    });
    provider.is_asked().await;
    let again = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert_eq!((again.status.as_u16(), again.headers["refresh"].as_bytes()), (200, &b"1"[..]));
    assert!(text(&again).contains("One moment"), "{}", text(&again));
    drop(stalled);
    let there = first.await.unwrap().headers["location"].clone();
    let again = come_back(&client, &sent, &[("code", "code-1")]).await;
    assert_eq!((again.status.as_u16(), &again.headers["location"]), (303, &there));
    assert_eq!(provider.asked().len(), 1, "a code is exchanged once");
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
    assert_eq!(token(&client, &begun.poll).await, "at-1");
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
