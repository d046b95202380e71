use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask<K: AsRef<str>>(prompt: &str, api_key: K) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.as_ref()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
