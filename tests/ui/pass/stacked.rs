//! Attributes that are taken over are no imports for nothing, and what is between them stays.

#![deny(warnings)]

use agentcore_identity::requires_workload_token as with_workload_token;
use agentcore_identity::{AccessToken, ApiKey, Error, WorkloadToken, requires_access_token, requires_api_key};

#[requires_api_key(provider = "openai")]
#[tracing::instrument]
#[requires_access_token(provider = "github", auth_flow = "M2M")]
#[must_use]
#[agentcore_identity::requires_iam_access_token(audience = "https://a.example", into = jwt)]
#[with_workload_token]
pub async fn all(
    prompt: &str,
    api_key: ApiKey,
    access_token: AccessToken,
    jwt: &str,
    workload_token: WorkloadToken,
) -> Result<usize, Error> {
    Ok(prompt.len() + api_key.expose().len() + access_token.expose().len() + jwt.len() + workload_token.expose().len())
}

mod named_by_path {
    use agentcore_identity::{AccessToken, Error};

    pub mod vendor {
        pub use agentcore_identity::*;
    }

    #[vendor::requires_api_key(provider = "openai", crate = vendor, retry_if = |_| false)]
    #[self::vendor::requires_access_token(provider = "github", auth_flow = "M2M", crate = vendor)]
    pub async fn both(prompt: String, access_token: AccessToken, api_key: &str) -> Result<usize, Error> {
        Ok(prompt.len() + access_token.expose().len() + api_key.len())
    }
}

fn assert_send<T: Send>(_: T) {}

fn main() {
    assert_send((all("hello"), named_by_path::both(String::new())));
}
