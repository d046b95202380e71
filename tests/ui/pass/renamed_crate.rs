//! `crate = …` says where the runtime is, for a crate that re-exports it.

mod vendor {
    pub mod credentials {
        pub use agentcore_identity::*;
    }
}

use vendor::credentials::{ApiKey, Error, requires_api_key};

#[requires_api_key(provider = "openai", crate = crate::vendor::credentials)]
async fn by_path(api_key: ApiKey) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

#[requires_api_key(provider = "openai", crate = "vendor::credentials")]
async fn by_text(api_key: ApiKey) -> Result<String, Error> {
    Ok(api_key.expose().to_owned())
}

fn main() {
    drop((by_path(), by_text()));
}
