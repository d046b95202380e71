use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How an access token is come by.
///
/// ```
/// use agentcore_identity::AuthFlow;
///
/// let flow: AuthFlow = "USER_FEDERATION".parse()?;
/// assert_eq!(flow, AuthFlow::UserFederation);
/// # Ok::<(), agentcore_identity::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthFlow {
    /// The agent's own token, for itself: OAuth2 client credentials.
    M2m,
    /// A user's token, with that user's consent in a browser where there is none yet: OAuth2 authorization code.
    UserFederation,
    /// A user's token, in exchange for the JWT that the caller's workload access token was made from.
    OnBehalfOfTokenExchange,
}

impl AuthFlow {
    /// All flows.
    pub const ALL: [Self; 3] = [Self::M2m, Self::UserFederation, Self::OnBehalfOfTokenExchange];

    /// The service's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::M2m => "M2M",
            Self::UserFederation => "USER_FEDERATION",
            Self::OnBehalfOfTokenExchange => "ON_BEHALF_OF_TOKEN_EXCHANGE",
        }
    }
}

impl fmt::Display for AuthFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthFlow {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidRequest`] for anything but the service's names.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|flow| flow.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(|flow| format!("`{flow}`")).join(", ");
            Error::invalid_request(format!("there is no OAuth2 flow {name:?}; the service has {names}"))
        })
    }
}

impl TryFrom<&str> for AuthFlow {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for flow in AuthFlow::ALL {
            assert_eq!(flow.as_str().parse::<AuthFlow>().unwrap(), flow);
        }
        let error = AuthFlow::try_from("m2m").unwrap_err().to_string();
        assert!(error.contains("\"m2m\"") && error.contains("`M2M`, `USER_FEDERATION`"), "{error}");
    }
}
