use agentcore_identity::{AccessToken, Error, requires_access_token};

#[requires_access_token(
    provider_name = "github",
    auth_flow = "USER_FEDERATION",
    scope = ["repo"],
    resource_oauth2_return_url = "https://agent.example/callback",
    session_id = "s-1",
    agent_identity_token = prompt,
)]
async fn ask(prompt: &str, access_token: AccessToken) -> Result<String, Error> {
    Ok(format!("{prompt} {}", access_token.expose()))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
