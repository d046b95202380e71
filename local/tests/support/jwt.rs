//! JWTs of users whom no issuer vouches for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A JWT that does not expire while a test runs.
pub(crate) fn of(subject: &str) -> String {
    unsigned(&json!({ "sub": subject, "exp": 4_102_444_800_u64, "email": "x" }))
}

pub(crate) fn unsigned(claims: &Value) -> String {
    format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(claims))
}

/// The header or the claims, as they stand in a JWT.
pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
