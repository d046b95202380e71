//! From an error of the AWS SDK to one of ours.

mod refusal;

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockagentcore::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockagentcore::operation::RequestId;
use aws_smithy_runtime_api::client::endpoint::error::ResolveEndpointError;

use self::refusal::refusal;
use crate::error::Cause;
use crate::operation::{Operation, Service};
use crate::secret::Secret;
use crate::{AuthFlow, Error};

/// What a request was about.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Provider {
        name: &'a str,
        /// Whether the workload access token of the request was fetched by this client.
        fetched_token: bool,
        /// Of an access token.
        flow: Option<AuthFlow>,
    },
    Workload {
        name: &'a str,
    },
    /// The completion of an authorization.
    Session {
        verified_user: bool,
    },
    #[cfg(feature = "iam-access-token")]
    Federation,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider { name, .. } => write!(f, "the credential provider `{name}`"),
            Self::Workload { name } => write!(f, "the workload identity `{name}`"),
            Self::Session { .. } => f.write_str("the session of an authorization"),
            #[cfg(feature = "iam-access-token")]
            Self::Federation => f.write_str("a JWT of its own"),
        }
    }
}

pub(super) fn failure<E>(operation: Operation, subject: Subject<'_>, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let kind = match &error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or_default().to_owned();
            let message = service.err().message().unwrap_or_default();
            Kind::Refused { code, status, message: message.to_owned() }
        }
        SdkError::TimeoutError(_) => Kind::Unavailable("it did not answer in time"),
        SdkError::ResponseError(_) => Kind::Unavailable("its answer could not be read"),
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => Kind::Unavailable("it did not answer in time"),
        other => match find::<CredentialsError>(other) {
            Some(CredentialsError::ProviderTimedOut(_)) => {
                Kind::Unavailable("what provides the AWS credentials of this process did not answer in time")
            }
            Some(_) => Kind::NoCredentials,
            None if matches!(other, SdkError::DispatchFailure(_)) && find::<ResolveEndpointError>(other).is_none() => {
                Kind::Unavailable(match operation.service() {
                    Service::AgentCoreIdentity => {
                        "no connection; check the network, the AWS Region, and AWS_ENDPOINT_URL_BEDROCK_AGENTCORE or \
                         AWS_ENDPOINT_URL if set"
                    }
                    #[cfg(feature = "iam-access-token")]
                    Service::Sts => {
                        "no connection; check the network, the AWS Region, and AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL \
                         if set"
                    }
                })
            }
            None => Kind::NotSent,
        },
    };
    let request_id = request_id.as_deref();
    let cause = match error {
        // The SDK's own wrapper holds the raw response, whose body can be a credential; only what is inside goes on.
        SdkError::ServiceError(service) => Cause::new(service.into_err(), request_id),
        error if matches!(kind, Kind::NotSent) || matches!(error, SdkError::ResponseError(_)) => {
            // What is between may quote the request or the answer.
            let root = chain(&error).last().map(ToString::to_string).unwrap_or_default();
            Cause::new(root, request_id)
        }
        error => error.into_source().map_or_else(|_| Cause::default(), |source| Cause::new(source, request_id)),
    };
    kind.into_error(operation, subject, cause)
}

enum Kind {
    Refused { code: String, status: u16, message: String },
    Unavailable(&'static str),
    NoCredentials,
    NotSent,
}

impl Kind {
    fn into_error(self, operation: Operation, subject: Subject<'_>, cause: Cause) -> Error {
        match self {
            Self::Refused { code, status, message } => refusal(operation, subject, &code, status, &message, cause),
            Self::Unavailable(reason) => {
                Error::Unavailable { operation: operation.name(), reason: reason.into(), cause }
            },
            Self::NoCredentials => Error::Configuration {
                reason: "the AWS credentials of this process could not be loaded, so nothing was sent: set \
                         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE, sign in \
                         (`aws sso login`), or give the task or function a role; the error's source says which provider \
                         failed"
                    .into(),
                cause,
            },
            Self::NotSent => Error::Configuration {
                reason: format!(
                    "the request for {subject} could not be sent as configured: check {} or AWS_ENDPOINT_URL (such as \
                     http://127.0.0.1:4566) and the rest of the AWS configuration",
                    operation.service().endpoint_variable()
                ),
                cause,
            },
        }
    }
}

/// What the service gives out, where it does: a member that is missing in the answer is empty here.
pub(super) fn given(operation: Operation, subject: Subject<'_>, credential: String) -> Result<Secret, Error> {
    if credential.is_empty() {
        return Err(not_the_service(operation, subject, "an answer that holds no credential", Cause::default()));
    }
    Ok(Secret::new(credential))
}

fn not_the_service(operation: Operation, subject: Subject<'_>, answer: &str, cause: Cause) -> Error {
    Error::Configuration {
        reason: format!(
            "what answered the request for {subject}, with {answer}, is not {}: check the endpoint URL, and any proxy on \
             the way to it",
            operation.service().name()
        ),
        cause,
    }
}

/// The error of this type behind another.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

#[cfg(test)]
mod tests;
