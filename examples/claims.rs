//! What an access token says of itself. A service that receives one checks its signature; an agent has no need to look.

use agentcore_identity::AccessToken;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Whose token it is and what it allows, and nothing that somebody could use.
pub(crate) fn of(token: &AccessToken) -> String {
    let payload = token.expose().split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let Some(claims) = payload.and_then(|payload| serde_json::from_slice::<Value>(&payload).ok()) else {
        return "with an opaque token".to_owned();
    };
    let claim = |name: &str, none: &str| claims[name].as_str().unwrap_or(none).to_owned();
    format!("with a token for `{}` that allows `{}`", claim("sub", "nobody"), claim("scope", "nothing in particular"))
}
