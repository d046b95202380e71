//! The body of an `unsafe` function stays what it was.

#![deny(warnings)]

use agentcore_identity::{ApiKey, Error, requires_api_key};

/// # Safety
///
/// `length` can be read.
#[requires_api_key(provider = "openai")]
async unsafe fn ask(length: *const usize, api_key: ApiKey) -> Result<bool, Error> {
    Ok(api_key.expose().len() == unsafe { *length })
}

/// # Safety
///
/// `length` can be read.
#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
async unsafe fn insist(length: *const usize, api_key: ApiKey) -> Result<bool, Error> {
    Ok(api_key.expose().len() == unsafe { *length })
}

fn main() {
    let length = 1;
    drop(unsafe { (ask(&raw const length), insist(&raw const length)) });
}
