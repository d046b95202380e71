use agentcore_identity::{ApiKey, Error, requires_api_key};

trait Ask {
    #[requires_api_key(provider = "openai")]
    async fn ask(&self, prompt: &str, api_key: ApiKey) -> Result<String, Error>;
}

struct Agent;

impl Ask for Agent {
    #[requires_api_key(provider = "openai")]
    async fn ask(&self, prompt: &str, api_key: ApiKey) -> Result<String, Error> {
        Ok(format!("{prompt} {}", api_key.expose()))
    }
}

fn main() {
    let _ = Agent.ask("hello");
}
