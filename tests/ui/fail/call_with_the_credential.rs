use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller(api_key: ApiKey) -> Result<String, Error> {
    ask("hello", api_key).await
}

fn main() {
    let _ = caller;
}
