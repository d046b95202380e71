//! A pattern in front of the credential's parameter may have a field of its name.

use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Settings {
    api_key: String,
    model: String,
}

#[requires_api_key(provider = "openai")]
async fn ask(Settings { api_key: other, model }: Settings, api_key: ApiKey) -> Result<String, Error> {
    Ok(format!("{other} {model} {}", api_key.expose()))
}

fn main() {
    drop(ask(Settings { api_key: String::new(), model: String::new() }));
}
