use agentcore_identity::{Error, requires_access_token};

#[tracing::instrument]
#[requires_access_token(provider = "github", auth_flow = "M2M")]
async fn ask(prompt: &str, access_token: &str) -> Result<String, Error> {
    Ok(format!("{prompt} {access_token}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
