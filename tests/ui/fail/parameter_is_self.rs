use agentcore_identity::{Error, requires_api_key};

struct Agent;

impl Agent {
    #[requires_api_key(provider = "openai", into = self)]
    async fn ask(&self, prompt: &str) -> Result<String, Error> {
        Ok(prompt.to_owned())
    }
}

fn main() {
    let _ = Agent.ask("hello");
}
