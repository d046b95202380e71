//! Other attributes above, below and between.

use agentcore_identity::{ApiKey, Error, requires_api_key};
use agentcore_identity_tests::{API_KEY, agent, local};

#[requires_api_key(provider = "openai", into = first)]
#[requires_api_key(provider = "anthropic", into = second)]
#[agentcore_identity::requires_api_key(provider = "openai")]
async fn stacked(prompt: &str, first: &str, second: String, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {first} {second} {}", api_key.expose() == first))
}

#[requires_api_key(provider = "openai")]
#[tracing::instrument]
async fn above_instrument(prompt: &str, api_key: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {api_key}"))
}

#[tracing::instrument(skip_all, err)]
#[requires_api_key(provider = "openai")]
async fn below_instrument(prompt: &str, api_key: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {api_key}"))
}

#[tokio::test]
async fn of_other_attributes() {
    let local = local().await;
    local.set_api_key("anthropic", "sk-other").await.unwrap();
    agent(&local)
        .scope(async {
            assert_eq!(stacked("p").await.unwrap(), format!("p {API_KEY} sk-other true"));
            assert_eq!(above_instrument("p").await.unwrap(), format!("p {API_KEY}"));
            assert_eq!(below_instrument("p").await.unwrap(), format!("p {API_KEY}"));
        })
        .await;
}
