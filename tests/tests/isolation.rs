//! Many callers share one client, and no call ever receives a credential that is not its caller's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use agentcore_identity::{CachePolicy, Error, IdentityClient, RequestContext, UserIdentifier, requires_api_key};
use agentcore_identity_local::{EndUser, Fault, LocalIdentity, Operation};
use agentcore_identity_tests::{jwt, sdk_config, user_id};
use proptest::prelude::*;
use tokio::task::JoinSet;

const WORKLOADS: [&str; 3] = ["agent-one", "agent-two", "agent-gone"];
const PROVIDERS: [&str; 3] = ["openai", "search", "weather"];

/// Who calls. Those of `agent-gone`, which does not exist, and those whose JWT is over may not receive anything,
/// whatever the client has cached for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Caller {
    workload: usize,
    user: User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum User {
    Nobody,
    Id(u8),
    Jwt(u8),
    EndedJwt(u8),
    /// Known by a workload token that was handed in, as on AgentCore Runtime.
    Runtime(u8),
    EndedRuntime(u8),
}

#[derive(Clone, Debug)]
enum Step {
    /// Calls made at once, each by a caller for a provider, while the keys of some providers are rotated.
    Calls {
        calls: Vec<(Caller, usize)>,
        rotations: Vec<usize>,
    },
    Fault(Operation, u8),
}

impl Caller {
    fn is_entitled(self) -> bool {
        WORKLOADS[self.workload] != "agent-gone" && !matches!(self.user, User::EndedJwt(_) | User::EndedRuntime(_))
    }

    fn context(self, tokens: &Tokens) -> RequestContext {
        let builder = RequestContext::builder().workload_name(WORKLOADS[self.workload]);
        match self.user {
            User::Nobody => builder,
            User::Id(n) => builder.user(user_id(&format!("user-{n}"))),
            User::Jwt(n) => builder.user(UserIdentifier::UserToken(tokens.valid[usize::from(n)].as_str().into())),
            User::EndedJwt(n) => builder.user(UserIdentifier::UserToken(tokens.ended[usize::from(n)].as_str().into())),
            User::Runtime(n) => builder.workload_token(tokens.runtime[self.workload][usize::from(n)].as_str()),
            User::EndedRuntime(n) => {
                builder.workload_token(tokens.ended_runtime[self.workload][usize::from(n)].as_str())
            }
        }
        .build()
    }

    /// As the local service's log shows a user.
    fn user_label(self) -> Option<String> {
        match self.user {
            User::Nobody => None,
            User::Id(n) => Some(format!("user-{n}")),
            User::Jwt(n) | User::EndedJwt(n) => Some(format!("signed-in-{n}")),
            User::Runtime(n) | User::EndedRuntime(n) => Some(format!("of-runtime-{n}")),
        }
    }
}

/// JWTs of the same users, and workload tokens of each workload for others; some are over.
struct Tokens {
    valid: Vec<String>,
    ended: Vec<String>,
    runtime: Vec<Vec<String>>,
    ended_runtime: Vec<Vec<String>>,
}

impl Tokens {
    async fn new(local: &LocalIdentity) -> Self {
        let valid = (0..3).map(|n| jwt(&format!("signed-in-{n}"), Duration::from_hours(9))).collect();
        let ended = (0..3).map(|n| jwt(&format!("signed-in-{n}"), Duration::from_mins(1))).collect();
        local.add_workload_identity("agent-gone").await.unwrap();
        let ended_runtime = Self::of_runtime(local).await;
        local.advance_clock(Duration::from_hours(1));
        let runtime = Self::of_runtime(local).await;
        local.remove_workload_identity("agent-gone").await.unwrap();
        Self { valid, ended, runtime, ended_runtime }
    }

    async fn of_runtime(local: &LocalIdentity) -> Vec<Vec<String>> {
        let mut tokens = Vec::new();
        for workload in WORKLOADS {
            let mut of_workload = Vec::new();
            for n in 0..3 {
                let user = EndUser::Id(format!("of-runtime-{n}"));
                of_workload.push(local.issue_workload_token(workload, Some(user)).await.unwrap());
            }
            tokens.push(of_workload);
        }
        tokens
    }
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

fn caller() -> impl Strategy<Value = Caller> {
    let user = prop_oneof![
        Just(User::Nobody),
        (0..3_u8).prop_map(User::Id),
        (0..3_u8).prop_map(User::Jwt),
        (0..3_u8).prop_map(User::EndedJwt),
        (0..3_u8).prop_map(User::Runtime),
        (0..3_u8).prop_map(User::EndedRuntime),
    ];
    (0..WORKLOADS.len(), user).prop_map(|(workload, user)| Caller { workload, user })
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
        1 => (operation, 0..5_u8).prop_map(|(operation, kind)| Step::Fault(operation, kind)),
    ]
}

fn fault(kind: u8) -> Fault {
    match kind {
        0 => Fault::Throttle,
        1 => Fault::InternalError,
        2 => Fault::DropConnection,
        3 => Fault::RejectToken,
        _ => Fault::AccessDenied,
    }
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

    for step in steps {
        match step {
            Step::Fault(operation, kind) => local.fail_next(operation, 2, fault(kind)),
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
                    let (Ok(key) | Err(Failure::Refused(key))) = answer else { continue };
                    assert!(caller.is_entitled(), "{caller:?} received {key}");
                    assert!(keys[provider].contains(&key), "{caller:?} received {key} for {}", PROVIDERS[provider]);
                    received.insert((caller, provider));
                }
            }
        }
    }

    // Whoever received a key has been answered by the service in their own name, and not only from another's entry.
    let answered: HashSet<_> = local
        .calls()
        .into_iter()
        .filter(|call| call.operation == Operation::GetResourceApiKey && call.status == 200)
        .map(|call| (call.workload, call.user, call.provider))
        .collect();
    for (caller, provider) in received {
        let own =
            (Some(WORKLOADS[caller.workload].to_owned()), caller.user_label(), Some(PROVIDERS[provider].to_owned()));
        assert!(answered.contains(&own), "{own:?} is not in {answered:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_call_receives_anothers_credential(steps in proptest::collection::vec(step(), 1..12), policy in 0..3_u8) {
        let policy = match policy {
            0 => CachePolicy::default(),
            // So small that entries come and go all the time.
            1 => CachePolicy::default().max_entries(4),
            _ => CachePolicy::disabled(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(steps, policy));
    }
}
