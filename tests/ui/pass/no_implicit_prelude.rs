//! The expansion needs nothing from the prelude.

#![no_implicit_prelude]

use ::agentcore_identity::{ApiKey, Error, requires_api_key};
use ::std::convert::From;
use ::std::result::Result::{self, Ok};
use ::std::string::String;

#[requires_api_key(provider = "openai")]
async fn ask(api_key: ApiKey) -> Result<String, Error> {
    Ok(String::from(api_key.expose()))
}

#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
async fn insist(prompt: String, api_key: ApiKey) -> Result<String, Error> {
    ::std::mem::drop(api_key);
    Ok(prompt)
}

fn main() {
    ::std::mem::drop((ask(), insist(String::new())));
}
