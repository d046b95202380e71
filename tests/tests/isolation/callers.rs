//! Who calls, and with what.

use std::collections::HashSet;
use std::time::Duration;

use agentcore_identity::{RequestContext, UserIdentifier};
use agentcore_identity_local::{EndUser, LocalIdentity, Operation};
use proptest::prelude::*;

pub(crate) const WORKLOADS: [&str; 3] = ["agent-one", "agent-two", "agent-gone"];

/// Who calls. Those of `agent-gone`, which does not exist, and those whose JWT is over may not receive anything,
/// whatever the client has cached for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) workload: usize,
    pub(crate) user: User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum User {
    Nobody,
    Id(u8),
    Jwt(u8),
    EndedJwt(u8),
    /// Known by a workload token that was handed in, as on AgentCore Runtime.
    Runtime(u8),
    EndedRuntime(u8),
}

impl Caller {
    pub(crate) fn is_entitled(self) -> bool {
        WORKLOADS[self.workload] != "agent-gone" && !matches!(self.user, User::EndedJwt(_) | User::EndedRuntime(_))
    }

    pub(crate) fn context(self, tokens: &Tokens) -> RequestContext {
        let builder = RequestContext::builder().workload_name(WORKLOADS[self.workload]);
        let builder = match (self.user, self.identifier(tokens)) {
            (User::Runtime(n), _) => builder.workload_token(tokens.runtime[self.workload][usize::from(n)].as_str()),
            (User::EndedRuntime(n), _) => {
                builder.workload_token(tokens.ended_runtime[self.workload][usize::from(n)].as_str())
            }
            (_, Some(user)) => builder.user(user),
            (_, None) => builder,
        };
        builder.build()
    }

    /// What the workload token of somebody who is known was made from.
    pub(crate) fn identifier(self, tokens: &Tokens) -> Option<UserIdentifier> {
        match self.user {
            User::Jwt(n) => Some(UserIdentifier::UserToken(tokens.valid[usize::from(n)].as_str().into())),
            User::EndedJwt(n) => Some(UserIdentifier::UserToken(tokens.ended[usize::from(n)].as_str().into())),
            _ => self.user_label().map(UserIdentifier::UserId),
        }
    }

    /// As the local service's log shows a user.
    pub(crate) fn user_label(self) -> Option<String> {
        match self.user {
            User::Nobody => None,
            User::Id(n) => Some(format!("user-{n}")),
            User::Jwt(n) | User::EndedJwt(n) => Some(format!("signed-in-{n}")),
            User::Runtime(n) | User::EndedRuntime(n) => Some(format!("of-runtime-{n}")),
        }
    }
}

/// That whoever received something from a provider has been answered by the service in their own name, and not only
/// from another's entry.
pub(crate) fn assert_answered_in_their_own_name(
    local: &LocalIdentity,
    operation: Operation,
    received: impl IntoIterator<Item = (Caller, &'static str)>,
) {
    let answered: HashSet<_> = local
        .calls()
        .into_iter()
        .filter(|call| call.operation == operation && call.status == 200)
        .map(|call| (call.workload, call.user, call.provider))
        .collect();
    for (caller, provider) in received {
        let own = (Some(WORKLOADS[caller.workload].to_owned()), caller.user_label(), Some(provider.to_owned()));
        assert!(answered.contains(&own), "{own:?} is not in {answered:?}");
    }
}

/// JWTs of the same users, and workload tokens of each workload for others; some are over.
pub(crate) struct Tokens {
    valid: Vec<String>,
    ended: Vec<String>,
    runtime: Vec<Vec<String>>,
    ended_runtime: Vec<Vec<String>>,
}

impl Tokens {
    pub(crate) async fn new(local: &LocalIdentity) -> Self {
        let ended = Self::of_users(local);
        local.add_workload_identity("agent-gone").await.unwrap();
        let ended_runtime = Self::of_runtime(local).await;
        local.advance_clock(Duration::from_hours(1));
        let valid = Self::of_users(local);
        let runtime = Self::of_runtime(local).await;
        local.remove_workload_identity("agent-gone").await.unwrap();
        Self { valid, ended, runtime, ended_runtime }
    }

    /// JWTs live for an hour.
    fn of_users(local: &LocalIdentity) -> Vec<String> {
        (0..3).map(|n| local.user_jwt(&format!("signed-in-{n}")).unwrap()).collect()
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

pub(crate) fn caller() -> impl Strategy<Value = Caller> {
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
