//! What is kept about an authorization until its user's browser comes back.

use serde::{Deserialize, Serialize};

use crate::UserIdentifier;
use crate::digest::Digest;
use crate::secret::Secret;

/// What a [`PendingStore`](super::PendingStore) keeps: opaque text that says who an authorization was started for.
///
/// It may hold the user's JWT, so it is kept like one: out of logs, and readable by the application alone. `Debug`
/// prints it redacted.
#[derive(Clone)]
pub struct PendingRecord(Secret);

impl PendingRecord {
    /// What was kept as [`expose`](Self::expose)d.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The text to keep, of up to about 140,000 characters.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl std::fmt::Debug for PendingRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingRecord([redacted])")
    }
}

/// What the text says.
pub(crate) struct Record {
    pub(crate) provider: String,
    pub(crate) state: Option<String>,
    /// `None` where the workload access token was handed in by somebody who did not say for whom.
    pub(crate) user: Option<UserIdentifier>,
}

#[derive(Serialize, Deserialize)]
struct Text<'a> {
    provider: &'a str,
    #[serde(borrow)]
    state: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    user: Option<User<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum User<'a> {
    #[serde(borrow)]
    Token(std::borrow::Cow<'a, str>),
    #[serde(borrow)]
    Id(std::borrow::Cow<'a, str>),
}

impl Record {
    pub(super) fn seal(&self) -> PendingRecord {
        let text = Text {
            provider: &self.provider,
            state: self.state.as_deref().map(Into::into),
            user: self.user.as_ref().map(|user| match user {
                UserIdentifier::UserToken(token) => User::Token(token.expose().into()),
                UserIdentifier::UserId(id) => User::Id(id.into()),
            }),
        };
        // Strings alone, which always are JSON.
        PendingRecord::new(serde_json::to_string(&text).unwrap_or_default())
    }

    /// `None` for a text that is none of ours.
    #[cfg(any(test, feature = "session-binding"))]
    pub(crate) fn open(record: &PendingRecord) -> Option<Self> {
        let text: Text<'_> = serde_json::from_str(record.expose()).ok()?;
        Some(Self {
            provider: text.provider.to_owned(),
            state: text.state.map(Into::into),
            user: text.user.map(|user| match user {
                User::Token(token) => UserIdentifier::UserToken(token.into_owned().into()),
                User::Id(id) => UserIdentifier::UserId(id.into_owned()),
            }),
        })
    }
}

/// What an authorization is kept under. Not its session, which is as good as a secret.
pub(crate) fn key(session_uri: &str) -> String {
    Digest::of("session URI", session_uri).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_as_it_was() {
        let users = [
            None,
            Some(UserIdentifier::UserId("ada \"the\" \n first".into())),
            Some(UserIdentifier::UserToken("a.b.c".into())),
        ];
        for user in users {
            for state in [None, Some("s \"1\"".to_owned())] {
                let record = Record { provider: "github".into(), state, user: user.clone() };
                let back = Record::open(&PendingRecord::new(record.seal().expose())).unwrap();
                assert_eq!((back.provider.as_str(), &back.state), ("github", &record.state));
                let digest = |record: &Record| record.user.as_ref().map(UserIdentifier::digest);
                assert!(digest(&back) == digest(&record));
            }
        }
        assert!(Record::open(&PendingRecord::new("something else")).is_none());
    }

    #[test]
    fn debug_and_key_show_no_secret() {
        assert_eq!(format!("{:?}", PendingRecord::new("a.b.c")), "PendingRecord([redacted])");
        let key = key("urn:ietf:params:oauth:request_uri:abc");
        assert!(key.len() == 32 && key.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
    }
}
