//! Access tokens of every flow, while they are revoked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use agentcore_identity::{
    AccessToken, AuthFlow, CachePolicy, Error, IdentityClient, PendingAuthorization, PendingToken, TokenPoller,
    UserIdentifier, requires_access_token,
};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::api::Api;
use agentcore_identity_tests::stage::CALLBACK;
use agentcore_identity_tests::{claims, sdk_config};
use proptest::prelude::*;
use tokio::task::JoinSet;

use crate::callers::{Caller, Tokens, User, WORKLOADS, assert_answered_in_their_own_name, caller};
use crate::{faults, policies};

const PROVIDERS: [&str; 3] = ["github", "calendar", "mail"];
const SCOPES: [&str; 2] = ["read", "write"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    provider: usize,
    scope: usize,
    flow: AuthFlow,
}

#[derive(Clone, Debug)]
enum Step {
    /// Calls made at once, while the tokens of some providers are revoked.
    Calls {
        calls: Vec<(Caller, Wanted)>,
        revocations: Vec<usize>,
    },
    Fault(Operation, Fault),
}

/// Whom a token may be given to: the agent's own to all calls of its workload, a user's to those of that user alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owner {
    workload: usize,
    user: Option<String>,
    wanted: Wanted,
}

impl Owner {
    fn of(caller: Caller, wanted: Wanted) -> Option<Self> {
        let may = match wanted.flow {
            AuthFlow::OnBehalfOfTokenExchange => matches!(caller.user, User::Jwt(_)),
            AuthFlow::UserFederation => caller.user != User::Nobody,
            _ => true,
        };
        let user = if wanted.flow == AuthFlow::M2m { None } else { caller.user_label() };
        (may && caller.is_entitled()).then_some(Self { workload: caller.workload, user, wanted })
    }
}

/// A user who consents to everything, and an application that confirms it.
struct Person {
    local: Arc<LocalIdentity>,
    client: IdentityClient,
    name: String,
    identifier: Option<UserIdentifier>,
}

impl Person {
    async fn consent(
        &self,
        authorization: PendingAuthorization,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.local.consent(authorization.url(), &self.name).await?;
        let identifier = self.identifier.clone().ok_or("nobody is asked for consent")?;
        Ok(self.client.complete_authorization(authorization.session_uri(), identifier).await?)
    }
}

/// Waits for nothing: the handler is done when the user has consented.
struct AtOnce;

impl TokenPoller for AtOnce {
    async fn poll_for_token(&self, _: &PendingAuthorization, token: &PendingToken) -> Result<AccessToken, Error> {
        loop {
            if let Some(token) = token.ask().await? {
                return Ok(token);
            }
            tokio::task::yield_now().await;
        }
    }
}

enum Failure {
    Identity,
    Revoked(String),
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Identity
    }
}

#[requires_access_token(
    provider = PROVIDERS[wanted.provider],
    scopes = [SCOPES[wanted.scope]],
    auth_flow = wanted.flow,
    callback_url = CALLBACK,
    on_auth_url = |authorization| person.consent(authorization),
    token_poller = AtOnce,
    client = person.client,
    retry_if = |failure: &Failure| matches!(failure, Failure::Revoked(_)),
)]
async fn fetch(person: &Person, api: &Api, wanted: Wanted, access_token: String) -> Result<String, Failure> {
    match api.user(&access_token).await {
        Some(_) => Ok(access_token),
        None => Err(Failure::Revoked(access_token)),
    }
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (0..PROVIDERS.len(), 0..SCOPES.len(), proptest::sample::select(AuthFlow::ALL.to_vec()))
        .prop_map(|(provider, scope, flow)| Wanted { provider, scope, flow })
}

fn step() -> impl Strategy<Value = Step> {
    let operation = proptest::sample::select(vec![
        Operation::GetResourceOauth2Token,
        Operation::CompleteResourceTokenAuth,
        Operation::GetWorkloadAccessToken,
        Operation::GetWorkloadAccessTokenForUserId,
        Operation::GetWorkloadAccessTokenForJWT,
    ]);
    prop_oneof![
        4 => (
            proptest::collection::vec((caller(), wanted()), 1..12),
            proptest::collection::vec(0..PROVIDERS.len(), 0..2),
        ).prop_map(|(calls, revocations)| Step::Calls { calls, revocations }),
        1 => (operation, faults()).prop_map(|(operation, fault)| Step::Fault(operation, fault)),
    ]
}

