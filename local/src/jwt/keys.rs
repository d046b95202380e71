//! The public keys by which the signatures of JWTs are checked.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::json;

/// The public keys of one issuer.
#[derive(Default)]
pub(crate) struct KeySet(Vec<PublicKey>);

struct PublicKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// The keys of a JWKS that can verify signatures. A set may hold keys of kinds that are not known here; RFC 7517
    /// has them passed over.
    pub(crate) fn parse(jwks: &str) -> serde_json::Result<Self> {
        json::object(jwks.as_bytes()).map(Self::of)
    }

    /// [`parse`](Self::parse) for a set of the service's own.
    pub(crate) fn of_value(jwks: Value) -> Self {
        serde_json::from_value(jwks).map(Self::of).unwrap_or_default()
    }

    fn of(set: Raw) -> Self {
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Self(known.filter_map(|key| PublicKey::of(&key)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// # Errors
    /// What is wrong, to follow "The token's".
    pub(crate) fn verify(&self, token: &str) -> Result<(), &'static str> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| "header names no algorithm that is supported")?;
        let mut candidates = self.0.iter().filter(|key| header.kid.is_none() || key.id == header.kid).peekable();
        if candidates.peek().is_none() {
            return Err("kid is not in the JWKS of its issuer");
        }
        if candidates.any(|key| key.verifies(token, header.alg)) {
            Ok(())
        } else {
            Err("signature does not verify with the JWKS of its issuer")
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    keys: Vec<Value>,
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
        // Claims are checked by the service's own clock; here only the signature counts.
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, &self.key, &validation).is_ok()
    }
}
