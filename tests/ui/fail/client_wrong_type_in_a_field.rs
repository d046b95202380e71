use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Agent {
    identity: String,
}

impl Agent {
    #[requires_api_key(provider = "openai", client = self.identity)]
    async fn ask(&self, prompt: &str, api_key: ApiKey) -> Result<String, Error> {
        Ok(format!("{prompt} {}", api_key.expose()))
    }
}

fn main() {
    let _ = Agent { identity: String::new() }.ask("hello");
}
