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
        let message = format!("User: arn:aws:sts::1:role/a is not authorized to perform: {action} on resource: arn:x");
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
    let other = |error: CredentialsError| map(SdkError::dispatch_failure(ConnectorError::other(error.into(), None)));
    for cause in [credentials, CredentialsError::provider_error("x"), CredentialsError::invalid_configuration("x")] {
        let error = other(cause);
        assert!(matches!(error, Error::Configuration { .. }) && !error.is_retryable(), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("could not be loaded") && text.contains("AWS_ACCESS_KEY_ID"), "{text}");
        assert!(error.source().is_some());
    }
    let error = other(CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)));
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
}
