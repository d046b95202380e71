use agentcore_identity::{Error, requires_api_key};

#[tracing::instrument(skip_all, fields(key_len = api_key.len()))]
#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {api_key}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
