//! Private keys that stand in for asymmetric keys of AWS KMS, which is out of reach here.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::store::AssertionAlgorithm;

/// A key of a type that KMS has and a client assertion may be signed with.
pub(crate) enum SigningKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// A new key for an algorithm, in PKCS #8.
    pub(crate) fn generate(algorithm: AssertionAlgorithm) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let der = match algorithm {
            AssertionAlgorithm::Rs256 | AssertionAlgorithm::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec()
            }
            AssertionAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(der))
    }

    /// The PKCS #8 in a PEM text. `Err` says what is wrong, and quotes nothing of it.
    pub(crate) fn pkcs8_of_pem(pem: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
            .ok_or("is not a PEM file with one PRIVATE KEY (PKCS #8, unencrypted); `openssl pkcs8 -topk8 -nocrypt` makes one")?;
        let text: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
        let der =
            STANDARD.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| "is damaged: its body is not base64")?;
        match Self::from_pkcs8(&der) {
            Some(_) => Ok(der),
            None => Err("is neither an RSA key of 2048 to 8192 bits nor an ECDSA key on P-256"),
        }
    }

    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let p256 = || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::P256);
        RsaKeyPair::from_pkcs8(der).ok().map(Self::Rsa).or_else(p256)
    }

    pub(crate) fn fits(&self, algorithm: AssertionAlgorithm) -> bool {
        matches!(self, Self::P256(_)) == (algorithm == AssertionAlgorithm::Es256)
    }

    /// The signature of a JWS. Fails if the key does not [fit](Self::fits).
    pub(crate) fn sign(&self, algorithm: AssertionAlgorithm, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match (self, algorithm) {
            (Self::Rsa(key), AssertionAlgorithm::Rs256 | AssertionAlgorithm::Ps256) => {
                let padding = match algorithm {
                    AssertionAlgorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
            (Self::P256(key), AssertionAlgorithm::Es256) => Ok(key.sign(&random, message)?.as_ref().to_vec()),
            _ => Err(Unspecified),
        }
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(key) => {
                let key = key.public_key();
                let (modulus, exponent) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA",
                    "use": "sig",
                    "n": encode(modulus.big_endian_without_leading_zero()),
                    "e": encode(exponent.big_endian_without_leading_zero()),
                })
            }
            Self::P256(key) => {
                // An uncompressed point: a byte that says so, and two coordinates of 32 bytes.
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "use": "sig", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, crypto};

    use super::*;

    const ALGORITHMS: [(AssertionAlgorithm, Algorithm); 3] = [
        (AssertionAlgorithm::Rs256, Algorithm::RS256),
        (AssertionAlgorithm::Ps256, Algorithm::PS256),
        (AssertionAlgorithm::Es256, Algorithm::ES256),
    ];

    #[test]
    fn what_it_signs_its_public_key_verifies() {
        for (algorithm, jws) in ALGORITHMS {
            let key = SigningKey::from_pkcs8(&SigningKey::generate(algorithm).unwrap()).unwrap();
            let signature = URL_SAFE_NO_PAD.encode(key.sign(algorithm, b"message").unwrap());
            let public = DecodingKey::from_jwk(&serde_json::from_value(key.jwk()).unwrap()).unwrap();
            assert!(crypto::verify(&signature, b"message", &public, jws).unwrap(), "{algorithm:?}");
            assert!(!crypto::verify(&signature, b"another", &public, jws).unwrap(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_signs_with_the_algorithms_of_its_type() {
        let rsa = SigningKey::from_pkcs8(&SigningKey::generate(AssertionAlgorithm::Ps256).unwrap()).unwrap();
        let p256 = SigningKey::from_pkcs8(&SigningKey::generate(AssertionAlgorithm::Es256).unwrap()).unwrap();
        for (algorithm, _) in ALGORITHMS {
            assert_eq!(rsa.fits(algorithm), rsa.sign(algorithm, b"").is_ok());
            assert_eq!(p256.fits(algorithm), p256.sign(algorithm, b"").is_ok());
            assert_ne!(rsa.fits(algorithm), p256.fits(algorithm));
        }
    }

    #[test]
    fn a_pem_file_holds_one_key_that_fits() {
        let der = SigningKey::generate(AssertionAlgorithm::Es256).unwrap();
        let body = STANDARD.encode(&*der);
        let (first, second) = body.split_at(64);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{first}\n{second}\n-----END PRIVATE KEY-----\n");
        assert_eq!(SigningKey::pkcs8_of_pem(&pem).unwrap(), der);
        for (bad, problem) in [
            (body.clone(), "is not a PEM file"),
            (pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"), "is not a PEM file"),
            (pem.replace(second, "!"), "is not base64"),
            (pem.replace(second, ""), "is neither an RSA key"),
        ] {
            let error = SigningKey::pkcs8_of_pem(&bad).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
