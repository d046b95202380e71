//! Which workload access token a call goes with, and what stands for its caller in the cache.

use crate::ambient::{Ambient, FILE, WORKLOAD_NAME_VARIABLE};
use crate::digest::Digest;
use crate::limits;
use crate::{Error, RequestContext, UserIdentifier, WorkloadToken};

/// Who is calling, as far as it changes what the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CallerId {
    Token(Digest),
    Workload {
        name: Digest,
        user: Option<Digest>,
    },
    /// The AWS identity of this process, whoever it acts for.
    #[cfg(feature = "iam-access-token")]
    Process,
}

impl CallerId {
    /// Different for different callers, but for chance.
    pub(crate) fn fingerprint(&self) -> u64 {
        match self {
            Self::Token(token) => token.fingerprint(),
            Self::Workload { name, user } => {
                name.fingerprint() ^ user.map_or(0, |user| user.fingerprint().rotate_left(1))
            }
            #[cfg(feature = "iam-access-token")]
            Self::Process => 0,
        }
    }
}

/// The caller of one fetch, with what its workload access token comes from.
pub(crate) struct Caller<'a> {
    pub(crate) id: CallerId,
    pub(crate) origin: TokenOrigin<'a>,
}

pub(crate) enum TokenOrigin<'a> {
    /// Handed in: not ours to renew.
    Given(&'a WorkloadToken),
    /// To be fetched from the service for this workload identity.
    Fetched { name: &'a str, user: Option<&'a UserIdentifier> },
}

impl<'a> Caller<'a> {
    /// The context's own token, else its user or none with the context's workload name, else with the ambient one.
    pub(crate) fn resolve(
        context: Option<&'a RequestContext>,
        ambient: impl FnOnce() -> Result<Option<&'a Ambient>, Error>,
    ) -> Result<Self, Error> {
        if let Some((token, digest)) = context.and_then(RequestContext::workload_token) {
            return Ok(Self { id: CallerId::Token(digest), origin: TokenOrigin::Given(token) });
        }
        let user = context.and_then(RequestContext::user_digest);
        if let Some((name, name_digest)) = context.and_then(RequestContext::workload_name) {
            return Ok(Self::fetched(name, name_digest, user));
        }
        let Some(ambient) = ambient()? else {
            return Err(no_workload_token(context));
        };
        let user = user.or_else(|| ambient.user.as_ref().map(|(user, digest)| (user, *digest)));
        Ok(Self::fetched(&ambient.name, ambient.name_digest, user))
    }

    fn fetched(name: &'a str, name_digest: Digest, user: Option<(&'a UserIdentifier, Digest)>) -> Self {
        let (user, user_digest) = user.unzip();
        Self {
            id: CallerId::Workload { name: name_digest, user: user_digest },
            origin: TokenOrigin::Fetched { name, user },
        }
    }
}

impl TokenOrigin<'_> {
    /// Refuses what the service would refuse, in words that say where it came from.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Given(token) => {
                Error::unless_fits("the workload access token", limits::TOKEN.violation(token.expose()))
            }
            Self::Fetched { name, user } => {
                let shown = limits::excerpt(name);
                let what = format_args!("the workload identity name {shown:?}");
                Error::unless_fits(what, limits::WORKLOAD_NAME.violation(name))?;
                user.map_or(Ok(()), UserIdentifier::validate)
            }
        }
    }
}

