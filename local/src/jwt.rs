//! A user's JWT: its form, its lifetime, and, where an issuer is trusted, its signature.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::clock::UnixMillis;
use crate::error::{Code, ServiceError};
use crate::limits;

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

/// The issuers whose signatures are checked. With none, any signature is taken for good.
#[derive(Default)]
pub(crate) struct TrustedIssuers(BTreeMap<String, Vec<PublicKey>>);

struct PublicKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl TrustedIssuers {
    /// Adds an issuer with its JWKS. `Err` says what is wrong with it.
    pub(crate) fn add(&mut self, issuer: &str, jwks: &str) -> Result<(), String> {
        // A set may hold keys of kinds that are not known here; RFC 7517 has them passed over.
        #[derive(Deserialize)]
        struct KeySet {
            keys: Vec<Value>,
        }
        let set: KeySet = serde_json::from_str(jwks)
            .map_err(|error| format!("the JWKS of trusted issuer {issuer:?} cannot be read: {error}"))?;
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        let keys: Vec<PublicKey> = known.filter_map(|key| PublicKey::of(&key)).collect();
        if keys.is_empty() {
            return Err(format!(
                "the JWKS of trusted issuer {issuer:?} has no public key for signatures (RSA, P-256, P-384 or Ed25519)"
            ));
        }
        self.0.entry(issuer.to_owned()).or_default().extend(keys);
        Ok(())
    }

    /// # Errors
    /// `ValidationException` for what is no JWT with the needed claims, `UnauthorizedException` for one that does not hold now.
    pub(crate) fn check(&self, token: &str, now: UnixMillis) -> Result<UserClaims, ServiceError> {
        limits::USER_TOKEN.check(MEMBER, token)?;
        let claims = Claims::read(token)?;
        self.check_signature(token, claims.issuer.as_deref())?;
        if claims.not_before.is_some_and(|not_before| now < not_before) {
            return Err(unauthorized("The user token is not valid yet: its nbf is in the future"));
        }
        if now >= claims.expires {
            return Err(unauthorized("Token has expired"));
        }
        Ok(UserClaims { subject: claims.subject, issuer: claims.issuer, expires: claims.expires })
    }

    fn check_signature(&self, token: &str, issuer: Option<&str>) -> Result<(), ServiceError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let keys = issuer.and_then(|issuer| self.0.get(issuer)).ok_or_else(|| {
            unauthorized("The user token is not of a trusted issuer: its iss is not one that was configured")
        })?;
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| unauthorized("The user token's header names no algorithm that is supported"))?;
        let mut candidates = keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid).peekable();
        if candidates.peek().is_none() {
            return Err(unauthorized("The user token's kid is not in the JWKS of its issuer"));
        }
        if candidates.any(|key| key.verifies(token, header.alg)) {
            Ok(())
        } else {
            Err(unauthorized("The user token's signature does not verify with the JWKS of its issuer"))
        }
    }
}

impl PublicKey {
    /// A key that can verify signatures. Symmetric ones cannot be trusted for that: who verifies could also sign.
    fn of(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
            return None;
        }
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
            _ => return None,
        };
        if let Some(declared) = jwk.common.key_algorithm {
            algorithms.retain(|algorithm| declared.to_string() == format!("{algorithm:?}"));
        }
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (!algorithms.is_empty()).then(|| Self { id: jwk.common.key_id.clone(), algorithms, key })
    }

    fn verifies(&self, token: &str, algorithm: Algorithm) -> bool {
        if !self.algorithms.contains(&algorithm) {
            return false;
        }
        // Claims are checked by this module's own clock; here only the signature counts.
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, &self.key, &validation).is_ok()
    }
}

struct Claims {
    subject: String,
    issuer: Option<String>,
    expires: UnixMillis,
    not_before: Option<UnixMillis>,
}

impl Claims {
    fn read(token: &str) -> Result<Self, ServiceError> {
        #[derive(Deserialize)]
        struct Raw {
            sub: Option<Value>,
            iss: Option<Value>,
            exp: Option<Value>,
            nbf: Option<Value>,
        }
        let mut parts = token.split('.');
        let mut part = |name: &str| {
            parts
                .next()
                .and_then(|part| BASE64.decode(part).ok())
                .ok_or_else(|| ServiceError::invalid_member(MEMBER, format!("the {name} is not base64url")))
        };
        let (header, payload) = (part("header")?, part("payload")?);
        serde_json::from_slice::<serde_json::Map<String, Value>>(&header)
            .map_err(|_| ServiceError::invalid_member(MEMBER, "the header is not a JSON object"))?;
        let raw: Raw = serde_json::from_slice(&payload)
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
        })
    }
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
