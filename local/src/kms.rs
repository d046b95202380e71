//! Private keys, in PKCS #8, that stand in for asymmetric keys of AWS KMS, which is out of reach here.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::signing::{Algorithm, SigningKey};
use crate::store::AssertionAlgorithm;

impl From<AssertionAlgorithm> for Algorithm {
    fn from(algorithm: AssertionAlgorithm) -> Self {
        match algorithm {
            AssertionAlgorithm::Rs256 => Self::Rs256,
            AssertionAlgorithm::Ps256 => Self::Ps256,
            AssertionAlgorithm::Es256 => Self::Es256,
        }
    }
}

/// A new key that an algorithm can use. For RSA this takes long enough to belong on a thread of its own.
pub(crate) fn generate(algorithm: AssertionAlgorithm) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let pkcs8 = match algorithm {
        AssertionAlgorithm::Rs256 | AssertionAlgorithm::Ps256 => {
            RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec()
        }
        AssertionAlgorithm::Es256 => {
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
        }
    };
    Ok(Zeroizing::new(pkcs8))
}

/// The key in a PEM text. `Err` says what is wrong, and quotes nothing of it.
pub(crate) fn from_pem(pem: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let body = pem
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
        .ok_or("it is not PEM of one unencrypted PRIVATE KEY; `openssl pkcs8 -topk8 -nocrypt` makes that of others")?;
    let text: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let pkcs8 = STANDARD.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| "it is damaged: no base64")?;
    if public("", &pkcs8).is_none() {
        return Err("it is neither an RSA key of at least 2048 bits nor one on P-256");
    }
    Ok(pkcs8)
}

/// The public half as a JWK with the key's id at KMS, or `None` for what is no key of a type that can stand here.
pub(crate) fn public(kms_key_arn: &str, pkcs8: &[u8]) -> Option<serde_json::Value> {
    let keys = [Algorithm::Rs256, Algorithm::Es256].map(|algorithm| SigningKey::from_pkcs8(algorithm, pkcs8).ok());
    let mut public = keys.into_iter().flatten().next()?.public().clone();
    public["kid"] = kms_key_arn.rsplit('/').next()?.into();
    // An RSA key serves two algorithms.
    public.as_object_mut()?.remove("alg");
    Some(public)
}

/// Whether an algorithm can use the key.
pub(crate) fn fits(pkcs8: &[u8], algorithm: AssertionAlgorithm) -> bool {
    SigningKey::from_pkcs8(algorithm.into(), pkcs8).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [AssertionAlgorithm; 3] =
        [AssertionAlgorithm::Rs256, AssertionAlgorithm::Ps256, AssertionAlgorithm::Es256];

    #[test]
    fn a_key_serves_the_algorithms_of_its_type() {
        let (rsa, p256) = (generate(AssertionAlgorithm::Rs256).unwrap(), generate(AssertionAlgorithm::Es256).unwrap());
        assert_eq!(ALL.map(|algorithm| fits(&rsa, algorithm)), [true, true, false]);
        assert_eq!(ALL.map(|algorithm| fits(&p256, algorithm)), [false, false, true]);
        let rsa = public("arn:aws:kms:us-east-1:123456789012:key/the-id", &rsa).unwrap();
        assert_eq!((&rsa["kty"], &rsa["kid"], rsa.get("alg")), (&"RSA".into(), &"the-id".into(), None));
        let p256 = public("", &p256).unwrap();
        assert_eq!((&p256["crv"], p256.get("d")), (&"P-256".into(), None));
    }

    #[test]
    fn a_pem_file_holds_one_key_that_fits() {
        let pkcs8 = generate(AssertionAlgorithm::Es256).unwrap();
        let body = STANDARD.encode(&*pkcs8);
        let (first, second) = body.split_at(64);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{first}\n{second}\n-----END PRIVATE KEY-----\n");
        assert_eq!(from_pem(&pem).unwrap(), pkcs8);
        for (bad, problem) in [
            (body.clone(), "is not PEM"),
            (pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"), "is not PEM"),
            (pem.replace(second, "!"), "no base64"),
            (pem.replace(second, ""), "neither an RSA key"),
        ] {
            let error = from_pem(&bad).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
