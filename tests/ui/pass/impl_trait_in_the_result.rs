//! `impl Trait` wherever the type of a result may have it.

use std::fmt::Display;

use agentcore_identity::{Error, requires_api_key};

#[requires_api_key(provider = "openai")]
async fn once(api_key: String) -> Result<Box<dyn Iterator<Item = impl Display>>, Error> {
    Ok(Box::new(std::iter::once(api_key)))
}

#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
async fn twice(api_key: String) -> Result<(Box<dyn Iterator<Item = impl Display>>, Option<impl Display>), Error> {
    Ok((Box::new(std::iter::once(api_key)), Some(1)))
}

fn main() {
    drop((once(), twice()));
}
