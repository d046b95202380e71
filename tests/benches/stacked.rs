//! Two stacked credentials against one, from a service that takes 20 ms to answer: they are fetched at the same time.

use std::hint::black_box;
use std::time::Duration;

use agentcore_identity::{ApiKey, CachePolicy, Error, IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::bench::{Ratio, report};
use agentcore_identity_tests::{WORKLOAD, local, sdk_config};

#[requires_api_key(provider = "openai")]
async fn one(api_key: &ApiKey) -> Result<usize, Error> {
    Ok(api_key.expose().len())
}

#[requires_api_key(provider = "openai", into = openai)]
#[requires_api_key(provider = "search", into = search)]
async fn two(openai: &ApiKey, search: &ApiKey) -> Result<usize, Error> {
    Ok(openai.expose().len() + search.expose().len())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let local = local().await;
        local.set_api_key("search", "sk-search").await.unwrap();
        let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
        let policy = CachePolicy::disabled();
        let client = IdentityClient::builder().sdk_config(&sdk_config(&local)).cache_policy(policy).build();
        let context = RequestContext::builder().workload_token(token).client(client).build();
        local.fail_next(Operation::GetResourceApiKey, usize::MAX, Fault::Delay(Duration::from_millis(20)));

        let ratio = context
            .scope(Ratio::measure(
                1,
                async || {
                    black_box(two().await.unwrap());
                },
                async || {
                    black_box(one().await.unwrap());
                },
            ))
            .await;
        report("two stacked credentials / one, with a 20 ms service", &ratio, 1.15);
    });
}
