//! What a cached credential takes on the heap: what dropping a client with ten thousand of them gives back.

use agentcore_identity::{IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_tests::{WORKLOAD, local, sdk_config};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const CREDENTIALS: usize = 10_000;

#[requires_api_key(provider = "openai", client = client)]
async fn annotated(client: &IdentityClient, api_key: String) -> Result<usize, agentcore_identity::Error> {
    Ok(api_key.len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let local = local().await;
    let config = sdk_config(&local);

    let used_by_client = async |callers: usize| {
        let client = IdentityClient::new(&config);
        for _ in 0..callers {
            // A caller of its own, whose workload token is not cached: only API keys are counted.
            let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
            RequestContext::builder().workload_token(token).build().scope(annotated(&client)).await.unwrap();
        }
        let with_client = dhat::HeapStats::get().curr_bytes;
        drop(client);
        with_client - dhat::HeapStats::get().curr_bytes
    };
    let one = used_by_client(1).await;
    let many = used_by_client(CREDENTIALS).await;
    let each = (many - one) / (CREDENTIALS - 1);
    println!("heap for each of {CREDENTIALS} cached API keys: {each} bytes (a client with one: {one} bytes)");
}
