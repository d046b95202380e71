//! What the body's last expression borrows from the credential may be dropped after the body's own variables.

use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Request<'k>(&'k ApiKey);

impl Request<'_> {
    fn send(&self) -> usize {
        self.0.expose().len()
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {}
}

#[requires_api_key(provider = "openai")]
async fn ask(api_key: ApiKey) -> Result<usize, Error> {
    Ok(Request(&api_key).send())
}

#[requires_api_key(provider = "openai", retry_if = |_| true)]
async fn insist(api_key: &ApiKey) -> Result<usize, Error> {
    Ok(Request(api_key).send())
}

fn main() {
    drop((ask(), insist()));
}
