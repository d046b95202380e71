//! Authorization codes: for one use, by one client, within a minute.

use std::time::Duration;

use super::browser::Person;
use super::request::AuthorizationRequest;
use super::{IdentityProvider, OAuthError};
use crate::clock::UnixMillis;
use crate::digest::sha256_hex;
use crate::error::ServiceError;
use crate::random;

/// How long a client has to redeem a code.
pub(super) const LIFETIME: Duration = Duration::from_mins(1);

/// How long a spent code is known, so that its second use is noticed.
const REMEMBERED: Duration = Duration::from_mins(10);

/// What a person agreed to.
pub(super) struct Code {
    asked: AuthorizationRequest,
    person: Person,
    end: UnixMillis,
    /// The grant that came of it.
    spent: Option<String>,
}

/// A secret that cannot be guessed.
pub(super) fn secret() -> Result<String, aws_lc_rs::error::Unspecified> {
    random::text(43, random::ALPHANUMERIC)
}

impl IdentityProvider {
    pub(super) fn issue_code(
        &self,
        asked: AuthorizationRequest,
        person: Person,
        now: UnixMillis,
    ) -> Result<String, ServiceError> {
        let text = secret()?;
        let code = Code { asked, person, end: now.saturating_add(LIFETIME), spent: None };
        self.codes.insert(sha256_hex(text.as_bytes()), code, now.saturating_add(REMEMBERED), now);
        Ok(text)
    }

    /// Spends a code for a grant of this id, if `check` finds that the request for it is the right one. A second use
    /// takes the first one's grant back, as one of the two was not the client.
    pub(super) fn redeem(
        &self,
        text: &str,
        grant: &str,
        now: UnixMillis,
        check: impl FnOnce(&AuthorizationRequest) -> Result<(), OAuthError>,
    ) -> Result<(AuthorizationRequest, Person), OAuthError> {
        let unknown = || OAuthError::invalid_grant("the code is unknown or has expired");
        let used = self.codes.with(&sha256_hex(text.as_bytes()), now, |code| {
            if let Some(spent) = &code.spent {
                return Err((OAuthError::invalid_grant("the code was used before"), Some(spent.clone())));
            }
            if now >= code.end {
                return Err((unknown(), None));
            }
            check(&code.asked).map_err(|error| (error, None))?;
            code.spent = Some(grant.to_owned());
            Ok((code.asked.clone(), code.person.clone()))
        });
        match used {
            None => Err(unknown()),
            Some(Ok(code)) => Ok(code),
            Some(Err((error, replayed))) => {
                if let Some(grant) = replayed {
                    tracing::warn!("an authorization code was used twice; what it gave is revoked");
                    self.revoke_grant(&grant, now);
                }
                Err(error)
            }
        }
    }
}
