//! Each flow with the service's own identity provider at the other end.

mod support;

use std::time::Duration;

use agentcore_identity_local::{EndUser, LocalIdentity};
use serde_json::{Value, json};
use support::Client;
use support::consent::{RETURN_URL, add_provider, begin, complete, get, request, status, token, token_for};
use url::Url;

async fn start() -> (LocalIdentity, Client) {
    let builder = support::builder().workload_token_lifetime(Duration::from_hours(24 * 365));
    let local = builder.oauth2_provider("idp").return_url("my-agent", RETURN_URL).start().await.unwrap();
    let client = Client::of(&local);
    (local, client)
}

/// A custom provider that finds the identity provider as any other would be found.
fn discovered(local: &LocalIdentity) -> Value {
    let url = format!("{}/idp/.well-known/openid-configuration", local.endpoint_url());
    json!({ "oauthDiscovery": { "discoveryUrl": url }, "clientId": "client-1", "clientSecret": "client-secret-0123456789" })
}

#[tokio::test]
async fn a_person_consents_and_the_token_is_renewed_until_they_take_it_back() {
    let (local, client) = start().await;
    let mut request = request(&token_for(&client, "ada").await);
    request["scopes"] = json!(["openid", "profile", "offline_access"]);
    let begun = begin(&client, &request).await;
    let location = Url::parse(&local.consent(&begun.link, "ada").await.unwrap()).unwrap();
    let parameter =
        |name: &str| location.query_pairs().find_map(|(found, value)| (found == name).then(|| value.into_owned()));
    assert_eq!(parameter("session_id").as_deref(), Some(begun.session.as_str()));
    assert_eq!(parameter("state").as_deref(), Some("application state"));
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
    let first = token(&client, &begun.poll).await;
    local.advance_clock(Duration::from_hours(24));
    let renewed = token(&client, &request).await;
    assert_ne!(renewed, first);
    local.revoke_tokens("idp").await.unwrap();
    assert_eq!(token(&client, &request).await, renewed, "the service cannot know");
    local.advance_clock(Duration::from_hours(24));
    assert_eq!(get(&client, &request).await.json()["sessionStatus"], "IN_PROGRESS");
}

#[tokio::test]
async fn a_person_who_denies_ends_it() {
    let (local, client) = start().await;
    let begun = begin(&client, &request(&token_for(&client, "ada").await)).await;
    let shown = local.deny_consent(&begun.link, "ada").await.unwrap();
    assert!(shown.starts_with(&format!("{}/oauth2/callback/", local.endpoint_url())), "{shown}");
    assert_eq!(status(&client, &begun).await.as_deref(), Some("FAILED"));
    assert!(local.consent(&begun.link, "ada").await.is_err());
}

#[tokio::test]
async fn machines_and_users_of_machines() {
    let (local, client) = start().await;
    let jwt = local.user_jwt("ada").unwrap();
    let mut grant = discovered(&local);
    grant["onBehalfOfTokenExchangeConfig"] = json!({ "grantType": "JWT_AUTHORIZATION_GRANT" });
    grant["clientAuthenticationMethod"] = "CLIENT_SECRET_POST".into();
    add_provider(&client, "grant", grant).await;
    let mut acting = discovered(&local);
    acting["clientId"] = "client-2".into();
    acting["onBehalfOfTokenExchangeConfig"] = json!({
        "grantType": "TOKEN_EXCHANGE",
        "tokenExchangeGrantTypeConfig": { "actorTokenContent": "M2M", "actorTokenScopes": ["act"] },
    });
    add_provider(&client, "acting", acting).await;
    let mut by_aws = discovered(&local);
    let members = by_aws.as_object_mut().unwrap();
    members.retain(|name, _| name == "oauthDiscovery");
    members.insert("clientAuthenticationMethod".into(), "AWS_IAM_ID_TOKEN_JWT".into());
    members.insert(
        "onBehalfOfTokenExchangeConfig".into(),
        json!({
            "grantType": "TOKEN_EXCHANGE",
            "tokenExchangeGrantTypeConfig": { "actorTokenContent": "AWS_IAM_ID_TOKEN_JWT" },
        }),
    );
    add_provider(&client, "by-aws", by_aws).await;
    let mut signing = discovered(&local);
    signing["clientId"] = "client-3".into();
    signing.as_object_mut().unwrap().remove("clientSecret");
    signing["clientAuthenticationMethod"] = "PRIVATE_KEY_JWT".into();
    let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    signing["privateKeyJwtConfig"] =
        json!({ "privateKeySource": { "kmsKeySource": { "kmsKeyArn": key } }, "signingAlgorithm": "PS256" });
    add_provider(&client, "signing", signing).await;
    let workload = local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt))).await.unwrap();
    for (provider, flow) in [
        ("idp", "M2M"),
        ("grant", "M2M"),
        ("by-aws", "M2M"),
        ("signing", "M2M"),
        ("idp", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
        ("grant", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
        ("acting", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
        ("by-aws", "ON_BEHALF_OF_TOKEN_EXCHANGE"),
    ] {
        let answer = get(
            &client,
            &json!({
                "workloadIdentityToken": workload,
                "resourceCredentialProviderName": provider,
                "oauth2Flow": flow,
                "scopes": ["read"],
                "audiences": ["https://api.example"],
            }),
        )
        .await;
        assert_eq!(answer.status, 200, "{provider} {flow}: {answer:?}");
        assert!(answer.json()["accessToken"].is_string(), "{provider} {flow}");
    }
}

/// Agents' tests pause Tokio's clock, and so do those of this service's requests to itself.
#[tokio::test(start_paused = true)]
async fn paused_time_times_nothing_out() {
    let (local, client) = start().await;
    let workload = token_for(&client, "ada").await;
    let mut machine = request(&workload);
    machine["oauth2Flow"] = "M2M".into();
    for _ in 0..5 {
        machine["forceAuthentication"] = true.into();
        token(&client, &machine).await;
    }
    let begun = begin(&client, &request(&workload)).await;
    local.consent(&begun.link, "ada").await.unwrap();
    assert_eq!(complete(&client, &begun.session, "ada").await.status, 200);
    token(&client, &begun.poll).await;
}
