use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Agent;

#[requires_api_key(provider = "openai")]
impl Agent {
    async fn ask(&self, api_key: ApiKey) -> Result<String, Error> {
        Ok(api_key.expose().to_owned())
    }
}

fn main() {
    let _ = Agent;
}
