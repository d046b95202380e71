use agentcore_identity::{ApiKey, Error, requires_api_key};

type Mut<'a, T> = &'a mut T;

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn ask(seen: Mut<'_, Vec<u8>>, api_key: ApiKey) -> Result<String, Error> {
    seen.push(1);
    Ok(api_key.expose().to_owned())
}

async fn caller() -> Result<String, Error> {
    ask(&mut Vec::new()).await
}

fn main() {
    let _ = caller();
}
