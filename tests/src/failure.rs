//! How a function of a test fails: for want of a credential, or because the credential is refused.

use agentcore_identity::Error;

/// The error of an annotated function that calls an API.
#[derive(Debug)]
pub enum Failure {
    /// There is no credential.
    Identity(Error),
    /// The API takes another one.
    Refused,
}

impl Failure {
    /// For `retry_if`.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}
