//! JWTs that AWS STS signs for the AWS identity of this process.

mod claims;
mod fetch;
mod request;

use std::fmt;
use std::str::FromStr;

pub(crate) use self::claims::Claims;
pub use self::request::IamAccessTokenRequest;
use crate::Error;

/// What a JWT of AWS STS is signed with.
///
/// ```
/// use agentcore_identity::SigningAlgorithm;
///
/// assert_eq!("RS256".parse::<SigningAlgorithm>()?, SigningAlgorithm::Rs256);
/// # Ok::<(), agentcore_identity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// ECDSA with the curve P-384 and SHA-384.
    #[default]
    Es384,
    /// RSA with SHA-256, for recipients that know no other.
    Rs256,
}

impl SigningAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 2] = [Self::Es384, Self::Rs256];

    /// The service's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for anything but the service's names.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or_else(|| {
            Error::invalid_request(format!("there is no signing algorithm {name:?}; AWS STS has `ES384` and `RS256`"))
        })
    }
}

impl TryFrom<&str> for SigningAlgorithm {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        name.parse()
    }
}

#[cfg(test)]
mod tests;
