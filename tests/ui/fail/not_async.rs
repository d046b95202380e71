use agentcore_identity::{ApiKey, Error, requires_api_key};

async fn call(prompt: &str, api_key: &ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

#[requires_api_key(provider = "openai")]
fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
    call(prompt, &api_key).await
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
