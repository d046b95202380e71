use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: str) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.len()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
