//! A cached call of an annotated function against a bare lookup in the same cache library.

use std::hint::black_box;

use agentcore_identity::{ApiKey, RequestContext, requires_api_key};
use agentcore_identity_tests::bench::{Ratio, report};
use agentcore_identity_tests::{WORKLOAD, client, local, user_id};
use moka::sync::Cache;

#[requires_api_key(provider = "openai")]
async fn annotated(api_key: &ApiKey) -> Result<usize, agentcore_identity::Error> {
    Ok(black_box(api_key).expose().len())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let local = local().await;
        let context =
            RequestContext::builder().workload_name(WORKLOAD).user(user_id("ada")).client(client(&local)).build();
        let bare: Cache<String, ApiKey> = Cache::new(10_000);
        bare.insert("openai".to_owned(), ApiKey::new("sk-local"));

        let ratio = context
            .scope(Ratio::measure(
                10_000,
                async || {
                    black_box(annotated().await.unwrap());
                },
                async || {
                    black_box(bare.get(black_box("openai")).unwrap().expose().len());
                },
            ))
            .await;
        report("cached call of an annotated function / bare lookup in moka", &ratio, 1.5);
    });
}
