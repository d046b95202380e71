use crate::UserToken;
use crate::digest::Digest;

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
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::UserToken(token) => Digest::of("user token", token.expose()),
            Self::UserId(id) => Digest::of("user id", id),
        }
    }
}
