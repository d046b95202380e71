use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai")]
fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{prompt} {}", api_key.expose()))
}

fn main() {
    let _ = ask("hello");
}
