//! Keys of the service's own that sign JWTs, and the public halves by which others check them.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::digest::sha256_hex;

/// What a key signs with, by its name in JWTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    Es256,
    Es384,
    Ps256,
    Rs256,
}

impl Algorithm {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// A private key, which never leaves this process.
pub(crate) struct SigningKey {
    id: String,
    algorithm: Algorithm,
    pair: Pair,
    public: Value,
}

enum Pair {
    Elliptic(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl SigningKey {
    /// A new key. For RSA this takes long enough to belong on a thread of its own.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        match algorithm {
            Algorithm::Es256 => {
                Self::elliptic(algorithm, EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?, "P-256")
            }
            Algorithm::Es384 => {
                Self::elliptic(algorithm, EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?, "P-384")
            }
            Algorithm::Ps256 | Algorithm::Rs256 => Ok(Self::rsa(algorithm, RsaKeyPair::generate(KeySize::Rsa2048)?)),
        }
    }

    /// A private key in PKCS #8. `Err` if it is none, or none that the algorithm can use.
    pub(crate) fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Unspecified> {
        match algorithm {
            Algorithm::Es256 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| Unspecified)?;
                Self::elliptic(algorithm, pair, "P-256")
            }
            Algorithm::Es384 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8).map_err(|_| Unspecified)?;
                Self::elliptic(algorithm, pair, "P-384")
            }
            Algorithm::Ps256 | Algorithm::Rs256 => {
                Ok(Self::rsa(algorithm, RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Unspecified)?))
            }
        }
    }

    fn elliptic(algorithm: Algorithm, pair: EcdsaKeyPair, curve: &'static str) -> Result<Self, Unspecified> {
        // An uncompressed point: 4, x, y.
        let point = pair.public_key().as_ref().get(1..).ok_or(Unspecified)?;
        let (x, y) = point.split_at(point.len() / 2);
        let public = json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) });
        Ok(Self::new(algorithm, Pair::Elliptic(pair), public))
    }

    fn rsa(algorithm: Algorithm, pair: RsaKeyPair) -> Self {
        let encoding: &dyn RsaEncoding =
            if algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let public = json!({ "kty": "RSA", "n": encoded(&n), "e": encoded(&e) });
        Self::new(algorithm, Pair::Rsa(pair, encoding), public)
    }

    fn new(algorithm: Algorithm, pair: Pair, mut public: Value) -> Self {
        let mut id = sha256_hex(public.to_string().as_bytes());
        id.truncate(16);
        public["kid"] = id.as_str().into();
        public["alg"] = algorithm.as_str().into();
        public["use"] = "sig".into();
        Self { id, algorithm, pair, public }
    }

    /// The public half, in the form of RFC 7517.
    pub(crate) fn public(&self) -> &Value {
        &self.public
    }

    /// A JWT of the media type `typ`, which names the key.
    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Unspecified> {
        let header = [("typ".to_owned(), typ.into()), ("kid".to_owned(), self.id.as_str().into())];
        self.sign_with_header(Map::from_iter(header), claims)
    }

    /// A JWT with a header of the caller's, but for `alg`. Whoever checks it may know the key by another name, so `kid`
    /// is the caller's too.
    pub(crate) fn sign_with_header(
        &self,
        mut header: Map<String, Value>,
        claims: &impl Serialize,
    ) -> Result<String, Unspecified> {
        header.insert("alg".to_owned(), self.algorithm.as_str().into());
        let part = |json: serde_json::Result<Vec<u8>>| json.map(|json| encoded(&json)).map_err(|_| Unspecified);
        let message = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(claims))?);
        let signature = self.signature(message.as_bytes())?;
        Ok(format!("{message}.{}", encoded(&signature)))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Elliptic(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The document of RFC 7517 that publishes keys.
pub(crate) fn key_set<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    json!({ "keys": keys.into_iter().map(SigningKey::public).collect::<Vec<_>>() })
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    #[test]
    fn another_implementation_verifies_every_algorithm() {
        for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let token = key.sign("at+jwt", &json!({ "sub": "ada" })).unwrap();
            let header = jsonwebtoken::decode_header(&token).unwrap();
            assert_eq!(format!("{:?}", header.alg), algorithm.as_str());
            assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("at+jwt"), key.public()["kid"].as_str()));
            let jwk: Jwk = serde_json::from_value(key.public().clone()).unwrap();
            let mut validation = Validation::new(header.alg);
            validation.required_spec_claims.clear();
            let decoding = DecodingKey::from_jwk(&jwk).unwrap();
            let claims = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap().claims;
            assert_eq!(claims, json!({ "sub": "ada" }));
            let other = SigningKey::generate(algorithm).unwrap().sign("at+jwt", &claims).unwrap();
            assert!(jsonwebtoken::decode::<Value>(&other, &decoding, &validation).is_err());
        }
    }

    #[test]
    fn a_caller_s_header_cannot_change_the_algorithm() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let header = json!({ "alg": "none", "kid": "other", "x5t": "t" }).as_object().unwrap().clone();
        let token = key.sign_with_header(header, &json!({})).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((format!("{:?}", header.alg), header.x5t.as_deref()), ("ES256".to_owned(), Some("t")));
        assert_eq!(header.kid.as_deref(), Some("other"));
    }

    #[test]
    fn only_the_public_half_is_published() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let published = key_set([&key]);
            let members = published["keys"][0].as_object().unwrap();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(!members.contains_key(private), "{private}");
            }
        }
    }
}
