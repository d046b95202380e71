//! The next start from a data directory: what it takes over, what it drops, and that a refused one leaves no trace.

mod support;

use std::path::Path;

use agentcore_identity_local::{LocalIdentity, StartError};
use serde_json::json;
use support::consent::{RETURN_URL, begin, complete, get, request, token, token_for};
use support::{Client, builder};

async fn start(data: &Path) -> (LocalIdentity, Client) {
    let builder = builder().oauth2_provider("idp").return_url("my-agent", RETURN_URL);
    let local = builder.data_dir(data).start().await.unwrap();
    let client = Client::of(&local);
    (local, client)
}

async fn consented(local: &LocalIdentity, client: &Client) -> String {
    let begun = begin(client, &request(&token_for(client, "ada").await)).await;
    local.consent(&begun.link, "ada").await.unwrap();
    assert_eq!(complete(client, &begun.session, "ada").await.status, 200);
    token(client, &begun.poll).await
}

#[tokio::test]
async fn tokens_of_the_own_identity_provider_end_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (local, client) = start(directory.path()).await;
    let workload = token_for(&client, "ada").await;
    let mut machine = request(&workload);
    machine["oauth2Flow"] = "M2M".into();
    let machine_token = token(&client, &machine).await;
    let user_token = consented(&local, &client).await;
    assert_eq!(token(&client, &request(&workload)).await, user_token);
    local.shutdown().await;

    let (local, client) = start(directory.path()).await;
    assert_ne!(token(&client, &machine).await, machine_token);
    assert_eq!(get(&client, &request(&workload)).await.json()["sessionStatus"], "IN_PROGRESS");
    let user_token = consented(&local, &client).await;
    let bearer = format!("Bearer {user_token}");
    assert_eq!(client.plain("GET", "/idp/userinfo", &[("authorization", &bearer)], "").await.status, 200);
}

#[tokio::test]
async fn a_start_that_is_refused_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let chosen = |id: &str| builder().data_dir(directory.path()).signing_credentials(id, "0123456789abcdef");
    chosen("LOCALFIRST0000000000").start().await.unwrap().shutdown().await;
    let refused =
        chosen("LOCALSECOND000000000").api_key("openai", "sk-rotated").api_key("bad name", "sk").start().await;
    assert!(matches!(refused, Err(StartError::Seed { .. })), "{refused:?}");

    let local = LocalIdentity::builder().data_dir(directory.path()).start().await.unwrap();
    assert_eq!(local.access_key_id(), "LOCALFIRST0000000000");
    let client = Client::of(&local);
    assert_eq!(client.api_key(&client.token().await).await.json(), json!({ "apiKey": support::API_KEY }));
    local.shutdown().await;

    chosen("LOCALSECOND000000000").start().await.unwrap().shutdown().await;
    let local = LocalIdentity::builder().data_dir(directory.path()).start().await.unwrap();
    assert_eq!(local.access_key_id(), "LOCALSECOND000000000");
}
