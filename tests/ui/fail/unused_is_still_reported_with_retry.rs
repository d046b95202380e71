#![deny(warnings)]

use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn ask(prompt: &str, mut model: String, api_key: ApiKey) -> Result<String, Error> {
    String::from("unused");
    Result::<(), Error>::Ok(());
    Ok(model)
}

async fn caller() -> Result<String, Error> {
    ask("hello", String::new()).await
}

fn main() {
    let _ = caller();
}
