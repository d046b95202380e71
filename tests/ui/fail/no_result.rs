use agentcore_identity::{ApiKey, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: ApiKey) {
    println!("{prompt} {api_key:?}");
}

async fn caller() {
    ask("hello").await;
}

fn main() {
    let _ = caller();
}
