#![deny(warnings)]

use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, mut api_key: ApiKey) -> Result<String, Error> {
    Ok(prompt.to_owned())
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
