use agentcore_identity::{ApiKey, requires_api_key};

#[derive(Debug)]
struct AskError;

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, AskError> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Result<String, AskError> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
