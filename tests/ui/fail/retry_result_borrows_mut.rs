use agentcore_identity::{ApiKey, Error, requires_api_key};

fn is_rejected(_: &Error) -> bool {
    true
}

struct Agent {
    answer: String,
}

impl Agent {
    #[requires_api_key(provider = "openai", retry_if = is_rejected)]
    async fn ask(&mut self, prompt: &str, api_key: ApiKey) -> Result<&str, Error> {
        self.answer = format!("{prompt} {}", api_key.expose());
        Ok(&self.answer)
    }
}

fn main() {
    let _ = Agent { answer: String::new() }.ask("hello");
}
