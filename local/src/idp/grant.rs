//! What a person has granted a client, for as long as refresh tokens keep it alive.

use std::time::Duration;

use super::browser::Person;
use super::code::secret;
use super::{IdentityProvider, OAuthError, TOKEN_LIFETIME};
use crate::clock::UnixMillis;
use crate::digest::sha256_hex;

/// How long a client can refresh before the person is asked again.
const LIFETIME: Duration = Duration::from_hours(30 * 24);

#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) person: Person,
    pub(super) scopes: Vec<String>,
    pub(super) audiences: Vec<String>,
    /// The digest of the one refresh token that counts.
    current: String,
}

impl IdentityProvider {
    /// Begins a grant, unless it was revoked already, and returns its first refresh token.
    pub(super) fn begin_grant(
        &self,
        id: &str,
        client_id: &str,
        person: Person,
        scopes: Vec<String>,
        audiences: Vec<String>,
        now: UnixMillis,
    ) -> Result<String, OAuthError> {
        let secret = secret()?;
        let current = sha256_hex(secret.as_bytes());
        let grant = Grant { client_id: client_id.to_owned(), person, scopes, audiences, current };
        self.grants.insert(id.to_owned(), grant, now.saturating_add(LIFETIME), now);
        // The code that this comes of may have been used again since it was redeemed.
        if self.revoked.contains(id, now) {
            self.grants.remove(id);
            return Err(OAuthError::invalid_grant("the code was used before"));
        }
        Ok(format!("{id}.{secret}"))
    }

    /// Changes a refresh token for the next. One that was changed before ends the grant: either it or its successor is
    /// in the wrong hands.
    pub(super) fn refresh(
        &self,
        token: &str,
        client_id: &str,
        now: UnixMillis,
        check: impl FnOnce(&Grant) -> Result<(), OAuthError>,
    ) -> Result<(String, Grant, String), OAuthError> {
        let unknown = || OAuthError::invalid_grant("the refresh token is unknown, has expired or was revoked");
        let (id, old) = token.split_once('.').ok_or_else(unknown)?;
        let next = secret()?;
        let outcome = self.grants.with(id, now, |grant| {
            if grant.client_id != client_id {
                return Some(Err(unknown()));
            }
            if grant.current != sha256_hex(old.as_bytes()) {
                return None;
            }
            Some(check(grant).map(|()| {
                grant.current = sha256_hex(next.as_bytes());
                grant.clone()
            }))
        });
        match outcome {
            None => Err(unknown()),
            Some(None) => {
                tracing::warn!("a refresh token was used twice; its grant is revoked");
                self.revoke_grant(id, now);
                Err(OAuthError::invalid_grant("the refresh token was used before"))
            }
            Some(Some(refreshed)) => refreshed.map(|grant| (id.to_owned(), grant, format!("{id}.{next}"))),
        }
    }

    /// Ends a grant, with all access tokens that came of it.
    pub(super) fn revoke_grant(&self, id: &str, now: UnixMillis) {
        // In this order, a grant that is just being begun is either removed here or sees that it is revoked.
        self.revoked.insert(id.to_owned(), (), now.saturating_add(TOKEN_LIFETIME), now);
        self.grants.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    #[test]
    fn a_code_that_is_replayed_before_its_grant_begins_leaves_none() {
        let now = UnixMillis::from_seconds(0);
        let sealer = MasterKey::generate().unwrap().sealer("idp").unwrap();
        let idp = IdentityProvider::new("http://127.0.0.1:1", sealer).unwrap();
        let ada = Person { name: "ada".into(), signed_in: now };
        let begin = |id: &str| idp.begin_grant(id, "client", ada.clone(), Vec::new(), Vec::new(), now);
        let token = begin("honest").unwrap();
        assert!(idp.refresh(&token, "client", now, |_| Ok(())).is_ok());
        idp.revoke_grant("replayed", now);
        assert_eq!(begin("replayed").unwrap_err().code(), "invalid_grant");
        assert!(!idp.grants.contains("replayed", now));
    }
}
