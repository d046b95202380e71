//! Refusals in the form of RFC 6749.

use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;
use serde_json::json;

use crate::error::ServiceError;
use crate::store::StoreError;
use crate::web::{Repeated, Reply, reply};

/// An error code of OAuth, and what was wrong. It never holds a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    code: &'static str,
    description: String,
}

macro_rules! codes {
    ($($code:ident),*) => {$(
        pub(super) fn $code(description: impl Into<String>) -> Self {
            Self::new(stringify!($code), description)
        }
    )*};
}

impl OAuthError {
    codes!(
        access_denied,
        consent_required,
        invalid_client,
        invalid_grant,
        invalid_request,
        invalid_scope,
        invalid_target,
        invalid_token,
        login_required,
        server_error,
        unsupported_grant_type,
        unsupported_response_type
    );

    /// The grammar allows neither quotes nor backslashes nor anything beyond ASCII in a description.
    fn new(code: &'static str, description: impl Into<String>) -> Self {
        let allowed = |c: char| if matches!(c, ' '..='~' if c != '"' && c != '\\') { c } else { '\'' };
        Self { code, description: description.into().chars().map(allowed).collect() }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::invalid_request(format!("{parameter} is required"))
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The answer to a program, for the endpoints that no browser visits.
    pub(super) fn reply(&self) -> Reply {
        let status = match self.code {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.code, "error_description": self.description });
        let reply = reply::json(status, &body);
        match self.code {
            "invalid_client" => reply::with_header(reply, WWW_AUTHENTICATE, r#"Basic realm="idp""#),
            "invalid_token" => reply::with_header(reply, WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#),
            _ => reply,
        }
    }
}

impl From<Repeated> for OAuthError {
    fn from(repeated: Repeated) -> Self {
        Self::invalid_request(repeated.to_string())
    }
}

impl From<ServiceError> for OAuthError {
    fn from(error: ServiceError) -> Self {
        Self::server_error(error.message())
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<aws_lc_rs::error::Unspecified> for OAuthError {
    fn from(error: aws_lc_rs::error::Unspecified) -> Self {
        ServiceError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_to_the_grammar() {
        let error = OAuthError::invalid_scope("\"a\\b\" is no scope\n…");
        assert_eq!((error.code(), error.description()), ("invalid_scope", "'a'b' is no scope''"));
    }

    #[test]
    fn statuses_follow_the_standard() {
        assert_eq!(OAuthError::invalid_grant("x").reply().status(), 400);
        let refused = OAuthError::invalid_client("x").reply();
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.headers()["www-authenticate"], r#"Basic realm="idp""#);
    }
}
