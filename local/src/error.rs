//! What the service answers when it refuses.

use std::fmt;

/// A refusal by the local service: a documented error code, its HTTP status, and a text that holds no secret.
///
/// A client sees the same over HTTP as `x-amzn-errortype`, the status line and the body's `message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    code: Code,
    message: String,
    invalid: Option<Invalid>,
}

impl ServiceError {
    /// The error code as the service model spells it, for example `ResourceNotFoundException`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// The HTTP status that goes with the code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// What was wrong, and with what.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), invalid: None }
    }

    /// A member of the request is not as the service model demands.
    pub(crate) fn invalid_member(member: &str, problem: impl fmt::Display) -> Self {
        let problem = problem.to_string();
        Self {
            code: Code::Validation,
            message: format!("{member}: {problem}"),
            invalid: Some(Invalid { reason: "FieldValidationFailed", field: Some((member.to_owned(), problem)) }),
        }
    }

    /// The request as a whole cannot be read.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        let invalid = Some(Invalid { reason: "CannotParse", field: None });
        Self { code: Code::Validation, message: message.into(), invalid }
    }

    /// The request is well formed, but what exists already leaves no room for it.
    pub(crate) fn no_room(message: impl Into<String>) -> Self {
        let invalid = Some(Invalid { reason: "ResourceConflict", field: None });
        Self { code: Code::Validation, message: message.into(), invalid }
    }

    /// The request does not repeat what an earlier one of the same session said.
    pub(crate) fn parameters_differ(message: impl Into<String>) -> Self {
        let invalid = Some(Invalid { reason: "IdempotentParameterMismatchException", field: None });
        Self { code: Code::Validation, message: message.into(), invalid }
    }

    /// The service itself failed. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "the local service failed");
        Self::new(Code::Internal, "An internal error occurred; the log of the local service names the cause.")
    }

    pub(crate) fn body(&self) -> serde_json::Value {
        let mut body = serde_json::json!({ "message": self.message });
        if let Some(invalid) = &self.invalid {
            body["reason"] = invalid.reason.into();
            if let Some((name, message)) = &invalid.field {
                body["fieldList"] = serde_json::json!([{ "name": name, "message": message }]);
            }
        }
        body
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message)
    }
}

impl std::error::Error for ServiceError {}

impl From<aws_lc_rs::error::Unspecified> for ServiceError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::internal(&"the system's cryptography or random generator failed")
    }
}

/// The parts of a `ValidationException` beyond its message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Invalid {
    reason: &'static str,
    field: Option<(String, String)>,
}

/// The error codes of the service model, and those that every AWS service gives before an operation starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Validation,
    Unauthorized,
    QuotaExceeded,
    FederationDisabled,
    AccessDenied,
    NotFound,
    Conflict,
    Throttling,
    Internal,
    UnknownOperation,
    EntityTooLarge,
    MissingAuthentication,
    IncompleteSignature,
    UnrecognizedClient,
    InvalidSignature,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "ValidationException",
            Self::Unauthorized => "UnauthorizedException",
            Self::QuotaExceeded => "ServiceQuotaExceededException",
            Self::AccessDenied => "AccessDeniedException",
            Self::FederationDisabled => "OutboundWebIdentityFederationDisabledException",
            Self::NotFound => "ResourceNotFoundException",
            Self::Conflict => "ConflictException",
            Self::Throttling => "ThrottlingException",
            Self::Internal => "InternalServerException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::EntityTooLarge => "RequestEntityTooLargeException",
            Self::MissingAuthentication => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature => "InvalidSignatureException",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Validation | Self::IncompleteSignature => 400,
            Self::Unauthorized => 401,
            Self::QuotaExceeded => 402,
            Self::AccessDenied
            | Self::FederationDisabled
            | Self::MissingAuthentication
            | Self::UnrecognizedClient
            | Self::InvalidSignature => 403,
            Self::NotFound | Self::UnknownOperation => 404,
            Self::Conflict => 409,
            Self::EntityTooLarge => 413,
            Self::Throttling => 429,
            Self::Internal => 500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_error_names_its_field() {
        let error = ServiceError::invalid_member("name", "too long");
        assert_eq!((error.code(), error.status(), error.message()), ("ValidationException", 400, "name: too long"));
        assert_eq!(
            error.body(),
            serde_json::json!({
                "message": "name: too long",
                "reason": "FieldValidationFailed",
                "fieldList": [{ "name": "name", "message": "too long" }],
            })
        );
    }

    #[test]
    fn other_errors_carry_only_a_message() {
        let error = ServiceError::new(Code::Throttling, "slow down");
        assert_eq!(error.body(), serde_json::json!({ "message": "slow down" }));
        assert_eq!(error.to_string(), "ThrottlingException: slow down");
        assert_eq!(error.status(), 429);
    }
}
