use agentcore_identity::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai")]
#[requires_api_key(provider = "search")]
async fn ask(openai: ApiKey, search: ApiKey) -> Result<String, Error> {
    Ok(format!("{} {}", openai.expose(), search.expose()))
}

async fn caller() -> Result<String, Error> {
    ask().await
}

fn main() {
    let _ = caller();
}
