use agentcore_identity::{ApiKey, Error, requires_api_key};

fn is_rejected(_: &Error) -> bool {
    true
}

struct Agent;

impl Agent {
    #[requires_api_key(provider = "openai", retry_if = is_rejected)]
    async fn ask(self, prompt: &str, api_key: ApiKey) -> Result<String, Error> {
        drop(self);
        Ok(format!("{prompt} {}", api_key.expose()))
    }
}

fn main() {
    let _ = Agent.ask("hello");
}
