use agentcore_identity::{requires_api_key};

struct Agent(*const u8);

#[requires_api_key(provider = "openai")]
unsafe impl Send for Agent {}

fn main() {}
