use agentcore_identity::{Error, requires_access_token};

#[requires_access_token(provider = "github", auth_flow = "USER_FEDERATION", )]
async fn ask(prompt: &str, access_token: Vec<u8>) -> Result<String, Error> {
    Ok(format!("{prompt} {access_token:?}"))
}

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
