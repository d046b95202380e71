use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai", into = openai_kay)]
async fn ask(prompt: &str, openai_key: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {openai_key}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
