//! An uncached call of an annotated function against the bare AWS SDK call in it. And what the default cache adds where
//! it misses: a lookup, an insertion, and that callers who miss together share a fetch.

use std::future::pending;
use std::hint::black_box;
use std::thread;

use agentcore_identity::{ApiKey, CachePolicy, IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_local::LocalIdentity;
use agentcore_identity_tests::bench::{ROUNDS, Ratio, report};
use agentcore_identity_tests::{WORKLOAD, local, sdk_config};
use aws_sdk_bedrockagentcore::Client;
use moka::sync::Cache;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Few, since a processor may change its pace within a second.
const CALLS_A_ROUND: u32 = 20;

#[requires_api_key(provider = "openai")]
async fn annotated(api_key: ApiKey) -> Result<usize, agentcore_identity::Error> {
    Ok(black_box(&api_key).expose().len())
}

async fn by_sdk(sdk: &Client, token: &str) -> ApiKey {
    let request = sdk.get_resource_api_key().resource_credential_provider_name("openai");
    request.workload_identity_token(token).send().await.unwrap().api_key.into()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// On a thread of its own, since a service neither takes turns with its callers nor shares a processor's caches with
/// them.
async fn local_on_its_own_thread() -> LocalIdentity {
    let (sender, local_identity) = oneshot::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let _ = sender.send(local().await);
            pending::<()>().await;
        });
    });
    local_identity.await.unwrap()
}

/// As many as a measurement makes calls on either side.
async fn tokens(local: &LocalIdentity) -> std::vec::IntoIter<String> {
    let mut tokens = Vec::new();
    for _ in 0..ROUNDS * CALLS_A_ROUND {
        tokens.push(local.issue_workload_token(WORKLOAD, None).await.unwrap());
    }
    tokens.into_iter()
}

/// Calls over `client`, each of a caller that has not called before, against `other` with as many tokens.
async fn measure(local: &LocalIdentity, client: IdentityClient, mut other: impl AsyncFnMut(String)) -> Ratio {
    let context = |token| RequestContext::builder().workload_token(token).client(client.clone()).build();
    let mut callers = tokens(local).await.map(context).collect::<Vec<_>>().into_iter();
    let mut others = tokens(local).await;
    Ratio::measure(
        CALLS_A_ROUND,
        async || {
            black_box(callers.next().unwrap().scope(annotated()).await.unwrap());
        },
        async || other(others.next().unwrap()).await,
    )
    .await
}

fn main() {
    runtime().block_on(async {
        let local = local_on_its_own_thread().await;
        let config = sdk_config(&local);
        let sdk = Client::new(&config);
        let sdk_call = async |token: String| {
            black_box(by_sdk(&sdk, &token).await.expose().len());
        };

        let client = IdentityClient::builder().sdk_config(&config).cache_policy(CachePolicy::disabled()).build();
        let ratio = measure(&local, client, sdk_call).await;
        report("uncached call of an annotated function / the AWS SDK call in it", &ratio, 1.05);

        let bare: Cache<String, ApiKey> = Cache::new(10_000);
        let by_hand = async |token: String| {
            assert!(bare.get(&token).is_none());
            let key = by_sdk(&sdk, &token).await;
            black_box(key.expose().len());
            bare.insert(token, key);
        };
        let ratio = measure(&local, IdentityClient::new(&config), by_hand).await;
        println!("cache miss of an annotated function / lookup in moka, AWS SDK call, insertion: {ratio}");

        let ratio = measure(&local, IdentityClient::new(&config), sdk_call).await;
        report("cache miss of an annotated function / the AWS SDK call alone", &ratio, 1.05);
    });
}
