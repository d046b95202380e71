use agentcore_identity::{ApiKey, Error, requires_api_key};

fn is_rejected(_: &Error) -> bool {
    true
}

#[requires_api_key(provider = "openai", retry_if = is_rejected)]
async fn ask<P: ToString>(prompt: P, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{} {}", prompt.to_string(), api_key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
