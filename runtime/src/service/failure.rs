//! From an error of the AWS SDK to one of ours.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockagentcore::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockagentcore::operation::RequestId;
use aws_smithy_runtime_api::client::endpoint::error::ResolveEndpointError;

use crate::error::Cause;
use crate::operation::{Operation, Service, UNNAMED_ACTION};
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

/// What IAM says in each denial. The service denies access for reasons of its own too.
const IAM_DENIAL: &str = "not authorized to perform";

/// The service's text when a workload identity that Runtime or Gateway manages asks for a token of its own.
const MANAGED_IDENTITY: &str = "linked to a service";

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
            Self::Unavailable(reason) => Error::Unavailable { operation: operation.name(), reason, cause },
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

fn refusal(operation: Operation, subject: Subject<'_>, code: &str, status: u16, message: &str, cause: Cause) -> Error {
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
            Error::AccessDenied { action: operation.iam_action(), resource: subject.to_string(), cause }
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
                Named(code)
            ),
            cause,
        },
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

/// The service gives its errors a code; those without one may be a proxy's.
fn outage(code: &str, status: u16) -> &'static str {
    match (code, status) {
        ("", 408) => "HTTP status 408, from it or from a proxy on the way",
        ("", 500) => "HTTP status 500, from it or from a proxy on the way",
        ("", 502) => "HTTP status 502, from it or from a proxy on the way",
        ("", 503) => "HTTP status 503, from it or from a proxy on the way",
        ("", 504) => "HTTP status 504, from it or from a proxy on the way",
        ("", _) => "an HTTP status above 500, from it or from a proxy on the way",
        _ => "it reports an internal error",
    }
}

/// The action that IAM says is missing, which need not be the operation's own.
fn denied_action(operation: Operation, message: &str) -> &'static str {
    let known = |text: &str| {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-');
        words.find_map(Operation::known_action)
    };
    match message.split_once(IAM_DENIAL) {
        Some((_, denied)) => known(denied).unwrap_or(UNNAMED_ACTION),
        None => known(message).unwrap_or_else(|| operation.iam_action()),
    }
}

/// A code in brackets, if it is one: whoever answers may send anything in its place.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
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

