use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai", into = self)]
async fn ask(prompt: &str) -> Result<String, Error> {
    Ok(prompt.to_owned())
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
