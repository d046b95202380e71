//! `private_key_jwt`: a client proves who it is with a JWT that it signs (RFC 7523).

use std::time::Duration;

use serde_json::{Map, Value};

use super::failure::Failure;
use crate::clock::UnixMillis;
use crate::random;
use crate::signing::{Algorithm, SigningKey};
use crate::store::{AssertionAlgorithm, PrivateKeyJwt};

/// How long an assertion is good: long enough for one request.
pub(super) const LIFETIME: Duration = Duration::from_mins(1);

/// What it takes to sign assertions for one client at one token endpoint.
pub(super) struct AssertionSigner {
    config: PrivateKeyJwt,
    key: SigningKey,
    client_id: String,
    audience: String,
}

impl AssertionSigner {
    /// `pkcs8` is the key that stands in for the one of KMS which the provider's record names.
    pub(super) fn new(config: &PrivateKeyJwt, pkcs8: &[u8], client_id: &str, audience: &str) -> Result<Self, Failure> {
        let algorithm = match config.algorithm {
            AssertionAlgorithm::Rs256 => Algorithm::Rs256,
            AssertionAlgorithm::Ps256 => Algorithm::Ps256,
            AssertionAlgorithm::Es256 => Algorithm::Es256,
        };
        let key = SigningKey::from_pkcs8(algorithm, pkcs8).map_err(|_| {
            Failure::Unusable(format!(
                "the key {} is not one for {}; use another key, or the algorithm that it was first used with",
                config.kms_key_arn,
                algorithm.as_str()
            ))
        })?;
        let (client_id, audience) = (client_id.to_owned(), audience.to_owned());
        Ok(Self { config: config.clone(), key, client_id, audience })
    }

    /// A new assertion. Each is for one request.
    pub(super) fn sign(&self, now: UnixMillis) -> Result<String, Failure> {
        let text = |value: &str| Value::from(value);
        let own = |claims: &crate::store::Claims| -> Map<String, Value> {
            claims.0.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        let mut header = own(&self.config.header_claims);
        header.insert("typ".to_owned(), text("JWT"));
        let mut payload = own(&self.config.payload_claims);
        payload.extend([
            ("iss".to_owned(), text(&self.client_id)),
            ("sub".to_owned(), text(&self.client_id)),
            ("aud".to_owned(), text(&self.audience)),
            ("jti".to_owned(), random::uuid()?.into()),
            ("iat".to_owned(), now.as_seconds().into()),
            ("nbf".to_owned(), now.as_seconds().into()),
            ("exp".to_owned(), now.saturating_add(LIFETIME).as_seconds().into()),
        ]);
        Ok(self.key.sign_with_header(header, &payload)?)
    }
}
