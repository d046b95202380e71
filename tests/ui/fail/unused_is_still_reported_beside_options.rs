//! An option's field is no use of the parameter of its name.

#![deny(unused_variables)]

use agentcore_identity::{ApiKey, Error, requires_api_key};

struct Page {
    limit: String,
}

#[requires_api_key(provider = page.limit, retry_if = |_| true)]
async fn ask(page: &Page, limit: u8, api_key: ApiKey) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

fn main() {
    drop(ask(&Page { limit: String::new() }, 1));
}