/// The error of this type behind another.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use aws_sdk_bedrockagentcore::config::http::HttpResponse;
    use aws_sdk_bedrockagentcore::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_bedrockagentcore::operation::get_resource_api_key::GetResourceApiKeyError;

    use super::*;

    const PROVIDER: Subject<'_> = Subject::Provider { name: "openai", fetched_token: false, flow: None };
    const WORKLOAD: Subject<'_> = Subject::Workload { name: "my-agent" };

    fn refused(operation: Operation, subject: Subject<'_>, status: u16, code: &str, message: &str) -> Error {
        let raw = HttpResponse::new(status.try_into().unwrap(), r#"{"apiKey":"sk-secret"}"#.into());
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        failure(operation, subject, SdkError::service_error(GetResourceApiKeyError::generic(meta), raw))
    }

    fn api_key(status: u16, code: &str, message: &str) -> Error {
        refused(Operation::GetResourceApiKey, PROVIDER, status, code, message)
    }

    #[test]
    fn an_argument_that_is_refused_comes_with_the_usual_mistake() {
        let subject = Subject::Provider { name: "github", fetched_token: true, flow: Some(AuthFlow::UserFederation) };
        let error = refused(Operation::GetResourceOauth2Token, subject, 400, "ValidationException", "m").to_string();
        assert!(error.contains("set `callback_url`") && error.ends_with("to the letter"), "{error}");
        assert!(!api_key(400, "ValidationException", "m").to_string().contains("callback_url"));
    }

    #[test]
    fn each_refusal_has_its_variant() {
        for (status, code, kind) in [
            (400, "ValidationException", "InvalidRequest"),
            (401, "UnauthorizedException", "WorkloadTokenRejected"),
            (403, "AccessDeniedException", "AccessDenied"),
            (403, "UnrecognizedClientException", "Configuration"),
            (404, "ResourceNotFoundException", "ProviderNotFound"),
            (418, "TeapotException", "InvalidRequest"),
            (429, "ThrottlingException", "Throttled"),
            (429, "LimitExceededException", "Throttled"),
            (429, "SomethingNew", "Throttled"),
            (400, "LimitExceededException", "Throttled"),
            (503, "RequestLimitExceeded", "Throttled"),
            (400, "RequestThrottled", "Throttled"),
            (400, "RequestThrottledException", "Throttled"),
            (503, "SlowDown", "Throttled"),
            (500, "InternalServerException", "Unavailable"),
            (200, "", "Configuration"),
            (404, "", "Configuration"),
            (408, "", "Unavailable"),
            (429, "", "Throttled"),
            (503, "", "Unavailable"),
        ] {
            assert_eq!(api_key(status, code, "").kind(), kind, "{code}");
        }
    }

    #[test]
    fn refusals_about_the_workload_identity() {
        let jwt = Operation::GetWorkloadAccessTokenForJwt;
        assert_eq!(refused(jwt, WORKLOAD, 401, "UnauthorizedException", "").kind(), "UserTokenRejected");
        let plain = Operation::GetWorkloadAccessToken;
        let missing = refused(plain, WORKLOAD, 404, "ResourceNotFoundException", "");
        assert!(missing.to_string().contains("no workload identity named `my-agent`"), "{missing}");
        let managed = "WorkloadIdentity is linked to a service and cannot retrieve an access token by the caller";
        for code in ["AccessDeniedException", "ValidationException"] {
            assert_eq!(refused(plain, WORKLOAD, 403, code, managed).kind(), "NoWorkloadToken");
        }
    }

    #[test]
    fn refusals_about_a_session() {
        let refused = |code, message| {
            let subject = Subject::Session { verified_user: false };
            refused(Operation::CompleteResourceTokenAuth, subject, 403, code, message)
        };
        assert_eq!(refused("AccessDeniedException", "Invalid or expired session").kind(), "AuthorizationFailed");
        assert_eq!(refused("ResourceNotFoundException", "").kind(), "AuthorizationFailed");
        let by_iam = "User: arn is not authorized to perform: bedrock-agentcore:CompleteResourceTokenAuth on resource";
        let denied = refused("AccessDeniedException", by_iam);
        assert!(denied.to_string().contains("`bedrock-agentcore:CompleteResourceTokenAuth`"), "{denied}");
    }

    #[test]
    fn access_denied_names_the_action_that_is_missing() {
        let own = api_key(403, "AccessDeniedException", "no");
        assert!(own.to_string().contains("`bedrock-agentcore:GetResourceApiKey`"), "{own}");
        for action in [
            "secretsmanager:GetSecretValue",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "bedrock-agentcore:GetWorkloadAccessToken",
            "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
        ] {
            let message =
                format!("User: arn:aws:sts::1:role/a is not authorized to perform: {action} on resource: arn:x");
            let denied = api_key(403, "AccessDeniedException", &message).to_string();
            assert!(denied.contains(&format!("`{action}`")), "{denied}");
        }
        let other = "User: arn is not authorized to perform: secret-sauce:Taste on resource: arn";
        let other = api_key(403, "AccessDeniedException", other).to_string();
        assert!(other.contains("perform an action that the error's source names for"), "{other}");
        assert!(!other.contains("secret-sauce"), "{other}");
    }

    #[test]
    fn what_a_proxy_may_have_sent_says_so() {
        for (status, code, hint) in [
            (502, "", "HTTP status 502, from it or from a proxy on the way"),
            (500, "InternalServerException", "it reports an internal error"),
        ] {
            let error = api_key(status, code, "").to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_refusal_without_a_variant_says_its_code() {
        let error = api_key(418, "TeapotException", "m").to_string();
        assert!(error.contains("HTTP status 418 (TeapotException)"), "{error}");
        let error = api_key(418, "claim email=ada@example.com", "m").to_string();
        assert!(!error.contains("ada"), "{error}");
    }

    #[test]
    fn of_what_a_workload_token_is_made_from_the_jwt_is_suspected() {
        let jwt = Operation::GetWorkloadAccessTokenForJwt;
        let refused = |operation| refused(operation, WORKLOAD, 400, "ValidationException", "m").to_string();
        assert!(refused(jwt).contains("the user's JWT"), "{}", refused(jwt));
        assert!(!refused(Operation::GetWorkloadAccessToken).contains("JWT"));
    }

    #[test]
    fn texts_repeat_neither_message_nor_body() {
        let error = api_key(400, "ValidationException", "claim email=ada@example.com");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("ada@example.com") && !text.contains("sk-secret"), "{text}");
        }
        assert!(chain(&error).skip(1).any(|cause| cause.to_string().contains("ada@example.com")));
    }

    #[test]
    fn an_unreadable_answer_is_not_kept_in_the_cause() {
        let raw = HttpResponse::new(200.try_into().unwrap(), r#"{"apiKey":"sk-secret""#.into());
        let error: SdkError<GetResourceApiKeyError> = SdkError::response_error("unexpected end", raw);
        let error = failure(Operation::GetResourceApiKey, PROVIDER, error);
        assert_eq!(error.kind(), "Unavailable");
        assert!(chain(&error).map(|error| format!("{error} {error:?}")).all(|text| !text.contains("sk-secret")));
    }

    #[test]
    fn failures_before_an_answer() {
        let map = |error: SdkError<GetResourceApiKeyError>| failure(Operation::GetResourceApiKey, PROVIDER, error);
        assert_eq!(map(SdkError::timeout_error("late")).kind(), "Unavailable");
        assert_eq!(map(SdkError::dispatch_failure(ConnectorError::io("refused".into()))).kind(), "Unavailable");
        assert_eq!(map(SdkError::construction_failure("bad endpoint")).kind(), "Configuration");
        let credentials = CredentialsError::not_loaded("nothing in the chain");
        let other =
            |error: CredentialsError| map(SdkError::dispatch_failure(ConnectorError::other(error.into(), None)));
        for cause in [credentials, CredentialsError::provider_error("x"), CredentialsError::invalid_configuration("x")]
        {
            let error = other(cause);
            assert!(matches!(error, Error::Configuration { .. }) && !error.is_retryable(), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("could not be loaded") && text.contains("AWS_ACCESS_KEY_ID"), "{text}");
            assert!(error.source().is_some());
        }
        let error = other(CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)));
        assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
    }
}
