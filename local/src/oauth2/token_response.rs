//! The answer of a token endpoint, read with the tolerance that real servers ask for.

use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Servers are known to leave out `token_type`, and to send `expires_in` as a text.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProviderTokens {
    access_token: AccessToken,
    #[serde(default = "bearer", deserialize_with = "token_type")]
    token_type: BasicTokenType,
    #[serde(default, deserialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, skip_serializing)]
    pub(super) id_token: Option<IdToken>,
}

/// An ID token as it came. It names a person.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct IdToken(pub(super) String);

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken([redacted])")
    }
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// RFC 8693 has `N_A` where an exchange gave a token of a kind to which the types do not apply.
fn token_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BasicTokenType, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(match text {
        Some(text) if !text.eq_ignore_ascii_case("bearer") && !text.eq_ignore_ascii_case("n_a") => {
            BasicTokenType::Extension(text)
        }
        _ => BasicTokenType::Bearer,
    })
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, after the check")]
    Ok(seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}

impl TokenResponse for ProviderTokens {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_servers_are_understood() {
        for (body, expires, bearer) in [
            (r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#, Some(3600), true),
            (r#"{"access_token":"t","token_type":"bearer","expires_in":"3600","scope":"a,b"}"#, Some(3600), true),
            (r#"{"access_token":"t","expires_in":3599.9,"scope":["a"]}"#, Some(3599), true),
            (r#"{"access_token":"t","token_type":null,"expires_in":null,"refresh_token":null}"#, None, true),
            (r#"{"access_token":"t","token_type":"N_A","expires_in":-1}"#, None, true),
            (r#"{"access_token":"t","token_type":"DPoP"}"#, None, false),
        ] {
            let tokens: ProviderTokens = serde_json::from_str(body).unwrap();
            assert_eq!(tokens.expires_in().map(|life| life.as_secs()), expires, "{body}");
            assert_eq!(*tokens.token_type() == BasicTokenType::Bearer, bearer, "{body}");
        }
        assert!(serde_json::from_str::<ProviderTokens>(r#"{"token_type":"Bearer"}"#).is_err());
    }

    #[test]
    fn nothing_shows_in_debug() {
        let body = r#"{"access_token":"hunter2","refresh_token":"hunter2","id_token":"hunter2"}"#;
        let tokens: ProviderTokens = serde_json::from_str(body).unwrap();
        assert!(!format!("{tokens:?}").contains("hunter2"));
    }
}
