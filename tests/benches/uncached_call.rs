//! A call that goes to the service against the bare AWS SDK call that it makes: with no cache, and as a miss of the
//! default one, which also shares its answer and keeps it.

use std::hint::black_box;

use agentcore_identity::{CachePolicy, IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_tests::bench::{Ratio, report};
use agentcore_identity_tests::{WORKLOAD, local, sdk_config};

#[requires_api_key(provider = "openai")]
async fn annotated(api_key: String) -> Result<usize, agentcore_identity::Error> {
    Ok(api_key.len())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let local = local().await;
        let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
        let config = sdk_config(&local);
        let client = IdentityClient::builder().sdk_config(&config).cache_policy(CachePolicy::disabled()).build();
        let context = RequestContext::builder().workload_token(token.as_str()).client(client).build();
        let sdk = aws_sdk_bedrockagentcore::Client::new(&config);

        let ratio = context
            .scope(Ratio::measure(
                100,
                async || {
                    black_box(annotated().await.unwrap());
                },
                async || {
                    let request = sdk.get_resource_api_key().resource_credential_provider_name("openai");
                    black_box(request.workload_identity_token(&token).send().await.unwrap());
                },
            ))
            .await;
        report("uncached call of an annotated function / the AWS SDK call in it", &ratio, 1.05);

        // Callers that have not called before, so that each call misses; and for the bare call as many tokens, since what a
        // processor has at hand is part of the time.
        let client = IdentityClient::new(&config);
        let (mut callers, mut tokens) = (Vec::new(), Vec::new());
        for _ in 0..101 * 100 {
            tokens.push(local.issue_workload_token(WORKLOAD, None).await.unwrap());
            let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
            callers.push(RequestContext::builder().workload_token(token).client(client.clone()).build());
        }
        let (mut callers, mut tokens) = (callers.into_iter(), tokens.into_iter());
        let ratio = Ratio::measure(
            100,
            async || {
                black_box(callers.next().unwrap().scope(annotated()).await.unwrap());
            },
            async || {
                let request = sdk.get_resource_api_key().resource_credential_provider_name("openai");
                black_box(request.workload_identity_token(tokens.next().unwrap()).send().await.unwrap());
            },
        )
        .await;
        report("cache miss of an annotated function / the AWS SDK call in it", &ratio, 1.05);
    });
}
