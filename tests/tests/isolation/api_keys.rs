//! API keys, while they are rotated.

use std::collections::HashSet;
use std::sync::Arc;

use agentcore_identity::{CachePolicy, Error, IdentityClient, requires_api_key};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::sdk_config;
use proptest::prelude::*;
use tokio::task::JoinSet;

use crate::callers::{Caller, Tokens, WORKLOADS, assert_answered_in_their_own_name, caller};
use crate::{faults, policies};

const PROVIDERS: [&str; 3] = ["openai", "search", "weather"];

#[derive(Clone, Debug)]
enum Step {
    /// Calls made at once, each by a caller for a provider, while the keys of some providers are rotated.
    Calls {
        calls: Vec<(Caller, usize)>,
        rotations: Vec<usize>,
    },
    Fault(Operation, Fault),
}

enum Failure {
    Identity,
    Refused(String),
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Identity
    }
}

/// Takes `current` or a later key, and has others renewed.
#[requires_api_key(
    provider = provider,
    client = client,
    retry_if = |failure: &Failure| matches!(failure, Failure::Refused(_)),
)]
async fn fetch(client: &IdentityClient, provider: &str, current: usize, api_key: String) -> Result<String, Failure> {
    let generation = api_key.rsplit('-').next().and_then(|generation| generation.parse::<usize>().ok());
    if generation >= Some(current) { Ok(api_key) } else { Err(Failure::Refused(api_key)) }
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop_oneof![
        Just(Operation::GetResourceApiKey),
        Just(Operation::GetWorkloadAccessToken),
        Just(Operation::GetWorkloadAccessTokenForUserId),
        Just(Operation::GetWorkloadAccessTokenForJWT),
    ];
    prop_oneof![
        4 => (
            proptest::collection::vec((caller(), 0..PROVIDERS.len()), 1..20),
            proptest::collection::vec(0..PROVIDERS.len(), 0..3),
        ).prop_map(|(calls, rotations)| Step::Calls { calls, rotations }),
        1 => (operation, faults()).prop_map(|(operation, fault)| Step::Fault(operation, fault)),
    ]
}

async fn run(steps: Vec<Step>, policy: CachePolicy) {
    let mut builder = LocalIdentity::builder().workload_identity(WORKLOADS[0]).workload_identity(WORKLOADS[1]);
    // Each provider's keys are told apart from all others, over all rotations.
    let mut keys: Vec<Vec<String>> = PROVIDERS.iter().map(|provider| vec![format!("{provider}-key-0")]).collect();
    for (provider, keys) in PROVIDERS.iter().zip(&keys) {
        builder = builder.api_key(*provider, keys[0].as_str());
    }
    let local = builder.start().await.unwrap();
    let client = IdentityClient::builder().sdk_config(&sdk_config(&local)).cache_policy(policy).build();
    let tokens = Tokens::new(&local).await;
    let local = Arc::new(local);
    let mut received: HashSet<(Caller, usize)> = HashSet::new();
    // Where nothing is out of order, whoever may have a key gets one.
    let mut disturbed = false;

    for step in steps {
        match step {
            Step::Fault(operation, fault) => {
                local.fail_next(operation, 2, fault);
                disturbed = true;
            }
            Step::Calls { calls, rotations } => {
                let mut tasks = JoinSet::new();
                for (caller, provider) in calls {
                    let (client, context) = (client.clone(), caller.context(&tokens));
                    let current = keys[provider].len() - 1;
                    tasks.spawn(async move {
                        let answer = context.scope(fetch(&client, PROVIDERS[provider], current)).await;
                        Some((caller, provider, answer))
                    });
                }
                for provider in rotations {
                    let key = format!("{}-key-{}", PROVIDERS[provider], keys[provider].len());
                    keys[provider].push(key.clone());
                    let local = local.clone();
                    tasks.spawn(async move {
                        local.set_api_key(PROVIDERS[provider], &key).await.unwrap();
                        None
                    });
                }
                for (caller, provider, answer) in tasks.join_all().await.into_iter().flatten() {
                    let (Ok(key) | Err(Failure::Refused(key))) = answer else {
                        assert!(
                            disturbed || !caller.is_entitled(),
                            "{caller:?} received nothing for {}",
                            PROVIDERS[provider]
                        );
                        continue;
                    };
                    assert!(caller.is_entitled(), "{caller:?} received {key}");
                    assert!(keys[provider].contains(&key), "{caller:?} received {key} for {}", PROVIDERS[provider]);
                    received.insert((caller, provider));
                }
                local.clear_faults();
                disturbed = false;
            }
        }
    }

    let received = received.into_iter().map(|(caller, provider)| (caller, PROVIDERS[provider]));
    assert_answered_in_their_own_name(&local, Operation::GetResourceApiKey, received);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_call_receives_anothers_key(steps in proptest::collection::vec(step(), 1..12), policy in policies()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(steps, policy));
    }
}
