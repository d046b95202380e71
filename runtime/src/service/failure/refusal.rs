//! What it means that a service refuses a request.

use std::fmt;

use super::{Subject, not_the_service};
use crate::error::Cause;
use crate::operation::Operation;
use crate::{AuthFlow, Error};

/// What IAM says in each denial. The service denies access for reasons of its own too.
const IAM_DENIAL: &str = "not authorized to perform";

/// The service's text when a workload identity that Runtime or Gateway manages asks for a token of its own.
const MANAGED_IDENTITY: &str = "linked to a service";

/// What the service means by an error code, an HTTP status and a message of its own.
pub(super) fn refusal(
    operation: Operation,
    subject: Subject<'_>,
    code: &str,
    status: u16,
    message: &str,
    cause: Cause,
) -> Error {
    if let (Subject::Workload { name }, true) = (subject, message.contains(MANAGED_IDENTITY)) {
        return Error::NoWorkloadToken {
            reason: format!(
                "the workload identity `{name}` is managed by AgentCore Runtime or Gateway, so this process cannot fetch \
                 a token for it: pass on the token that came with the invocation (RequestContext::builder() \
                 .workload_token(…)), or name a workload identity of your own"
            ),
            cause,
        };
    }
    of_subject(operation, subject, code, message, &cause)
        .unwrap_or_else(|| of_any_request(operation, subject, code, status, message, cause))
}

/// What a code means for this subject alone.
fn of_subject(operation: Operation, subject: Subject<'_>, code: &str, message: &str, cause: &Cause) -> Option<Error> {
    let cause = cause.clone();
    Some(match (code, subject) {
        ("UnauthorizedException", Subject::Provider { fetched_token, .. }) => {
            Error::WorkloadTokenRejected { fetched: fetched_token, cause }
        }
        ("UnauthorizedException", Subject::Workload { .. }) if operation == Operation::GetWorkloadAccessTokenForJwt => {
            Error::UserTokenRejected { cause }
        }
        ("UnauthorizedException", Subject::Workload { .. }) => {
            Error::AccessDenied { action: Some(operation.iam_action()), resource: subject.to_string(), cause }
        }
        ("UnauthorizedException", Subject::Session { verified_user: true }) => Error::UserTokenRejected { cause },
        ("AccessDeniedException", Subject::Session { .. }) if !message.contains(IAM_DENIAL) => no_such_session(cause),
        ("UnauthorizedException" | "ResourceNotFoundException" | "ConflictException", Subject::Session { .. }) => {
            no_such_session(cause)
        }
        ("ResourceNotFoundException", Subject::Provider { name, flow, .. }) => {
            let command = match flow {
                None => "create-api-key-credential-provider",
                Some(_) => "create-oauth2-credential-provider",
            };
            Error::ProviderNotFound { provider: name.to_owned(), command, cause }
        }
        ("ResourceNotFoundException", Subject::Workload { name }) => Error::Configuration {
            reason: format!(
                "there is no workload identity named `{name}` in this AWS account and Region: check the name and the \
                 Region, or create it (`aws bedrock-agentcore-control create-workload-identity --name {name}`)"
            ),
            cause,
        },
        #[cfg(feature = "iam-access-token")]
        (_, Subject::Federation) if code.starts_with("OutboundWebIdentityFederationDisabled") => {
            Error::FederationDisabled { cause }
        }
        #[cfg(feature = "iam-access-token")]
        (_, Subject::Federation) if code.starts_with("SessionDurationEscalation") => Error::InvalidRequest {
            reason: "the token would outlive the AWS session that asks for it: ask for fewer `duration_seconds`".into(),
            cause,
        },
        #[cfg(feature = "iam-access-token")]
        (_, Subject::Federation) if code.starts_with("JWTPayloadSizeExceeded") => Error::InvalidRequest {
            reason: "the token would be larger than AWS STS makes them: give it fewer or shorter `tags`".into(),
            cause,
        },
        _ => return None,
    })
}

fn no_such_session(cause: Cause) -> Error {
    Error::AuthorizationFailed {
        reason:
            "there is no open authorization of this session for this user: it has expired, was completed already, or \
                 was started for another user identifier. Start again with a new link"
                .into(),
        cause,
    }
}

/// What a code means whatever the request was about.
fn of_any_request(
    operation: Operation,
    subject: Subject<'_>,
    code: &str,
    status: u16,
    message: &str,
    cause: Cause,
) -> Error {
    match code {
        "AccessDeniedException" | "AccessDenied" => {
            let action = denied_action(operation, message);
            Error::AccessDenied { action, resource: subject.to_string(), cause }
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown" => Error::Throttled { operation: operation.name(), cause },
        _ if status == 429 => Error::Throttled { operation: operation.name(), cause },
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed" => Error::Configuration {
            reason: format!(
                "{} does not accept the AWS credentials of this process ({code}): check that they are current, meant for \
                 this endpoint and Region, and that the clock of this machine is right",
                operation.service().name()
            ),
            cause,
        },
        _ if status >= 500 || status == 408 => {
            Error::Unavailable { operation: operation.name(), reason: outage(code, status), cause }
        }
        "" => not_the_service(operation, subject, &format!("HTTP status {status}"), cause),
        "ValidationException" | "ValidationError" => Error::InvalidRequest {
            reason: format!(
                "`{}` refuses what it was given for {subject}: the error's source says which argument{}",
                operation.name(),
                usual_mistake(operation, subject)
            ),
            cause,
        },
        _ => Error::InvalidRequest {
            reason: format!(
                "`{}` refuses the request for {subject} with HTTP status {status}{}: the error's source says why",
                operation.name(),
                Code(code)
            ),
            cause,
        },
    }
}

/// The service gives its errors a code; those without one may be a proxy's.
fn outage(code: &str, status: u16) -> String {
    if code.is_empty() {
        format!("HTTP status {status}, from it or from a proxy on the way")
    } else {
        "it reports an internal error".to_owned()
    }
}

/// The action that IAM says is missing, which need not be the operation's own.
fn denied_action(operation: Operation, message: &str) -> Option<&'static str> {
    let known = |text: &str| {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-');
        words.find_map(Operation::known_action)
    };
    match message.split_once(IAM_DENIAL) {
        Some((_, denied)) => known(denied),
        None => known(message).or_else(|| Some(operation.iam_action())),
    }
}

/// A code in brackets, if it is one: whoever answers may send anything in its place.
struct Code<'a>(&'a str);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_code = self.0.len() <= 64 && self.0.chars().all(|c| c.is_ascii_alphanumeric());
        if is_code { write!(f, " ({})", self.0) } else { Ok(()) }
    }
}

/// What the service most likely refuses, as the end of a sentence.
fn usual_mistake(operation: Operation, subject: Subject<'_>) -> &'static str {
    match subject {
        Subject::Workload { .. } if operation == Operation::GetWorkloadAccessTokenForJwt => {
            ". Most likely it is the user's JWT of the RequestContext, which is malformed or no JWT at all"
        }
        Subject::Provider { flow: Some(AuthFlow::OnBehalfOfTokenExchange), fetched_token: false, .. } => {
            ". ON_BEHALF_OF_TOKEN_EXCHANGE takes a workload access token that was made from a user's JWT only"
        }
        Subject::Provider { flow: Some(AuthFlow::UserFederation), .. } => {
            ". USER_FEDERATION takes a callback URL: set `callback_url`, on the call or on the RequestContext, to one of the \
             workload identity's `allowedResourceOauth2ReturnUrls`, to the letter"
        }
        _ => "",
    }
}
