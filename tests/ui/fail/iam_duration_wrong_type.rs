use agentcore_identity::{AccessToken, Error, requires_iam_access_token};

#[requires_iam_access_token(audience = "https://a.example", duration_seconds = std::time::Duration::from_secs(300))]
async fn ask(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
