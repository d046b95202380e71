use agentcore_identity::{ApiKey, Error, requires_api_key};

macro_rules! annotated {
    ($name:literal) => {
        #[requires_api_key(provider = $name)]
        async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, Error> {
            Ok(format!("{prompt} {}", api_key.expose()))
        }
    };
}

annotated!("open/ai");

async fn caller() -> Result<String, Error> {
    ask("hello").await
}

fn main() {
    let _ = caller();
}
