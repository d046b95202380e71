//! Names of parameters, and those that an expansion might use for itself.

use agentcore_identity::{Error, IdentityClient, requires_api_key};
use agentcore_identity_tests::{API_KEY, agent, client, local};

use crate::{OPENAI, as_agent};

#[requires_api_key(provider = "openai", into = key)]
async fn by_name(key: &str) -> Result<String, Error> {
    Ok(key.to_owned())
}

#[requires_api_key(provider = "openai", into = "key")]
async fn by_text(key: &str) -> Result<String, Error> {
    Ok(key.to_owned())
}

#[requires_api_key(provider = "openai", into = r#type)]
async fn raw(r#type: &str, r#mod: u8) -> Result<String, Error> {
    Ok(format!("{type} {mod}"))
}

#[requires_api_key(provider = "openai", into = "type")]
async fn r#async(r#type: &str) -> Result<String, Error> {
    Ok(r#type.to_owned())
}

/// The names that an expansion might use for itself.
#[requires_api_key(provider = provider, client = client, retry_if = |_| false)]
async fn like_ours(
    client: &IdentityClient,
    provider: &str,
    credential: u8,
    error: u8,
    renewed: u8,
    result: u8,
    api_key: &str,
) -> Result<String, Error> {
    Ok(format!("{api_key} {}", credential + error + renewed + result))
}

#[tokio::test]
async fn of_parameters_are_as_written() {
    as_agent(async {
        assert_eq!(by_name().await.unwrap(), API_KEY);
        assert_eq!(by_text().await.unwrap(), API_KEY);
        assert_eq!(raw(7).await.unwrap(), format!("{API_KEY} 7"));
        assert_eq!(r#async().await.unwrap(), API_KEY);
    })
    .await;
    let local = local().await;
    agent(&local)
        .scope(async {
            let answer = like_ours(&client(&local), OPENAI, 1, 2, 3, 4).await.unwrap();
            assert_eq!(answer, format!("{API_KEY} 10"));
        })
        .await;
}
