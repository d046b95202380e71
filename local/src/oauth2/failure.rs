//! Why a provider gave no token, in words that hold nothing of what it was told or told us.

use aws_lc_rs::error::Unspecified;

use crate::error::{Code, ServiceError};
use crate::store::StoreError;

/// Part of an authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Metadata,
    TokenEndpoint,
    RevocationEndpoint,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata document",
            Self::TokenEndpoint => "token endpoint",
            Self::RevocationEndpoint => "revocation endpoint",
        }
    }
}

/// Completes "the credential provider "github" …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot be used: {0}")]
    Unusable(String),
    #[error("cannot be reached: its {} at {host} gave no answer", .part.name())]
    Unreachable { part: Part, host: String },
    #[error("did not do its work: its {} at {host} answered with HTTP status {status}", .part.name())]
    Status { part: Part, host: String, status: u16 },
    #[error("gave an answer that cannot be used: its {} at {host} {problem}", .part.name())]
    Malformed { part: Part, host: String, problem: &'static str },
    /// The error code of RFC 6749. Its description is left out: it could quote a secret or a claim.
    #[error("refused: {code}{}", hint(.code))]
    Refused { code: String },
    #[error("gave a token that is not for this request: {0}")]
    Untrusted(&'static str),
    /// It is not the provider's doing.
    #[error("could not be asked, because the local service failed")]
    Local(ServiceError),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Local(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Local(error.into())
    }
}

impl From<Unspecified> for Failure {
    fn from(error: Unspecified) -> Self {
        Self::Local(error.into())
    }
}

impl Failure {
    pub(super) fn refused(code: &str) -> Self {
        Self::Refused { code: error_code(code) }
    }

    /// Whether the same request can succeed later without anybody's doing.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Local(_) => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            Self::Refused { code } => matches!(code.as_str(), "temporarily_unavailable" | "server_error" | "slow_down"),
            Self::Unusable(_) | Self::Malformed { .. } | Self::Untrusted(_) => false,
        }
    }

    /// Whether a refused refresh token is to blame, so that the user must be asked again. Servers have many codes for
    /// that, and few for what is wrong with the client.
    pub(crate) fn ends_the_grant(&self) -> bool {
        const OF_THE_CLIENT: [&str; 6] = [
            "invalid_client",
            "unauthorized_client",
            "incorrect_client_credentials",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_target",
        ];
        matches!(self, Self::Refused { code } if !OF_THE_CLIENT.contains(&code.as_str())) && !self.is_transient()
    }

    /// The whole sentence, for a person or a log.
    pub(crate) fn sentence(&self, provider: &str) -> String {
        format!("The credential provider {provider:?} {self}.")
    }

    /// The refusal of an operation that needed the provider.
    pub(crate) fn into_error(self, provider: &str) -> ServiceError {
        let message = self.sentence(provider);
        match self {
            Self::Local(error) => error,
            Self::Status { status: 429, .. } => ServiceError::new(Code::Throttling, message),
            failure if failure.is_transient() => ServiceError::new(Code::Internal, message),
            _ => ServiceError::invalid_member("resourceCredentialProviderName", message),
        }
    }
}

/// What can be shown of an error code. Those that are registered are all of this form; a secret that a server repeats
/// by mistake is hardly.
pub(super) fn error_code(code: &str) -> String {
    const LONGEST: usize = 48;
    let plain = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain && (1..=LONGEST).contains(&code.len()) { code.to_owned() } else { "an error".to_owned() }
}

fn hint(code: &str) -> &'static str {
    match code {
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
            " (are client id, client secret and client authentication those that it knows, and may this client use the flow?)"
        }
        "invalid_scope" => " (a scope is unknown there, or not this client's to ask for)",
        "invalid_target" => " (a resource or an audience is unknown there)",
        "unsupported_grant_type" => " (it does not know this flow)",
        "redirect_uri_mismatch" => " (register the provider's callbackUrl there)",
        "invalid_grant" => " (what was granted has expired, or was revoked or used before)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Failure {
        Failure::Status { part: Part::TokenEndpoint, host: "idp.example:443".into(), status }
    }

    #[test]
    fn what_passes_is_an_internal_error_and_what_stays_the_caller_s() {
        let unreachable = Failure::Unreachable { part: Part::Metadata, host: "idp.example".into() };
        for (failure, expected) in [
            (unreachable, 500),
            (status(503), 500),
            (status(429), 429),
            (status(404), 400),
            (Failure::refused("server_error"), 500),
            (Failure::refused("invalid_client"), 400),
            (Failure::Untrusted("no"), 400),
        ] {
            let error = failure.clone().into_error("github");
            assert_eq!(error.status(), expected, "{failure:?}");
            assert!(error.message().contains("The credential provider \"github\" "), "{error}");
        }
    }

    #[test]
    fn a_code_that_is_none_is_not_repeated() {
        for code in ["hunter2", "the secret is wrong", "", &"x".repeat(49), "<script>"] {
            assert_eq!(Failure::refused(code).to_string(), "refused: an error");
        }
        let refused = Failure::refused("invalid_client").sentence("github");
        assert!(
            refused.starts_with("The credential provider \"github\" refused: invalid_client (are client id"),
            "{refused}"
        );
    }
}
