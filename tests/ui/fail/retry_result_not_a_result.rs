use agentcore_identity::{ApiKey, requires_api_key};

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn ask(prompt: &str, api_key: ApiKey) -> Option<String> {
    Some(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Option<String> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
