use agentcore_identity::{ApiKey, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask<E>(prompt: &str, api_key: ApiKey) -> Result<String, E> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Result<String, agentcore_identity::Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
