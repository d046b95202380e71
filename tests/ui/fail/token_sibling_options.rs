use agentcore_identity::{AccessToken, Error, requires_access_token};

#[requires_access_token(provider = "github", auth_flow = "USER_FEDERATION", audience = ["https://a.example"], duration_seconds = 300)]
async fn ask(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
