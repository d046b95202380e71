//! The one error type, with a variant for each thing a caller does differently about.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::operation::{Operation, Service};
use crate::{PendingAuthorization, limits};

/// Why a credential could not be had.
///
/// Every text says what to do about it. None holds a credential, a token or a message of the service, which could quote
/// the claims of a user's token: that message is behind [`source`](StdError::source).
///
/// It is `Clone`, because callers that waited for the same request to the service get the same error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The call carries no workload access token, and nothing that one could be fetched with.
    #[non_exhaustive]
    NoWorkloadToken {
        /// What was looked for and where.
        reason: String,
        #[doc(hidden)]
        cause: Cause,
    },
    /// The token vault has no credential provider of this name.
    #[non_exhaustive]
    ProviderNotFound {
        /// The name that was asked for.
        provider: String,
        /// What would create it, as the AWS CLI has it.
        #[doc(hidden)]
        command: &'static str,
        #[doc(hidden)]
        cause: Cause,
    },
    /// A user has to consent first, and nothing is set up to ask them: show them the link and call again.
    AuthorizationRequired(PendingAuthorization),
    /// The user declined, or their consent could not be asked for or completed.
    #[non_exhaustive]
    AuthorizationFailed {
        /// What happened, and what to do.
        reason: String,
        #[doc(hidden)]
        cause: Cause,
    },
    /// The user did not consent in time.
    #[non_exhaustive]
    AuthorizationTimedOut {
        /// The credential provider that they were asked to grant access to.
        provider: String,
        /// How long they had.
        waited: Duration,
    },
    /// The AWS account does not let its identities have JWTs of AWS STS.
    #[non_exhaustive]
    FederationDisabled {
        #[doc(hidden)]
        cause: Cause,
    },
    /// The AWS identity of this process lacks an IAM permission.
    #[non_exhaustive]
    AccessDenied {
        /// The IAM action to allow, such as `bedrock-agentcore:GetResourceApiKey`. `None` where it is another than those
        /// that this library knows to be needed: then [`source`](StdError::source) names it.
        action: Option<&'static str>,
        /// What it was asked for: a credential provider or a workload identity.
        resource: String,
        #[doc(hidden)]
        cause: Cause,
    },
    /// The service did not accept the workload access token: it has expired, or is not one.
    #[non_exhaustive]
    WorkloadTokenRejected {
        /// Whether this client fetched the token. It then fetched another one, which was rejected too.
        fetched: bool,
        #[doc(hidden)]
        cause: Cause,
    },
    /// The service did not accept the user's JWT, so there is no workload access token for that user.
    #[non_exhaustive]
    UserTokenRejected {
        #[doc(hidden)]
        cause: Cause,
    },
    /// The service asked to slow down, also after the retries that the AWS SDK is configured for.
    #[non_exhaustive]
    Throttled {
        /// The operation whose quota is used up.
        operation: &'static str,
        #[doc(hidden)]
        cause: Cause,
    },
    /// The service failed, could not be reached or did not answer in time, also after the retries that the AWS SDK is
    /// configured for.
    #[non_exhaustive]
    Unavailable {
        /// The operation that got no answer.
        operation: &'static str,
        /// What happened, in a word or two.
        reason: String,
        #[doc(hidden)]
        cause: Cause,
    },
    /// An argument is outside what the service accepts.
    #[non_exhaustive]
    InvalidRequest {
        /// Which one, and what is accepted.
        reason: String,
        #[doc(hidden)]
        cause: Cause,
    },
    /// Something about this process has to be set up differently.
    #[non_exhaustive]
    Configuration {
        /// What, and how.
        reason: String,
        #[doc(hidden)]
        cause: Cause,
    },
}

/// What a failure goes back to. Opaque, so that printing an [`Error`] with `{:?}` prints no message of the service.
#[derive(Clone, Default)]
pub struct Cause(Option<Arc<Origin>>);

struct Origin {
    error: Box<dyn StdError + Send + Sync>,
    request_id: Option<String>,
}

