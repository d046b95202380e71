//! What is checked of an ID token: that it answers our own request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::failure::Failure;
use crate::json;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Checks the ID token that came with an authorization code's tokens.
///
/// It came from the token endpoint itself, over TLS or on this machine, so OIDC Core 3.1.3.7 asks for no check of
/// its signature. The `nonce` is what matters: a code that was had for another request brings another one.
pub(super) fn check(token: &str, issuer: &str, client_id: &str, nonce: &str) -> Result<(), Failure> {
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Claims> = payload.and_then(|payload| json::object(&payload).ok());
    let claims = claims.ok_or(Failure::Untrusted("its ID token cannot be read"))?;
    if claims.nonce.as_deref() != Some(nonce) {
        return Err(Failure::Untrusted("its ID token answers another request (the nonce differs)"));
    }
    let for_client = match &claims.aud {
        Audience::One(audience) => audience == client_id,
        Audience::Many(audiences) => audiences.iter().any(|audience| audience == client_id),
    };
    if !for_client {
        return Err(Failure::Untrusted("its ID token is for another client"));
    }
    // One issuer for all tenants is known to name itself with the tenant put in.
    if claims.iss != issuer && !issuer.contains("{tenantid}") {
        return Err(Failure::Untrusted("its ID token is of another issuer"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_answer_to_our_own_request_passes() {
        let token = |claims: serde_json::Value| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let check = |token: &str| check(token, "https://idp", "client", "n-1");
        let good = json!({ "iss": "https://idp", "aud": "client", "nonce": "n-1" });
        assert_eq!(check(&token(good.clone())), Ok(()));
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            token(claims)
        };
        assert_eq!(check(&with("aud", json!(["other", "client"]))), Ok(()));
        for (token, problem) in [
            (with("nonce", json!("n-2")), "nonce"),
            (with("nonce", json!(null)), "nonce"),
            (with("aud", json!("other")), "another client"),
            (with("iss", json!("https://evil")), "another issuer"),
            (with("iss", json!(1)), "cannot be read"),
            ("garbage".to_owned(), "cannot be read"),
            (token(json!(["https://idp", "client", "n-1"])), "cannot be read"),
        ] {
            let failure = check(&token).unwrap_err().to_string();
            assert!(failure.contains(problem), "{failure}");
        }
    }
}
