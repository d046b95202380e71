use agentcore_identity::requires_api_key;

#[requires_api_key(provider = "openai")]
pub struct Agent;

fn main() {
    let _ = Agent;
}
