use crate::digest::Digest;
use crate::{Error, UserToken, limits};

/// The user an agent acts for, as AgentCore Identity knows users.
///
/// ```
/// use agentcore_identity::UserIdentifier;
///
/// let verified = UserIdentifier::UserToken("eyJhbGciOi…".into());
/// let unverified = UserIdentifier::UserId("ada".into());
/// # let _ = (verified, unverified);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UserIdentifier {
    /// The user's own JWT. Preferred: the service verifies who the user is.
    UserToken(UserToken),
    /// A string of 1 to 128 characters that the application vouches for; the service does not verify it.
    UserId(String),
}

impl UserIdentifier {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let (limit, value, what) = match self {
            Self::UserToken(token) => (limits::TOKEN, token.expose(), "the user's JWT"),
            Self::UserId(id) => (limits::USER_ID, id.as_str(), "the user id"),
        };
        Error::unless_fits(what, limit.violation(value))
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::UserToken(token) => Digest::of("user token", token.expose()),
            Self::UserId(id) => Digest::of("user id", id),
        }
    }
}
