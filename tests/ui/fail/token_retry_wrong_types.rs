//! Each error is there once, though a renewal makes the request anew.

use agentcore_identity::{AccessToken, Error, requires_access_token};

fn is_rejected(_: &Error) -> bool {
    true
}

#[requires_access_token(provider = "github", auth_flow = "USER_FEDERATION", scopes = prompt, on_auth_url = prompt, retry_if = is_rejected)]
async fn ask(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
