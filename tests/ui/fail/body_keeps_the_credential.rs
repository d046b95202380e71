use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: &str) -> Result<String, Error> {
    std::thread::spawn(move || drop(api_key.to_owned()));
    Ok(prompt.to_owned())
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