/// The client id that each provider has at the identity provider.
async fn client_ids(client: &IdentityClient) -> Vec<String> {
    let agent = agentcore_identity::RequestContext::builder().workload_name(WORKLOADS[0]).build();
    let mut ids = Vec::new();
    for provider in PROVIDERS {
        let request = client.access_token(provider).auth_flow(AuthFlow::M2m);
        let token = agent.scope(request.into_future()).await.unwrap();
        ids.push(claims(token.expose())["client_id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Returns who received what.
async fn run(steps: Vec<Step>, policy: CachePolicy) -> HashSet<Owner> {
    let mut builder = LocalIdentity::builder();
    for workload in &WORKLOADS[..2] {
        builder = builder.workload_identity(*workload).return_url(*workload, CALLBACK);
    }
    for provider in PROVIDERS {
        builder = builder.oauth2_provider(provider);
    }
    let local = Arc::new(builder.start().await.unwrap());
    let client = IdentityClient::builder().sdk_config(&sdk_config(&local)).cache_policy(policy).build();
    let client_ids = client_ids(&IdentityClient::new(&sdk_config(&local))).await;
    let tokens = Arc::new(Tokens::new(&local).await);
    let api = Api::of(&local);
    let mut owners: HashMap<String, Owner> = HashMap::new();
    let mut received: HashSet<(Caller, usize)> = HashSet::new();
    // Where nothing is out of order, whoever may have a token gets one.
    let mut disturbed = false;

    for step in steps {
        match step {
            Step::Fault(operation, fault) => {
                local.fail_next(operation, 2, fault);
                disturbed = true;
            }
            Step::Calls { calls, revocations } => {
                let mut tasks = JoinSet::new();
                for (caller, wanted) in calls {
                    let person = Person {
                        local: Arc::clone(&local),
                        client: client.clone(),
                        name: caller.user_label().unwrap_or_default(),
                        identifier: caller.identifier(&tokens),
                    };
                    let (context, api) = (caller.context(&tokens), api.clone());
                    tasks.spawn(
                        async move { Some((caller, wanted, context.scope(fetch(&person, &api, wanted)).await)) },
                    );
                }
                for provider in revocations {
                    let local = Arc::clone(&local);
                    tasks.spawn(async move {
                        local.revoke_tokens(PROVIDERS[provider]).await.unwrap();
                        None
                    });
                }
                for (caller, wanted, answer) in tasks.join_all().await.into_iter().flatten() {
                    let owner = Owner::of(caller, wanted);
                    let (Ok(token) | Err(Failure::Revoked(token))) = answer else {
                        assert!(disturbed || owner.is_none(), "{caller:?} received nothing for {wanted:?}");
                        continue;
                    };
                    let said = claims(&token);
                    let owner = owner.unwrap_or_else(|| panic!("{caller:?} received {said} for {wanted:?}"));
                    let client_id = client_ids[wanted.provider].as_str();
                    let subject = owner.user.as_deref().unwrap_or(client_id);
                    assert_eq!(
                        [said["sub"].as_str(), said["client_id"].as_str(), said["scope"].as_str()],
                        [Some(subject), Some(client_id), Some(SCOPES[wanted.scope])],
                        "{caller:?} for {wanted:?}"
                    );
                    // What a token does not say of itself: the workload that it is for, and how it was come by.
                    let first = owners.entry(token).or_insert_with(|| owner.clone());
                    assert_eq!(*first, owner, "one token for two");
                    received.insert((caller, wanted.provider));
                }
                local.clear_faults();
                disturbed = false;
            }
        }
    }

    let received = received.into_iter().map(|(caller, provider)| (caller, PROVIDERS[provider]));
    assert_answered_in_their_own_name(&local, Operation::GetResourceOauth2Token, received);
    owners.into_values().collect()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// Who is entitled to a token gets one, also after it was revoked.
#[test]
fn each_flow_brings_a_token() {
    let call = |user, flow| (Caller { workload: 0, user }, Wanted { provider: 0, scope: 0, flow });
    let calls = vec![
        call(User::Nobody, AuthFlow::M2m),
        call(User::Id(0), AuthFlow::UserFederation),
        call(User::Jwt(0), AuthFlow::UserFederation),
        call(User::Runtime(0), AuthFlow::UserFederation),
        call(User::Jwt(0), AuthFlow::OnBehalfOfTokenExchange),
    ];
    let steps = [vec![], vec![0], vec![]].map(|revocations| Step::Calls { calls: calls.clone(), revocations });
    for policy in [CachePolicy::default(), CachePolicy::disabled()] {
        assert_eq!(block_on(run(steps.to_vec(), policy)).len(), calls.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_call_receives_anothers_token(steps in proptest::collection::vec(step(), 1..8), policy in policies()) {
        block_on(run(steps, policy));
    }
}
