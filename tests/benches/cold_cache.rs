//! A thousand callers at once, with nothing cached: how many requests the service gets.

use std::time::Instant;

use agentcore_identity::{WithContext as _, requires_api_key};
use agentcore_identity_local::Operation;
use agentcore_identity_tests::{agent, local};
use tokio::task::JoinSet;

#[requires_api_key(provider = "openai")]
async fn annotated(api_key: String) -> Result<usize, agentcore_identity::Error> {
    Ok(api_key.len())
}

#[tokio::main]
async fn main() {
    let local = local().await;
    let context = agent(&local);
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        callers.spawn(annotated().in_context(context.clone()));
    }
    let answers = callers.join_all().await;
    let took = start.elapsed();
    assert!(answers.iter().all(Result::is_ok));
    let requests = local.call_count(Operation::GetResourceApiKey);
    println!("1,000 callers with a cold cache: {requests} GetResourceApiKey (goal 1), {took:?} for all");
    assert_eq!(requests, 1);
}
