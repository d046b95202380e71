//! The second error is that of `#[tokio::main]`, which has seen the parameter.

use agentcore_identity::{ApiKey, Error, requires_api_key};

#[tokio::main]
#[requires_api_key(provider = "openai")]
async fn main(api_key: ApiKey) -> Result<(), Error> {
    drop(api_key);
    Ok(())
}
