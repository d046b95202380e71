use agentcore_identity::requires_api_key as with_key;
use agentcore_identity::{ApiKey, Error};

#[with_key(provider = "openai")]
#[with_key(provider = "search")]
async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
