//! A user's JWT: its form, its lifetime, and, where an issuer is trusted, its signature.

mod keys;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

use crate::clock::UnixMillis;
use crate::error::{Code, ServiceError};
use crate::json;
use crate::limits;
pub(crate) use keys::KeySet;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The member of the request that carries the JWT, for error texts.
const MEMBER: &str = "userToken";

/// What a checked JWT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserClaims {
    pub(crate) subject: String,
    pub(crate) issuer: Option<String>,
    pub(crate) expires: UnixMillis,
}

/// The issuers whose signatures are checked. With none but the service's own, any other's signature is taken for good.
#[derive(Default)]
pub(crate) struct TrustedIssuers {
    keys: BTreeMap<String, KeySet>,
    others_are_refused: bool,
}

impl TrustedIssuers {
    /// Adds an issuer with its JWKS. `Err` says what is wrong with it.
    pub(crate) fn add(&mut self, issuer: &str, jwks: &str) -> Result<(), String> {
        let keys = KeySet::parse(jwks)
            .map_err(|error| format!("the JWKS of trusted issuer {issuer:?} cannot be read: {error}"))?;
        if keys.is_empty() {
            return Err(format!(
                "the JWKS of trusted issuer {issuer:?} has no public key for signatures (RSA, P-256, P-384 or Ed25519)"
            ));
        }
        self.keys.entry(issuer.to_owned()).or_default().extend(keys);
        self.others_are_refused = true;
        Ok(())
    }

    /// Adds the service's own identity provider, which says nothing about whom else to trust.
    pub(crate) fn add_own(&mut self, issuer: &str, keys: KeySet) {
        self.keys.entry(issuer.to_owned()).or_default().extend(keys);
    }

    /// # Errors
    /// `ValidationException` for what is no JWT with the needed claims, `UnauthorizedException` for one that does not
    /// hold now.
    pub(crate) fn check(&self, token: &str, now: UnixMillis) -> Result<UserClaims, ServiceError> {
        self.check_with(token, now, self.others_are_refused)
    }

    /// [`check`](Self::check) where nobody's word is taken: the signature must be that of an issuer that is known.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn check_signed(&self, token: &str, now: UnixMillis) -> Result<UserClaims, ServiceError> {
        self.check_with(token, now, true)
    }

    fn check_with(&self, token: &str, now: UnixMillis, only_known: bool) -> Result<UserClaims, ServiceError> {
        limits::USER_TOKEN.check(MEMBER, token)?;
        let claims = Claims::read(token)?;
        match claims.issuer.as_deref().and_then(|issuer| self.keys.get(issuer)) {
            Some(keys) => keys.verify(token).map_err(|what| unauthorized(&format!("The user token's {what}")))?,
            None if only_known => {
                return Err(unauthorized(
                    "The user token is not of a trusted issuer: its iss is not one that was configured",
                ));
            }
            None => {}
        }
        if claims.not_before.is_some_and(|not_before| now < not_before) {
            return Err(unauthorized("The user token is not valid yet: its nbf is in the future"));
        }
        if now >= claims.expires {
            return Err(unauthorized("Token has expired"));
        }
        Ok(UserClaims { subject: claims.subject, issuer: claims.issuer, expires: claims.expires })
    }
}

/// What a JWT claims. Whether it holds is another question.
pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) expires: UnixMillis,
    pub(crate) not_before: Option<UnixMillis>,
    /// `jti`
    pub(crate) id: Option<String>,
    /// `client_id`, of access tokens
    pub(crate) client: Option<String>,
    /// `sid`, which in tokens of the service's own identity provider is the grant
    pub(crate) session: Option<String>,
}

impl Claims {
    pub(crate) fn read(token: &str) -> Result<Self, ServiceError> {
        #[derive(Deserialize)]
        struct Header {
            #[serde(rename = "alg")]
            _algorithm: String,
        }
        #[derive(Deserialize)]
        struct Raw {
            sub: Option<Value>,
            iss: Option<Value>,
            aud: Option<Value>,
            exp: Option<Value>,
            nbf: Option<Value>,
            jti: Option<Value>,
            client_id: Option<Value>,
            sid: Option<Value>,
        }
        let mut parts = token.split('.');
        let mut part = |name: &str| {
            parts
                .next()
                .and_then(|part| BASE64.decode(part).ok())
                .ok_or_else(|| ServiceError::invalid_member(MEMBER, format!("the {name} is not base64url")))
        };
        let (header, payload) = (part("header")?, part("payload")?);
        json::object::<Header>(&header)
            .map_err(|_| ServiceError::invalid_member(MEMBER, "the header is not a JSON object with a text alg"))?;
        let raw: Raw = json::object(&payload)
            .map_err(|_| ServiceError::invalid_member(MEMBER, "the payload is not a JSON object with claims"))?;
        let text = |name: &str, claim: Option<Value>| match claim {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(ServiceError::invalid_member(MEMBER, format!("the claim {name} is not a non-empty string"))),
        };
        let time = |name: &str, claim: Option<Value>| match claim {
            None => Ok(None),
            Some(claim) => numeric_date(&claim).map(Some).ok_or_else(|| {
                ServiceError::invalid_member(MEMBER, format!("the claim {name} is not a time in seconds since 1970"))
            }),
        };
        let missing = |name: &str| ServiceError::invalid_member(MEMBER, format!("the claim {name} is required"));
        Ok(Self {
            subject: text("sub", raw.sub)?.ok_or_else(|| missing("sub"))?,
            issuer: text("iss", raw.iss)?,
            expires: time("exp", raw.exp)?.ok_or_else(|| missing("exp"))?,
            not_before: time("nbf", raw.nbf)?,
            audiences: match raw.aud {
                Some(Value::String(one)) => vec![one],
                Some(Value::Array(several)) => several.into_iter().filter_map(string).collect(),
                _ => Vec::new(),
            },
            id: raw.jti.and_then(string),
            client: raw.client_id.and_then(string),
            session: raw.sid.and_then(string),
        })
    }
}

/// A claim that no operation demands counts only if it is of its type.
fn string(claim: Value) -> Option<String> {
    if let Value::String(text) = claim { Some(text) } else { None }
}

/// RFC 7519 allows fractions; the second that has begun is what counts.
fn numeric_date(claim: &Value) -> Option<UnixMillis> {
    let seconds = match (claim.as_u64(), claim.as_f64()) {
        (Some(seconds), _) => seconds,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, after the check")]
        (None, Some(seconds)) if seconds >= 0.0 => seconds as u64,
        _ => return None,
    };
    Some(UnixMillis::from_seconds(seconds))
}

/// The subject of a JWT that need not hold, for the log of calls.
pub(crate) fn unverified_subject(token: &str) -> Option<String> {
    Claims::read(token).ok().map(|claims| claims.subject)
}

fn unauthorized(message: &str) -> ServiceError {
    ServiceError::new(Code::Unauthorized, message)
}

#[cfg(test)]
mod tests;
