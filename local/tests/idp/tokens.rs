//! Codes and refresh tokens: how often, how long and by whom they can be used.

use std::time::Duration;

use serde_json::json;

use crate::world::{SECRET, World, basic, error, refused, register};

#[tokio::test]
async fn a_code_is_good_for_its_own_request_only() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let code = world.code(&[]).await;
    for (changes, problem) in [
        (&[("code_verifier", "x")][..], "does not match"),
        (&[("code_verifier", "")], "code_verifier is required"),
        (&[("redirect_uri", "http://127.0.0.1/other")], "redirect_uri"),
        (&[("redirect_uri", "")], "redirect_uri"),
        (&[("code", "unknown")], "unknown"),
    ] {
        let answer = world.redeem(&code, changes).await;
        assert_eq!(error(&answer), refused(400, "invalid_grant"), "{changes:?}");
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(problem), "{description}");
    }
    let fields = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &world.callback)];
    let stolen = world.post("/idp/token", Some(&basic("other", SECRET)), &fields).await;
    assert_eq!(error(&stolen), refused(400, "invalid_grant"));
    let resource = world.redeem(&code, &[("resource", "https://not-asked-for.example.com")]).await;
    assert_eq!(error(&resource), refused(400, "invalid_target"));
    // None of it has spent the code.
    assert_eq!(world.redeem(&code, &[]).await.status, 200);

    let without_challenge = world.code(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(error(&world.redeem(&without_challenge, &[]).await), refused(400, "invalid_grant"));
    assert_eq!(world.redeem(&without_challenge, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_for_a_minute_and_a_replay_takes_back_what_it_gave() {
    let world = World::start().await;
    let late = world.code(&[]).await;
    world.local.advance_clock(Duration::from_mins(1));
    assert_eq!(error(&world.redeem(&late, &[]).await), refused(400, "invalid_grant"));

    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(world.userinfo(access).await.status, 200);
    assert_eq!(error(&world.redeem(&code, &[]).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.userinfo(access).await), refused(401, "invalid_token"));
    assert_eq!(error(&world.refresh(refresh).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_refresh_token_is_changed_each_time_and_its_second_use_ends_the_grant() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let first = world.redeem(&world.code(&[]).await, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned();
    let by_other = [("grant_type", "refresh_token"), ("refresh_token", &*first)];
    let stolen = world.post("/idp/token", Some(&basic("other", SECRET)), &by_other).await;
    assert_eq!(error(&stolen), refused(400, "invalid_grant"));

    let narrow = world.token(&[by_other[0], by_other[1], ("scope", "repo")]).await.json();
    assert_eq!(narrow["scope"], "repo");
    let second = narrow["refresh_token"].as_str().unwrap();
    let wide = world.token(&[("grant_type", "refresh_token"), ("refresh_token", second), ("scope", "admin")]).await;
    assert_eq!(error(&wide), refused(400, "invalid_scope"));
    let full = world.refresh(second).await.json();
    assert_eq!(full["scope"], "openid repo");
    assert_eq!(world.claims(full["access_token"].as_str().unwrap()).await["sub"], "ada");
    assert_eq!(world.claims(full["id_token"].as_str().unwrap()).await["sub"], "ada");

    let third = full["refresh_token"].as_str().unwrap();
    assert_eq!(error(&world.refresh(second).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.refresh(third).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.userinfo(full["access_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn tokens_end() {
    let world = World::start().await;
    let tokens = world.redeem(&world.code(&[]).await, &[]).await.json();
    world.local.advance_clock(Duration::from_hours(1));
    assert_eq!(error(&world.userinfo(tokens["access_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
    let next = world.refresh(tokens["refresh_token"].as_str().unwrap()).await.json();
    world.local.advance_clock(Duration::from_hours(30 * 24));
    let late = world.refresh(next["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error(&late), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_client_gives_tokens_back_but_not_another_s() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let tokens = world.redeem(&world.code(&[]).await, &[]).await.json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for token in [access, refresh, "unknown"] {
        let answer = world.post("/idp/revoke", Some(&basic("other", SECRET)), &[("token", token)]).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(world.userinfo(access).await.status, 200);
    let own = basic("web", SECRET);
    assert_eq!(world.post("/idp/revoke", Some(&own), &[("token", access)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    let next = world.refresh(refresh).await.json();
    let (access, refresh) = (next["access_token"].as_str().unwrap(), next["refresh_token"].as_str().unwrap());
    assert_eq!(world.post("/idp/revoke", Some(&own), &[("token", refresh)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    assert_eq!(error(&world.refresh(refresh).await), refused(400, "invalid_grant"));
    let stranger = world.post("/idp/revoke", None, &[("token", access)]).await;
    assert_eq!(error(&stranger), refused(401, "invalid_client"));
}
