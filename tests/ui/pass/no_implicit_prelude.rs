//! The expansion needs nothing from the prelude.

#![no_implicit_prelude]

use ::agentcore_identity::{AccessToken, ApiKey, Error, requires_access_token, requires_api_key};
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

#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
#[requires_access_token(provider = "github", scopes = [&prompt], auth_flow = prompt, on_auth_url = |_| ())]
async fn both(prompt: String, api_key: ApiKey, access_token: AccessToken) -> Result<String, Error> {
    ::std::mem::drop((api_key, access_token));
    Ok(prompt)
}

fn main() {
    ::std::mem::drop((ask(), insist(String::new()), both(String::new())));
}
