//! The body's error lives on while the credential is fetched anew.

use agentcore_identity::{ApiKey, requires_api_key};

type Unsendable = Box<dyn std::error::Error>;

#[requires_api_key(provider = "openai")]
async fn once(prompt: &str, api_key: ApiKey) -> Result<String, Unsendable> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn twice(prompt: &str, api_key: ApiKey) -> Result<String, Unsendable> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

fn assert_send(_: impl Send) {}

fn main() {
    assert_send(once("hello"));
    assert_send(twice("hello"));
}
