use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai", into = key)]
#[requires_api_key(provider = "anthropic", into = "key")]
async fn ask(prompt: &str, key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
