use std::borrow::Cow;

use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn ask(prompt: &str, api_key: &str) -> Result<Cow<'static, str>, Error> {
    drop(prompt.to_owned());
    Ok(api_key.into())
}

async fn caller() -> Result<Cow<'static, str>, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
