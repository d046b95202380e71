use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask() -> Result<String, Error> {
    Ok(String::new())
}

async fn caller() -> Result<String, Error> {
    ask().await
}

fn main() {
    let _ = caller();
}
