//! What is kept of an access token, sealed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::UnixMillis;

/// Longer before its end than this, a token is not renewed.
const RENEWED_AHEAD: Duration = Duration::from_mins(5);

/// Whose token it is, for what, and from which provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) provider: String,
    pub(crate) workload: String,
    /// The id of the workload identity: a later one of the same name has no part in the tokens of this.
    pub(crate) identity: String,
    /// A digest of the user and of every parameter that changes the token.
    pub(crate) digest: String,
}

impl TokenKey {
    /// The name under which the token is kept. No part of it can hold a slash.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}/{}/{}", self.provider, self.workload, self.identity, self.digest)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('/').map(str::to_owned);
        let key =
            Self { provider: parts.next()?, workload: parts.next()?, identity: parts.next()?, digest: parts.next()? };
        parts.next().is_none().then_some(key)
    }
}

/// An access token with what is needed to renew it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    pub(crate) obtained: UnixMillis,
    /// `None` if the provider does not say.
    pub(crate) expires: Option<UnixMillis>,
}

/// Where in its life a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Valid, but near its end.
    Ending,
    Ended,
}

impl StoredToken {
    /// A token is near its end in its last five minutes, or, if it lives less than ten, in the second half of its life.
    pub(crate) fn freshness(&self, now: UnixMillis) -> Freshness {
        let Some(expires) = self.expires else { return Freshness::Fresh };
        let life = expires.since(self.obtained);
        if now >= expires {
            Freshness::Ended
        } else if expires.since(now) <= RENEWED_AHEAD.min(life / 2) {
            Freshness::Ending
        } else {
            Freshness::Fresh
        }
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_then_ending_then_ended() {
        let at = UnixMillis::from_seconds;
        let token = |life: Option<u64>| StoredToken {
            access_token: Zeroizing::new("secret-token".into()),
            refresh_token: None,
            obtained: at(1000),
            expires: life.map(|life| at(1000 + life)),
        };
        for (life, now, expected) in [
            (None, u64::MAX, Freshness::Fresh),
            (Some(3600), 1000, Freshness::Fresh),
            (Some(3600), 4299, Freshness::Fresh),
            (Some(3600), 4300, Freshness::Ending),
            (Some(3600), 4599, Freshness::Ending),
            (Some(3600), 4600, Freshness::Ended),
            (Some(60), 1029, Freshness::Fresh),
            (Some(60), 1030, Freshness::Ending),
            (Some(0), 1000, Freshness::Ended),
        ] {
            assert_eq!(token(life).freshness(at(now)), expected, "{life:?} at {now}");
        }
        assert!(!format!("{:?}", token(None)).contains("secret"));
    }

    #[test]
    fn a_key_survives_its_name() {
        let [provider, workload, identity, digest] = ["git_hub-1", "my.agent_1", "id", "d"].map(str::to_owned);
        let key = TokenKey { provider, workload, identity, digest };
        assert_eq!(TokenKey::parse(&key.name()), Some(key));
        assert_eq!(TokenKey::parse("a/b/c"), None);
        assert_eq!(TokenKey::parse("a/b/c/d/e"), None);
    }
}
