use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: String, api_key: &str) -> Result<&str, Error> {
    println!("{prompt}");
    Ok(api_key)
}

async fn caller() -> Result<String, Error> {
    ask("hello".to_owned()).await.map(str::to_owned)
}

fn main() {
    let _ = caller();
}
