//! `#[requires_api_key]` above `#[tokio::main]`: there is an `async fn` for it to stand on.

use agentcore_identity::{ApiKey, Error, IdentityClient, requires_api_key};
use aws_config::SdkConfig;

fn client() -> IdentityClient {
    IdentityClient::new(&SdkConfig::builder().build())
}

#[requires_api_key(provider = "openai", client = client())]
#[tokio::main(flavor = "current_thread")]
async fn start(prompt: &str, api_key: ApiKey) -> Result<(), Error> {
    unreachable!("{prompt} {api_key:?}")
}

fn main() {
    // Nobody has said which workload this is.
    assert!(start("hello").is_err());
}
