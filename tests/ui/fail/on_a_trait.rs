use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
trait Ask {
    async fn ask(&self) -> Result<(), Error>;
}

fn main() {}
