use agentcore_identity::{ApiKey, Error, requires_api_key};

fn is_rejected(_: &Error) -> bool {
    true
}

#[requires_api_key(provider = "openai", retry_if = is_rejected)]
async fn ask(prompt: impl Fn() -> String, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{} {}", prompt(), api_key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask(String::new).await
}

fn main() {
    let _ = caller();
}
