//! Tokens without a person: from the vault, by refresh, by client credentials, and on behalf of a user.

mod support;

use std::time::Duration;

use agentcore_identity_local::{EndUser, LocalIdentity, LocalIdentityBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use support::consent::{add_provider, authorized, get, request, set_up, start, token, token_for};
use support::provider::Provider;
use support::{Client, jwt};

/// A workload token outlives every clock that these tests move.
fn builder() -> LocalIdentityBuilder {
    support::builder().workload_token_lifetime(Duration::from_hours(24 * 365))
}

async fn long_lived(config: fn(&Provider) -> Value) -> (LocalIdentity, Client, Provider) {
    let provider = Provider::start().await;
    let local = builder().start().await.unwrap();
    let client = set_up(&local, config(&provider)).await;
    (local, client, provider)
}

/// A long-lived service with Ada's token `at-1` in its vault.
struct Authorized {
    local: LocalIdentity,
    client: Client,
    provider: Provider,
    /// What was asked for, and can be asked for again.
    request: Value,
}

async fn ada_authorized(config: fn(&Provider) -> Value) -> Authorized {
    let (local, client, provider) = long_lived(config).await;
    let request = authorized(&client, "ada").await;
    provider.asked();
    Authorized { local, client, provider, request }
}

fn machine(workload_token: &str) -> Value {
    json!({
        "workloadIdentityToken": workload_token,
        "resourceCredentialProviderName": "idp",
        "oauth2Flow": "M2M",
        "scopes": ["read"],
    })
}

#[tokio::test]
async fn an_ended_token_is_renewed_with_the_refresh_token_of_the_time() {
    let Authorized { local, client, provider, request } = ada_authorized(Provider::discovered).await;
    local.advance_clock(Duration::from_mins(54));
    assert_eq!(token(&client, &request).await, "at-1");
    for (expected, presented) in [("at-2", "rt-1"), ("at-3", "rt-2")] {
        local.advance_clock(Duration::from_mins(61));
        // Whoever asks meanwhile waits for the one request that uses the refresh token.
        let polls = (0..8).map(|_| {
            let (client, request) = (client.clone(), request.clone());
            tokio::spawn(async move { token(&client, &request).await })
        });
        for poll in polls.collect::<Vec<_>>() {
            assert_eq!(poll.await.unwrap(), expected);
        }
        let asked = provider.asked_once();
        assert_eq!(asked.one("grant_type").as_deref(), Some("refresh_token"));
        assert_eq!(asked.one("refresh_token").as_deref(), Some(presented));
        assert_eq!(asked.one("scope"), None);
    }
    // A server that does not rotate its refresh tokens.
    provider.answers(200, &json!({ "access_token": "at-kept", "expires_in": 3600 }));
    local.advance_clock(Duration::from_hours(2));
    assert_eq!(token(&client, &request).await, "at-kept");
    local.advance_clock(Duration::from_hours(2));
    assert_eq!(token(&client, &request).await, "at-4");
    let presented: Vec<_> = provider.asked().iter().filter_map(|asked| asked.one("refresh_token")).collect();
    assert_eq!(presented, ["rt-3", "rt-3"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_serves_until_its_end() {
    let Authorized { local, client, provider, request } = ada_authorized(Provider::inline).await;
    local.advance_clock(Duration::from_mins(56));
    provider.answers(503, &json!({}));
    assert_eq!(token(&client, &request).await, "at-1");
    local.advance_clock(Duration::from_mins(5));
    provider.answers(503, &json!({}));
    let down = get(&client, &request).await;
    assert_eq!((down.status.as_u16(), down.error()), (500, "InternalServerException"));
    assert!(down.message().contains("\"idp\" did not do its work"), "{}", down.message());
    provider.answers(400, &json!({ "error": "invalid_client" }));
    let misconfigured = get(&client, &request).await;
    assert_eq!((misconfigured.status.as_u16(), misconfigured.error()), (400, "ValidationException"));
    // It was none of the user's doing, and so the consent is still good.
    assert_eq!(token(&client, &request).await, "at-2");
}

#[tokio::test]
async fn a_stalled_server_holds_up_one_call_and_not_for_a_valid_token() {
    let Authorized { local, client, provider, request } = ada_authorized(Provider::inline).await;
    local.advance_clock(Duration::from_mins(56));
    let stalled = provider.stall().await;
    provider.answers(503, &json!({}));
    let held_up = tokio::spawn({
        let (client, request) = (client.clone(), request.clone());
        async move { token(&client, &request).await }
    });
    provider.is_asked().await;
    assert_eq!(token(&client, &request).await, "at-1");
    assert!(!held_up.is_finished());
    drop(stalled);
    assert_eq!(held_up.await.unwrap(), "at-1");
    assert_eq!(token(&client, &request).await, "at-1");
    assert_eq!(provider.asked().len(), 1, "it failed a moment ago");
    local.advance_clock(Duration::from_secs(31));
    assert_eq!(token(&client, &request).await, "at-2");
}

#[tokio::test]
async fn force_is_not_undone_by_a_renewal_under_way() {
    let Authorized { local, client, provider, request } = ada_authorized(Provider::inline).await;
    local.advance_clock(Duration::from_mins(56));
    let stalled = provider.stall().await;
    let spawn = |request: Value| {
        let client = client.clone();
        tokio::spawn(async move { get(&client, &request).await.json() })
    };
    let renewing = spawn(request.clone());
    provider.is_asked().await;
    let mut forced = request.clone();
    forced["forceAuthentication"] = true.into();
    let forcing = spawn(forced);
    // Calls that came later are answered, so that it has got as far as it can.
    for _ in 0..8 {
        assert_eq!(token(&client, &request).await, "at-1", "the old grant is not gone halfway");
    }
    drop(stalled);
    assert_eq!(renewing.await.unwrap()["accessToken"], "at-2");
    assert_eq!(forcing.await.unwrap()["sessionStatus"], "IN_PROGRESS");
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS", "the old grant is not back");
}

#[tokio::test]
async fn a_revoked_consent_is_asked_for_again() {
    let Authorized { local, client, provider, request } = ada_authorized(Provider::discovered).await;
    provider.answers(503, &json!({}));
    let down = local.revoke_tokens("idp").await.unwrap_err();
    assert_eq!(down.status(), 500, "{down}");
    assert_eq!(provider.asked_once().path, "/revoke");
    provider.answers_text(200, "text/plain", "");
    provider.answers_text(200, "text/plain", "");
    local.revoke_tokens("idp").await.unwrap();
    let revoked: Vec<_> = provider.asked().iter().map(|asked| asked.one("token").unwrap()).collect();
    assert_eq!(revoked, ["at-1", "rt-1"]);
    assert_eq!(token(&client, &request).await, "at-1", "the service cannot know");
    provider.answers(400, &json!({ "error": "invalid_grant" }));
    local.advance_clock(Duration::from_mins(56));
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS");
    assert_eq!(local.revoke_tokens("nobody").await.unwrap_err().status(), 404);
    add_provider(&client, "inline", provider.inline()).await;
    assert!(local.revoke_tokens("inline").await.is_ok(), "there is no token to revoke");
}

#[tokio::test]
async fn a_token_without_refresh_or_end() {
    let (local, client, provider) = long_lived(Provider::inline).await;
    provider.answers(200, &json!({ "access_token": "forever" }));
    let endless = authorized(&client, "ada").await;
    provider.answers(200, &json!({ "access_token": "an-hour", "expires_in": "3600" }));
    let brief = authorized(&client, "bob").await;
    local.advance_clock(Duration::from_mins(59));
    assert_eq!(token(&client, &brief).await, "an-hour");
    local.advance_clock(Duration::from_hours(24));
    assert_eq!(get(&client, &brief).await.json()["sessionStatus"], "IN_PROGRESS");
    assert_eq!(token(&client, &endless).await, "forever");
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn client_credentials_are_kept_until_near_their_end() {
    let (local, client, provider) = long_lived(Provider::discovered).await;
    let mut wanted = machine(&client.token().await);
    wanted["resources"] = json!(["https://api.example"]);
    wanted["audiences"] = json!(["a", "b"]);
    wanted["customParameters"] = json!({ "tenant": "t-1", "grant_type": "password", "scope": "admin" });
    let calls = (0..8).map(|_| {
        let (client, wanted) = (client.clone(), wanted.clone());
        tokio::spawn(async move { token(&client, &wanted).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), "at-1");
    }
    let asked = provider.asked_once();
    for (name, value) in [("grant_type", "client_credentials"), ("scope", "read"), ("tenant", "t-1")] {
        assert_eq!(asked.one(name).as_deref(), Some(value));
    }
    assert_eq!(asked.all("resource"), ["https://api.example"]);
    assert_eq!(asked.all("audience"), ["a", "b"]);

    // It is the workload's and no user's.
    let mut for_user = wanted.clone();
    for_user["workloadIdentityToken"] = token_for(&client, "ada").await.into();
    assert_eq!(token(&client, &for_user).await, "at-1");
    let mut other = wanted.clone();
    other["audiences"] = json!(["a"]);
    assert_eq!(token(&client, &other).await, "at-2");

    local.advance_clock(Duration::from_mins(56));
    provider.answers(500, &json!({}));
    assert_eq!(token(&client, &wanted).await, "at-1", "it is valid still");
    provider.asked();
    assert_eq!(token(&client, &wanted).await, "at-1");
    assert!(provider.asked().is_empty(), "it failed a moment ago");
    local.advance_clock(Duration::from_secs(31));
    assert_eq!(token(&client, &wanted).await, "at-3");
    wanted["forceAuthentication"] = true.into();
    assert_eq!(token(&client, &wanted).await, "at-4");
    wanted["forceAuthentication"] = false.into();
    assert_eq!(token(&client, &wanted).await, "at-4");
    wanted["scopes"] = json!([]);
    provider.asked();
    for _ in 0..2 {
        provider.answers(200, &json!({ "access_token": "without-end", "refresh_token": "r" }));
        assert_eq!(token(&client, &wanted).await, "without-end");
    }
    let asked = provider.asked();
    assert_eq!(asked.len(), 2, "a token of unknown end is not kept");
    assert_eq!(asked[0].one("scope"), None);
}

#[tokio::test]
async fn a_provider_s_refusal_reaches_the_caller_in_a_safe_form() {
    let (_local, client, provider) = start().await;
    let wanted = machine(&client.token().await);
    for (status, body, expected, code, words) in [
        (
            401,
            json!({ "error": "invalid_client", "error_description": "hunter2" }),
            400,
            "ValidationException",
            "invalid_client",
        ),
        (400, json!({ "error": "client-secret-0123456789 is wrong" }), 400, "ValidationException", "refused: an error"),
        (400, json!({ "error": "invalid_scope" }), 400, "ValidationException", "a scope is unknown"),
        (400, json!({ "error": "temporarily_unavailable" }), 500, "InternalServerException", "temporarily_unavailable"),
        (429, json!({ "error": "slow_down" }), 429, "ThrottlingException", "HTTP status 429"),
        (502, json!("hunter2"), 500, "InternalServerException", "HTTP status 502"),
        (400, json!({ "error": "hunter2" }), 400, "ValidationException", "refused: an error"),
        (200, json!(["hunter2"]), 400, "ValidationException", "did not answer with the JSON of a token response"),
    ] {
        provider.answers(status, &body);
        let answer = get(&client, &wanted).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (expected, code), "{answer:?}");
        let message = answer.message();
        assert!(message.contains("The credential provider \"idp\"") && message.contains(words), "{message}");
        assert!(!message.contains("hunter2") && !message.contains("client-secret"), "{message}");
    }
    drop(provider);
    let down = get(&client, &wanted).await;
    assert_eq!((down.status.as_u16(), down.error()), (500, "InternalServerException"));
    assert!(down.message().contains("gave no answer"), "{}", down.message());
}

#[tokio::test]
async fn each_way_to_authenticate_the_client() {
    let (_local, client, provider) = start().await;
    let workload = client.token().await;
    let fetch = async |name: &str, config: Value| {
        add_provider(&client, name, config).await;
        let mut wanted = machine(&workload);
        wanted["resourceCredentialProviderName"] = name.into();
        token(&client, &wanted).await;
        provider.asked_once()
    };
    let mut post = provider.inline();
    post["clientAuthenticationMethod"] = "CLIENT_SECRET_POST".into();
    let asked = fetch("post", post).await;
    assert_eq!(asked.authorization, None);
    assert_eq!(asked.one("client_id").as_deref(), Some("client-1"));
    assert_eq!(asked.one("client_secret").as_deref(), Some("client-secret-0123456789"));

    let mut odd = provider.inline();
    odd["clientSecret"] = "a:b c/ü".into();
    odd["clientAuthenticationMethod"] = "CLIENT_SECRET_BASIC".into();
    let basic = base64::engine::general_purpose::STANDARD.encode("client-1:a%3Ab+c%2F%C3%BC");
    assert_eq!(fetch("basic", odd).await.authorization, Some(format!("Basic {basic}")));

    let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let mut signed = provider.inline();
    signed.as_object_mut().unwrap().remove("clientSecret");
    signed["clientAuthenticationMethod"] = "PRIVATE_KEY_JWT".into();
    signed["privateKeyJwtConfig"] = json!({
        "privateKeySource": { "kmsKeySource": { "kmsKeyArn": key } },
        "signingAlgorithm": "ES256",
        "additionalHeaderClaims": { "x5t": "thumb" },
        "additionalPayloadClaims": { "tenant": "t-1" },
    });
    let asked = fetch("signed", signed).await;
    assert_eq!((asked.authorization.as_ref(), asked.one("client_secret")), (None, None));
    assert_eq!(asked.one("client_id").as_deref(), Some("client-1"));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(asked.one("client_assertion_type").as_deref(), Some(kind));
    let assertion = asked.one("client_assertion").unwrap();
    let part = |index: usize| -> Value {
        let part = assertion.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((header["alg"].as_str(), header["x5t"].as_str()), (Some("ES256"), Some("thumb")));
    for (claim, expected) in [("iss", "client-1"), ("sub", "client-1"), ("tenant", "t-1")] {
        assert_eq!(claims[claim], expected);
    }
    assert_eq!(claims["aud"], format!("{}/token", provider.url));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
    let mut wanted = machine(&workload);
    wanted["resourceCredentialProviderName"] = "signed".into();
    wanted["forceAuthentication"] = true.into();
    token(&client, &wanted).await;
    assert_ne!(provider.asked_once().one("client_assertion").unwrap(), assertion, "each is for one request");
}

async fn on_behalf_of(local: &LocalIdentity, user: Option<EndUser>, provider: &str) -> Value {
    json!({
        "workloadIdentityToken": local.issue_workload_token("my-agent", user).await.unwrap(),
        "resourceCredentialProviderName": provider,
        "oauth2Flow": "ON_BEHALF_OF_TOKEN_EXCHANGE",
        "scopes": ["read"],
        "resources": ["https://api.example"],
        "audiences": ["orders"],
        "customParameters": { "tenant": "t-1", "subject_token": "forged" },
    })
}

#[tokio::test]
async fn a_user_s_jwt_is_exchanged() {
    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    let (local, client, provider) = start().await;
    let with = |grant: Value| {
        let mut config = provider.inline();
        config["onBehalfOfTokenExchangeConfig"] = grant;
        config
    };
    let exchange = |actor: Value| json!({ "grantType": "TOKEN_EXCHANGE", "tokenExchangeGrantTypeConfig": actor });
    add_provider(&client, "exchange", with(exchange(json!({ "actorTokenContent": "NONE" })))).await;
    let acting = json!({ "actorTokenContent": "M2M", "actorTokenScopes": ["act"] });
    add_provider(&client, "acting", with(exchange(acting))).await;
    add_provider(&client, "grant", with(json!({ "grantType": "JWT_AUTHORIZATION_GRANT" }))).await;
    let ada = || Some(EndUser::Jwt(jwt::of("ada")));

    assert_eq!(token(&client, &on_behalf_of(&local, ada(), "exchange").await).await, "at-1");
    let asked = provider.asked_once();
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &jwt::of("ada")),
        ("subject_token_type", ACCESS_TOKEN),
        ("scope", "read"),
        ("resource", "https://api.example"),
        ("audience", "orders"),
        ("tenant", "t-1"),
    ] {
        assert_eq!(asked.one(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(asked.one("actor_token"), None);
    assert!(asked.authorization.unwrap().starts_with("Basic "));

    assert_eq!(token(&client, &on_behalf_of(&local, ada(), "acting").await).await, "at-3");
    let asked = provider.asked();
    assert_eq!(asked[0].one("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(asked[0].one("scope").as_deref(), Some("act"));
    assert_eq!(asked[1].one("actor_token").as_deref(), Some("at-2"));
    assert_eq!(asked[1].one("actor_token_type").as_deref(), Some(ACCESS_TOKEN));

    assert_eq!(token(&client, &on_behalf_of(&local, ada(), "grant").await).await, "at-4");
    let asked = provider.asked_once();
    assert_eq!(asked.one("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    assert_eq!(asked.one("assertion"), Some(jwt::of("ada")));

    provider.answers(400, &json!({ "error": "invalid_grant", "error_description": jwt::of("ada") }));
    let refused = get(&client, &on_behalf_of(&local, ada(), "grant").await).await;
    assert_eq!((refused.status.as_u16(), refused.error()), (400, "ValidationException"));
    assert!(refused.message().contains("invalid_grant") && !refused.message().contains("eyJ"), "{}", refused.message());
}

#[tokio::test]
async fn without_a_jwt_or_a_provider_for_it_there_is_no_exchange() {
    let (local, client, provider) = start().await;
    let mut config = provider.inline();
    config["onBehalfOfTokenExchangeConfig"] = json!({
        "grantType": "JWT_AUTHORIZATION_GRANT",
        "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
    });
    add_provider(&client, "exchange", config).await;
    for (user, name, words) in [
        (None, "exchange", "this one was made without a user"),
        (Some(EndUser::Id("ada".into())), "exchange", "this one was made for a user id"),
        (Some(EndUser::Jwt(jwt::of("ada"))), "idp", "\"idp\" has no onBehalfOfTokenExchangeConfig"),
    ] {
        let refused = get(&client, &on_behalf_of(&local, user, name).await).await;
        assert_eq!((refused.status.as_u16(), refused.error()), (400, "ValidationException"));
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    assert!(provider.asked().is_empty());
    token(&client, &on_behalf_of(&local, Some(EndUser::Jwt(jwt::of("ada"))), "exchange").await).await;
    let asked = provider.asked_once();
    assert_eq!((asked.authorization.clone(), asked.one("client_id")), (None, None), "NO_CLIENT");
}

#[tokio::test]
async fn tokens_go_with_their_provider_and_their_workload_identity() {
    let (local, client, provider) = start().await;
    let request = authorized(&client, "ada").await;
    client.call("DeleteOauth2CredentialProvider", json!({ "name": "idp" })).await;
    assert_eq!(get(&client, &request).await.status, 404);
    add_provider(&client, "idp", provider.discovered()).await;
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS");
    let machine = machine(&client.token().await);
    assert_eq!(token(&client, &machine).await, "at-2");
    local.remove_workload_identity("my-agent").await.unwrap();
    local.add_workload_identity("my-agent").await.unwrap();
    assert_eq!(get(&client, &machine).await.status, 401);
    let mut again = machine.clone();
    again["workloadIdentityToken"] = client.token().await.into();
    assert_eq!(token(&client, &again).await, "at-3");
}

/// Replaces the configuration of the provider `idp`.
async fn update(client: &Client, config: Value) {
    let updated = client
        .call(
            "UpdateOauth2CredentialProvider",
            json!({
                "name": "idp",
                "credentialProviderVendor": "CustomOauth2",
                "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
            }),
        )
        .await;
    assert_eq!(updated.status, 200, "{updated:?}");
}

#[tokio::test]
async fn tokens_stay_with_the_client_and_the_server_they_are_of() {
    let (local, client, provider) = start().await;
    let request = authorized(&client, "ada").await;
    let mut rotated = provider.discovered();
    rotated["clientSecret"] = "another-client-secret".into();
    update(&client, rotated.clone()).await;
    assert_eq!(token(&client, &request).await, "at-1", "only the secret is another");
    rotated["clientId"] = "client-2".into();
    update(&client, rotated).await;
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS");

    let machine = machine(&client.token().await);
    assert_eq!(token(&client, &machine).await, "at-2");
    let elsewhere = Provider::start().await;
    update(&client, elsewhere.discovered()).await;
    assert_eq!(token(&client, &machine).await, "at-1", "of the other server");
    assert_eq!(elsewhere.asked().len(), 1);
    local.set_oauth2_provider("idp").await.unwrap();
    assert_ne!(token(&client, &machine).await, "at-1");
}

#[tokio::test]
async fn the_vault_survives_a_restart_and_shows_nothing_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let provider = Provider::start().await;
    let secrets = ["access-token-0123456789", "refresh-token-0123456789"];
    let local = builder().data_dir(&path).start().await.unwrap();
    let client = set_up(&local, provider.inline()).await;
    provider.answers(200, &json!({ "access_token": secrets[0], "refresh_token": secrets[1], "expires_in": 3600 }));
    authorized(&client, "ada").await;
    local.shutdown().await;
    for file in std::fs::read_dir(&path).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
    let local = builder().data_dir(&path).start().await.unwrap();
    let client = Client::of(&local);
    let request = request(&token_for(&client, "ada").await);
    assert_eq!(token(&client, &request).await, secrets[0]);
    local.advance_clock(Duration::from_mins(56));
    provider.asked();
    assert_eq!(token(&client, &request).await, "at-1");
    assert_eq!(provider.asked_once().one("refresh_token").as_deref(), Some(secrets[1]));
}