fn no_workload_token(context: Option<&RequestContext>) -> Error {
    let found = match context {
        None => {
            "this task runs in no RequestContext (one started with tokio::spawn has none: agentcore_identity::spawn \
             carries it along)"
        }
        Some(_) => "the RequestContext has neither a workload token nor a workload name",
    };
    Error::no_workload_token(format!(
        "no workload access token for this call: {found}, {WORKLOAD_NAME_VARIABLE} is not set and the current directory \
         has no {FILE} with a `workload_identity_name`. On AgentCore Runtime, build a RequestContext with the token \
         from the headers of the invocation (RequestContext::builder().workload_token(…)); elsewhere, name an \
         existing workload identity with RequestContext::builder().workload_name(…) or {WORKLOAD_NAME_VARIABLE}. None is \
         created for you"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ambient() -> Ambient {
        let user = UserIdentifier::UserId("ambient-user".into());
        let digest = user.digest();
        Ambient {
            name: "ambient-agent".into(),
            name_digest: Digest::of("workload name", "ambient-agent"),
            user: Some((user, digest)),
        }
    }

    fn user(id: &str) -> UserIdentifier {
        UserIdentifier::UserId(id.into())
    }

    fn origin(caller: &Caller<'_>) -> String {
        match &caller.origin {
            TokenOrigin::Given(token) => format!("given {}", token.expose()),
            TokenOrigin::Fetched { name, user: None } => format!("{name} for nobody"),
            TokenOrigin::Fetched { name, user: Some(UserIdentifier::UserId(id)) } => format!("{name} for {id}"),
            TokenOrigin::Fetched { name, user: Some(UserIdentifier::UserToken(_)) } => format!("{name} for a JWT"),
        }
    }

    #[test]
    fn order_of_resolution() {
        let ambient = ambient();
        let builder = RequestContext::builder;
        for (context, expected) in [
            (builder().workload_token("wat").workload_name("named").user(user("ada")).build(), "given wat"),
            (builder().workload_name("named").user(user("ada")).build(), "named for ada"),
            (builder().workload_name("named").build(), "named for nobody"),
            (builder().user(user("ada")).build(), "ambient-agent for ada"),
            (builder().build(), "ambient-agent for ambient-user"),
        ] {
            let caller = Caller::resolve(Some(&context), || Ok(Some(&ambient))).unwrap();
            assert_eq!(origin(&caller), expected);
        }
        let caller = Caller::resolve(None, || Ok(Some(&ambient))).unwrap();
        assert_eq!(origin(&caller), "ambient-agent for ambient-user");
    }

    #[test]
    fn identities_differ_by_token_workload_and_user() {
        let builder = RequestContext::builder;
        let contexts = [
            builder().workload_token("a").build(),
            builder().workload_token("b").build(),
            builder().workload_name("one").build(),
            builder().workload_name("two").build(),
            builder().workload_name("one").user(user("ada")).build(),
            builder().workload_name("one").user(user("bob")).build(),
            builder().workload_name("one").user(UserIdentifier::UserToken("ada".into())).build(),
        ];
        let ids = contexts.each_ref().map(|context| Caller::resolve(Some(context), || Ok(None)).unwrap().id);
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids[..n].contains(id));
            assert!(!ids[..n].iter().any(|other| other.fingerprint() == id.fingerprint()));
        }
    }

    #[test]
    fn without_anything_the_error_lists_what_to_do() {
        let lost = Caller::resolve(None, || Ok(None)).err().unwrap();
        assert!(matches!(lost, Error::NoWorkloadToken { .. }));
        for hint in ["agentcore_identity::spawn", "workload_token(", "workload_name(", "AGENTCORE_WORKLOAD_NAME"] {
            assert!(lost.to_string().contains(hint), "{lost}");
        }
        let context = RequestContext::builder().build();
        let empty = Caller::resolve(Some(&context), || Ok(None)).err().unwrap();
        assert!(empty.to_string().contains("neither a workload token nor a workload name"), "{empty}");
    }

    #[test]
    fn validation_names_a_bad_name_and_hides_a_bad_token() {
        let bad_name = TokenOrigin::Fetched { name: "my agent", user: None };
        assert!(bad_name.validate().unwrap_err().to_string().contains("\"my agent\""));
        let token = WorkloadToken::new("x".repeat(131_073));
        let error = TokenOrigin::Given(&token).validate().unwrap_err().to_string();
        assert!(error.contains("131073 characters") && !error.contains("xxx"), "{error}");
    }
}
