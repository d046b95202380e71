use agentcore_identity::{AccessToken, Error, requires_iam_access_token};

#[requires_iam_access_token]
async fn ask(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
