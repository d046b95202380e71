//! The types that a function may ask for its credential as.

use agentcore_identity::{ApiKey, Error, requires_api_key};
use agentcore_identity_tests::API_KEY;
use secrecy::{ExposeSecret, SecretString};

use crate::as_agent;

#[requires_api_key(provider = "openai")]
async fn owned(api_key: ApiKey) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

#[requires_api_key(provider = "openai")]
async fn borrowed(api_key: &ApiKey) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

#[requires_api_key(provider = "openai")]
async fn text(api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

#[requires_api_key(provider = "openai")]
async fn string(mut api_key: String) -> Result<String, Error> {
    api_key.push('!');
    Ok(api_key)
}

#[requires_api_key(provider = "openai")]
async fn secret(api_key: SecretString) -> Result<String, Error> {
    Ok(api_key.expose_secret().to_owned())
}

type Key<'k> = &'k ApiKey;

#[requires_api_key(provider = "openai")]
async fn alias<'k>(api_key: Key<'k>) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

#[tokio::test]
async fn each_receives_the_key() {
    as_agent(async {
        assert_eq!(owned().await.unwrap(), API_KEY);
        assert_eq!(borrowed().await.unwrap(), API_KEY);
        assert_eq!(text().await.unwrap(), API_KEY);
        assert_eq!(string().await.unwrap(), format!("{API_KEY}!"));
        assert_eq!(secret().await.unwrap(), API_KEY);
        assert_eq!(alias().await.unwrap(), API_KEY);
    })
    .await;
}
