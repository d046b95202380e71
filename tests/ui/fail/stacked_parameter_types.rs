use agentcore_identity::{Error, requires_access_token, requires_api_key};

#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = "github", auth_flow = "M2M")]
async fn ask(prompt: &str, api_key: u8, access_token: u16) -> Result<String, Error> {
    Ok(format!("{prompt} {api_key} {access_token}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