impl Cause {
    pub(crate) fn new(error: impl Into<Box<dyn StdError + Send + Sync>>, request_id: Option<&str>) -> Self {
        Self(Some(Arc::new(Origin { error: error.into(), request_id: request_id.map(str::to_owned) })))
    }

    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.as_deref().map(|origin| &*origin.error as &(dyn StdError + 'static))
    }

    fn request_id(&self) -> Option<&str> {
        self.0.as_deref()?.request_id.as_deref()
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.request_id()) {
            (None, _) => f.write_str("none"),
            (Some(_), None) => f.write_str("see source()"),
            (Some(_), Some(id)) => write!(f, "see source(), request {id}"),
        }
    }
}

impl Error {
    /// Whether the same call may succeed a little later with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. })
    }

    /// The id of the request that failed, which AWS support asks for. `None` where no answer came.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.cause()?.request_id()
    }

    pub(crate) fn no_workload_token(reason: impl Into<String>) -> Self {
        Self::NoWorkloadToken { reason: reason.into(), cause: Cause::default() }
    }

    pub(crate) fn invalid_request(reason: impl Into<String>) -> Self {
        Self::InvalidRequest { reason: reason.into(), cause: Cause::default() }
    }

    /// Refuses `what`, if there is a violation of its limits.
    pub(crate) fn unless_fits(what: impl fmt::Display, violation: Option<String>) -> Result<(), Self> {
        violation.map_or(Ok(()), |violation| Err(Self::invalid_request(format!("{what} {violation}"))))
    }

    /// Refuses a credential provider's name that the service would refuse.
    pub(crate) fn unless_provider_name(name: &str) -> Result<(), Self> {
        let shown = limits::excerpt(name);
        Self::unless_fits(format_args!("the credential provider name {shown:?}"), limits::PROVIDER_NAME.violation(name))
    }

    pub(crate) fn authorization_failed(reason: impl Into<String>, cause: Cause) -> Self {
        Self::AuthorizationFailed { reason: reason.into(), cause }
    }

    pub(crate) fn configuration(reason: impl Into<String>) -> Self {
        Self::Configuration { reason: reason.into(), cause: Cause::default() }
    }

    /// The variant's name, for spans.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NoWorkloadToken { .. } => "NoWorkloadToken",
            Self::ProviderNotFound { .. } => "ProviderNotFound",
            Self::AuthorizationRequired(_) => "AuthorizationRequired",
            Self::AuthorizationFailed { .. } => "AuthorizationFailed",
            Self::AuthorizationTimedOut { .. } => "AuthorizationTimedOut",
            Self::FederationDisabled { .. } => "FederationDisabled",
            Self::AccessDenied { .. } => "AccessDenied",
            Self::WorkloadTokenRejected { .. } => "WorkloadTokenRejected",
            Self::UserTokenRejected { .. } => "UserTokenRejected",
            Self::Throttled { .. } => "Throttled",
            Self::Unavailable { .. } => "Unavailable",
            Self::InvalidRequest { .. } => "InvalidRequest",
            Self::Configuration { .. } => "Configuration",
        }
    }

    fn cause(&self) -> Option<&Cause> {
        match self {
            Self::NoWorkloadToken { cause, .. }
            | Self::ProviderNotFound { cause, .. }
            | Self::AuthorizationFailed { cause, .. }
            | Self::FederationDisabled { cause, .. }
            | Self::AccessDenied { cause, .. }
            | Self::WorkloadTokenRejected { cause, .. }
            | Self::UserTokenRejected { cause, .. }
            | Self::Throttled { cause, .. }
            | Self::Unavailable { cause, .. }
            | Self::InvalidRequest { cause, .. }
            | Self::Configuration { cause, .. } => Some(cause),
            Self::AuthorizationRequired(_) | Self::AuthorizationTimedOut { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkloadToken { reason, .. }
            | Self::InvalidRequest { reason, .. }
            | Self::AuthorizationFailed { reason, .. }
            | Self::Configuration { reason, .. } => f.write_str(reason)?,
            Self::ProviderNotFound { provider, command, .. } => write!(
                f,
                "there is no credential provider named `{provider}` in the token vault of this AWS account and Region: \
                 check the name and the Region, or create the provider (`aws bedrock-agentcore-control \
                 {command} --name {provider} …`)"
            )?,
            Self::AuthorizationRequired(pending) => write!(
                f,
                "the user this call acts for has to grant access through the credential provider `{}` first: show them \
                 the link (PendingAuthorization::url()) and call again when they are back, or set `on_auth_url` to have \
                 this done while the call waits",
                pending.provider()
            )?,
            Self::AuthorizationTimedOut { provider, waited } => write!(
                f,
                "the user did not grant access through the credential provider `{provider}` within {} seconds: call \
                 again for a new link",
                waited.as_secs()
            )?,
            Self::FederationDisabled { .. } => f.write_str(
                "outbound web identity federation is not enabled for this AWS account, so AWS STS issues no JWTs: have \
                 it enabled (`aws iam enable-outbound-web-identity-federation`)",
            )?,
            Self::AccessDenied { action: Some(action), resource, .. } => write!(
                f,
                "the AWS identity of this process may not perform `{action}` for {resource}: allow it in its IAM policy \
                 on {}",
                Operation::iam_resources(action)
            )?,
            Self::AccessDenied { action: None, resource, .. } => write!(
                f,
                "the AWS identity of this process may not perform an action that the error's source names for \
                 {resource}: allow it in its IAM policy on the resource that is named there"
            )?,
            Self::WorkloadTokenRejected { fetched: false, .. } => f.write_str(
                "AgentCore Identity rejected the workload access token that this call carries, most likely because it \
                 has expired: a token that was handed in cannot be renewed from here. Take the one of the newest \
                 invocation, or give the RequestContext a workload name instead, so that tokens are fetched as needed",
            )?,
            Self::WorkloadTokenRejected { fetched: true, .. } => f.write_str(
                "AgentCore Identity rejected the workload access token that was fetched for this call, and another one \
                 fetched after it: check that the endpoint and the Region are those of the workload identity, and that \
                 it is not being deleted",
            )?,
            Self::UserTokenRejected { .. } => f.write_str(
                "AgentCore Identity rejected the JWT of the user this call acts for: it has expired or is malformed, or \
                 its issuer is not trusted. Have the user sign in again and build the RequestContext with the new JWT",
            )?,
            Self::Throttled { operation, .. } => write!(
                f,
                "{} throttles `{operation}` for this AWS account: try again later, and if it goes on, raise the quota \
                 or cache credentials for longer (CachePolicy)",
                service_of(operation)
            )?,
            Self::Unavailable { operation, reason, .. } => {
                write!(f, "`{operation}` of {} is unavailable ({reason}): try again later", service_of(operation))?;
            }
        }
        match self.request_id() {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// The name of the service that has this operation.
fn service_of(operation: &str) -> &'static str {
    #[cfg(feature = "iam-access-token")]
    if operation == Operation::GetWebIdentityToken.name() {
        return Service::Sts.name();
    }
    let _ = operation;
    Service::AgentCoreIdentity.name()
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause()?.error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const _: fn() = || {
        fn assert<T: Send + Sync + Clone + 'static>() {}
        assert::<Error>();
    };

    #[test]
    fn only_a_passing_fault_is_retryable() {
        let unavailable = Error::Unavailable { operation: "GetX", reason: "timeout".into(), cause: Cause::default() };
        let throttled = Error::Throttled { operation: "GetX", cause: Cause::default() };
        assert!(unavailable.is_retryable() && throttled.is_retryable());
        assert!(!Error::configuration("x").is_retryable());
        assert!(!Error::UserTokenRejected { cause: Cause::default() }.is_retryable());
    }

    #[test]
    fn the_cause_is_behind_source_and_nowhere_else() {
        let cause = Cause::new("claims of ada", Some("req-1"));
        let error = Error::ProviderNotFound { provider: "openai".into(), command: "create", cause };
        assert_eq!(error.source().unwrap().to_string(), "claims of ada");
        for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
            assert!(!text.contains("claims"), "{text}");
        }
        assert!(error.to_string().ends_with("(request req-1)"));
    }
}
