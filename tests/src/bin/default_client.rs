//! Fetches a key of each provider in its arguments with the process default client, on a Tokio runtime of its own for
//! each: a test looks on from outside, since the default client reads the environment of the process.

use agentcore_identity::requires_api_key;

#[requires_api_key(provider = provider)]
async fn key(provider: &str, api_key: String) -> Result<String, agentcore_identity::Error> {
    Ok(api_key)
}

fn main() {
    for provider in std::env::args().skip(1) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        match runtime.block_on(key(&provider)) {
            Ok(key) => println!("{key}"),
            Err(error) => println!("{error}"),
        }
    }
}
