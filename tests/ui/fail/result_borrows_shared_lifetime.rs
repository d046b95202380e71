use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask<'a>(prompt: &'a str, api_key: &'a str) -> Result<&'a str, Error> {
    println!("{prompt}");
    Ok(api_key)
}

async fn caller() -> Result<String, Error> {
    ask("hello").await.map(str::to_owned)
}

fn main() {
    let _ = caller();
}
