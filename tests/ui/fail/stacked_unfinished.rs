use agentcore_identity::{AccessToken, ApiKey, Error, requires_access_token, requires_api_key};

#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = "github", auth_flow = )]
async fn ask(prompt: &str, api_key: ApiKey, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {} {}", api_key.expose(), access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
