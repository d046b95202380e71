//! What a JWT says of itself. Nothing is verified here: the service does that for those it takes, and an application
//! for those it logs users in with.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

#[derive(Deserialize)]
struct End {
    exp: f64,
}

/// Whom a token is about, as its issuer knows them.
#[cfg(feature = "session-binding")]
#[derive(Deserialize, PartialEq, Eq)]
pub(crate) struct Subject {
    iss: String,
    sub: String,
}

#[cfg(feature = "session-binding")]
pub(crate) fn subject(token: &str) -> Option<Subject> {
    claims(token)
}

fn claims<T: serde::de::DeserializeOwned>(token: &str) -> Option<T> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// How much longer `token` is good, if it is a JWT that says so.
pub(crate) fn remaining_life(token: &str) -> Option<Duration> {
    Some(expiry(token)?.duration_since(SystemTime::now()).unwrap_or_default())
}

/// When `token` ends, if it is a JWT that says so.
fn expiry(token: &str) -> Option<SystemTime> {
    let End { exp } = claims(token)?;
    let since_epoch = Duration::try_from_secs_f64(exp).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn reads_exp() {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        assert_eq!(expiry(&jwt(r#"{"sub":"ada","exp":1900000000}"#)), Some(expected));
        let with_fraction = expiry(&jwt(r#"{"exp":1900000000.5}"#)).unwrap();
        assert!(with_fraction > expected);
    }

    #[test]
    fn has_none_where_none_is_said() {
        for token in ["", "opaque", "a.b", "a.!!!.c", &jwt("{}"), &jwt(r#"{"exp":"soon"}"#), &jwt(r#"{"exp":-1}"#)] {
            assert_eq!(expiry(token), None, "{token}");
        }
        assert_eq!(expiry(&jwt(r#"{"exp":1e300}"#)), None);
    }

    proptest! {
        #[test]
        fn takes_any_text(token in any::<String>(), payload in any::<String>()) {
            let _ = expiry(&token);
            let _ = expiry(&jwt(&payload));
        }
    }
}
