use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Agent {
    provider: Option<String>,
}

impl Agent {
    #[requires_api_key(provider = self.provider)]
    async fn ask(&self, prompt: &str, api_key: ApiKey) -> Result<String, Error> {
        Ok(format!("{prompt} {}", api_key.expose()))
    }
}

fn main() {
    let _ = Agent { provider: None }.ask("hello");
}
