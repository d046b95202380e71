use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(openai)]
async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
