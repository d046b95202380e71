//! Browsers that follow the link, and that come back.

use serde_json::json;

use crate::support::consent::{
    add_provider, begin, come_back, complete, open, request, start, status, text, token, token_for, visit,
};

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
