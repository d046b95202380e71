use agentcore_identity::{Error, requires_api_key};

type Owned = String;
type Key<'k> = &'k str;

#[tracing::instrument]
#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: Owned) -> Result<String, Error> {
    Ok(format!("{prompt} {api_key}"))
}

#[tracing::instrument(fields(%key))]
#[requires_api_key(provider = "openai", into = key)]
async fn ask_again(prompt: &str, key: Key<'_>) -> Result<String, Error> {
    Ok(format!("{prompt} {key}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await?;
    ask_again("hello").await
}

fn main() {
    let _ = caller();
}
