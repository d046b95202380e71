//! The authorization endpoint: consent, denial, and requests that deserve neither.

use serde_json::json;

use crate::support::browser::{Browser, heading, location, query, text};
use crate::world::{SECRET, World, error, refused, register};

#[tokio::test]
async fn a_person_consents_and_the_client_gets_tokens_that_verify() {
    let world = World::start().await;
    let target = world.authorize(&[("resource", "https://api.example.com")]);
    let url = Browser::of(&world.local).decide(&target, "ada", "allow").await;
    assert!(url.starts_with(&format!("{}?code=", world.callback)), "{url}");
    let back = query(&url);
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("s&1", world.issuer().as_str()));

    let answer = world.redeem(&back["code"], &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "openid repo");
    let access = world.claims(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((&access["sub"], &access["client_id"]), (&json!("ada"), &json!("web")));
    assert_eq!((&access["aud"], &access["scope"]), (&json!("https://api.example.com"), &json!("openid repo")));
    let id = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((&id["sub"], &id["aud"], &id["nonce"]), (&json!("ada"), &json!("web"), &json!("n1")));
    assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.json()["sub"], "ada");
    // An id token opens no door.
    assert_eq!(error(&world.userinfo(tokens["id_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn a_denial_goes_back_to_the_client() {
    let world = World::start().await;
    let url = Browser::of(&world.local).decide(&world.authorize(&[]), "ada", "deny").await;
    let back = query(&url);
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "s&1"));
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn a_link_with_another_s_address_leads_nowhere() {
    let world = World::start().await;
    let other = register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let suffixed = format!("{}.evil.example.com", world.callback);
    for changes in [
        [("redirect_uri", "https://evil.example.com/")],
        [("redirect_uri", &*suffixed)],
        [("redirect_uri", &*other)],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        let answer = Browser::of(&world.local).get(&world.authorize(&changes)).await;
        assert_eq!((answer.status.as_u16(), heading(&answer)), (400, "This link does not work"), "{changes:?}");
        assert!(!answer.headers.contains_key("location"));
        assert!(!text(&answer).contains("evil.example.com"));
    }
    let endless = Browser::of(&world.local).get(&world.authorize(&[("state", &"x".repeat(33_000))])).await;
    assert_eq!((endless.status.as_u16(), heading(&endless)), (400, "This link does not work"));
    let twice = format!("{}&redirect_uri=https://evil.example.com/", world.authorize(&[]));
    assert_eq!(Browser::of(&world.local).get(&twice).await.status, 400);
}

#[tokio::test]
async fn other_mistakes_go_back_to_the_client() {
    let world = World::start().await;
    for (changes, code) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("resource", "x")], "invalid_target"),
        (&[("request_uri", "urn:x")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let answer = Browser::of(&world.local).get(&world.authorize(changes)).await;
        let url = location(&answer);
        assert!(url.starts_with(&format!("{}?", world.callback)), "{url}");
        assert_eq!((query(&url)["error"].as_str(), query(&url)["state"].as_str()), (code, "s&1"));
    }
    // The one redirect URI of a client need not be named, neither here nor at the token endpoint.
    let code = world.code(&[("redirect_uri", "")]).await;
    assert_eq!(world.redeem(&code, &[("redirect_uri", "")]).await.status, 200);
}

#[tokio::test]
async fn a_test_can_play_the_person() {
    let world = World::start().await;
    let url = format!("{}{}", world.local.endpoint_url(), world.authorize(&[]));
    let denied = world.local.deny_consent(&url, "ada").await.unwrap();
    assert_eq!(query(&denied)["error"], "access_denied");
    let stale = world.local.consent(&url.replace("client_id=web", "client_id=gone"), "ada").await.unwrap_err();
    assert!(stale.to_string().contains("This link does not work"), "{stale}");
    let elsewhere = world.local.consent("https://example.com/authorize", "ada").await.unwrap_err();
    assert!(elsewhere.to_string().contains("not one of this local service"), "{elsewhere}");
}
