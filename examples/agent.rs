//! An agent as one would deploy it: which service it asks, and as whom, is all in its environment.
//!
//! On a laptop, start `agentcore-identity-local serve --workload-identity my-agent --api-key openai=OPENAI_API_KEY` in
//! another terminal and paste the `export` lines that it prints. Without them, the same program asks AWS.

use std::error::Error as _;

use agentcore_identity::{ApiKey, requires_api_key};

/// Asks the LLM; here it only says which key it would ask with.
#[requires_api_key(provider = "openai")]
async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, agentcore_identity::Error> {
    let length = api_key.expose().len();
    Ok(format!("`{prompt}` would go to the LLM, with an API key of {length} characters"))
}

#[tokio::main]
async fn main() {
    match ask("hello").await {
        Ok(answer) => println!("{answer}"),
        Err(error) => {
            eprintln!("{error}");
            // The text says what to do, and what is behind it what exactly went wrong.
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            std::process::exit(1);
        }
    }
}
