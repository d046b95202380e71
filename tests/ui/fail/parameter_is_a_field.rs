use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Settings {
    api_key: ApiKey,
}

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, Settings { api_key, .. }: Settings) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
