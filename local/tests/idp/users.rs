//! What a user's JWT is good for, and that nobody can make one.

use std::time::Duration;

use agentcore_identity_local::EndUser;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use crate::support::jwt::unsigned;
use crate::world::{SECRET, World, error, in_seconds, refused, register, signed};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[tokio::test]
async fn a_user_s_jwt_is_exchanged_for_a_token_to_act_on_behalf_of_the_user() {
    let world = World::start().await;
    let user = world.local.user_jwt("ada").unwrap();
    let grant = |token: &str, kind: &str| {
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind), ("scope", "read")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let exchange = async |token: &str, kind: &str, more: &[(&str, &str)]| {
        let grant = grant(token, kind);
        let fields: Vec<(&str, &str)> = grant.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.token(&[&fields[..], more].concat()).await
    };
    let answer = exchange(&user, JWT, &[("audience", "api")]).await.json();
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("ada"), &json!("api")));
    assert_eq!(claims["act"], json!({ "sub": "web" }));

    let actor = world.token(&[("grant_type", "client_credentials")]).await.json();
    let actor = actor["access_token"].as_str().unwrap();
    let acted = exchange(&user, JWT, &[("actor_token", actor), ("actor_token_type", ACCESS_TOKEN)]).await.json();
    assert_eq!(world.claims(acted["access_token"].as_str().unwrap()).await["act"], json!({ "sub": "web" }));

    let claims = json!({ "sub": "ada", "iss": world.issuer(), "aud": world.issuer(), "exp": in_seconds(600) });
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    for forged in
        [unsigned(&claims), signed(&stranger, &claims), unsigned(&json!({ "sub": "ada", "exp": in_seconds(9) }))]
    {
        assert_eq!(error(&exchange(&forged, JWT, &[]).await), refused(400, "invalid_request"));
        let as_actor = [("actor_token", &*forged), ("actor_token_type", JWT)];
        assert_eq!(error(&exchange(&user, JWT, &as_actor).await), refused(400, "invalid_request"));
        let bearer = [("grant_type", JWT_BEARER), ("assertion", &*forged)];
        assert_eq!(error(&world.token(&bearer).await), refused(400, "invalid_grant"));
    }
    assert_eq!(error(&exchange(&user, "urn:example:unknown", &[]).await), refused(400, "invalid_request"));
    let saml = [("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")];
    assert_eq!(error(&exchange(&user, JWT, &saml).await), refused(400, "invalid_request"));
    let fields = grant(&user, JWT);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(error(&world.post("/idp/token", None, &fields).await), refused(401, "invalid_client"));

    // No token outlives the one that it was had for.
    world.local.advance_clock(Duration::from_mins(50));
    let left = exchange(&user, JWT, &[]).await.json()["expires_in"].as_u64().unwrap();
    assert!((590..=600).contains(&left), "{left}");
    world.local.advance_clock(Duration::from_mins(10));
    assert_eq!(error(&exchange(&user, JWT, &[]).await), refused(400, "invalid_request"));
}

#[tokio::test]
async fn a_user_s_jwt_is_a_grant_if_it_is_meant_for_this_server() {
    let world = World::start().await;
    let user = world.local.user_jwt("ada").unwrap();
    let bearer = async |assertion: &str| world.token(&[("grant_type", JWT_BEARER), ("assertion", assertion)]).await;
    let answer = bearer(&user).await.json();
    let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["act"]), (&json!("ada"), &json!({ "sub": "web" })));
    let elsewhere = world.token(&[("grant_type", "client_credentials"), ("audience", "api")]).await.json();
    let answer = bearer(elsewhere["access_token"].as_str().unwrap()).await;
    assert_eq!(error(&answer), refused(400, "invalid_grant"));
    world.local.advance_clock(Duration::from_hours(1));
    assert_eq!(error(&bearer(&user).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_provider_without_client_opens_the_exchange_to_all_and_nothing_else() {
    let world = World::start().await;
    let exchange = json!({
        "grantType": "TOKEN_EXCHANGE",
        "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
    });
    let settings = json!({ "clientSecret": SECRET, "onBehalfOfTokenExchangeConfig": exchange });
    register(&world.local, "without-client", settings).await;
    let user = world.local.user_jwt("ada").unwrap();
    let by_exchange = [("grant_type", EXCHANGE), ("subject_token", &*user), ("subject_token_type", JWT)];
    for fields in [&by_exchange[..], &[("grant_type", JWT_BEARER), ("assertion", &*user)]] {
        let answer = world.post("/idp/token", None, fields).await.json();
        let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
        assert_eq!((&claims["sub"], claims.get("act"), claims.get("client_id")), (&json!("ada"), None, None));
    }
    for kind in ["client_credentials", "authorization_code", "refresh_token"] {
        let answer = world.post("/idp/token", None, &[("grant_type", kind)]).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{kind}");
    }
}

#[tokio::test]
async fn its_users_can_have_workload_tokens_and_nobody_can_pretend_to_be_one() {
    let world = World::start().await;
    let local = &world.local;
    let for_user = async |jwt: String| local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt))).await;
    assert!(for_user(local.user_jwt("ada").unwrap()).await.is_ok());
    let claims = json!({ "sub": "ada", "iss": world.issuer(), "exp": in_seconds(600) });
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    for forged in [unsigned(&claims), signed(&stranger, &claims)] {
        assert_eq!(for_user(forged).await.unwrap_err().code(), "UnauthorizedException");
    }
    // Other issuers are believed, as nothing was configured to check them by.
    assert!(for_user(unsigned(&json!({ "sub": "ada", "exp": in_seconds(600) }))).await.is_ok());
    assert_eq!(local.user_jwt("").unwrap_err().code(), "ValidationException");
}
