use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example.com";

fn now() -> UnixMillis {
    UnixMillis::from_seconds(NOW)
}

fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(claims))
}

fn check(claims: &Value) -> Result<UserClaims, ServiceError> {
    TrustedIssuers::default().check(&unsigned(claims), now())
}

type Sign = dyn Fn(&[u8]) -> Vec<u8>;

/// A key pair of an issuer: what signs, and the JWK of what verifies.
struct Signer {
    algorithm: &'static str,
    sign: Box<Sign>,
    jwk: Value,
}

impl Signer {
    fn ecdsa(algorithm: &'static str, kid: &str) -> Self {
        let (signing, curve) = match algorithm {
            "ES256" => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
        };
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "kid": kid, "x": encode(x), "y": encode(y) });
        let sign = move |text: &[u8]| pair.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec();
        Self { algorithm, sign: Box::new(sign), jwk }
    }

    fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(pair.public_key().as_ref()) });
        Self { algorithm: "EdDSA", sign: Box::new(move |text| pair.sign(text).as_ref().to_vec()), jwk }
    }

    fn rsa(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let jwk = json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": encode(&public.n), "e": encode(&public.e) });
        let sign = move |text: &[u8]| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
            signature
        };
        Self { algorithm: "RS256", sign: Box::new(sign), jwk }
    }

    fn token(&self, kid: Option<&str>, claims: &Value) -> String {
        let mut header = json!({ "typ": "JWT", "alg": self.algorithm });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = encode(&(self.sign)(text.as_bytes()));
        format!("{text}.{signature}")
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn trusting(keys: &[&Value]) -> TrustedIssuers {
    let mut issuers = TrustedIssuers::default();
    issuers.add(ISSUER, &json!({ "keys": keys }).to_string()).unwrap();
    issuers
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "ada", "exp": NOW + 60 })
}

#[test]
fn a_jwt_says_who_and_until_when() {
    let claims = check(&json!({ "iss": ISSUER, "sub": "ada", "exp": NOW + 1, "nbf": NOW, "aud": ["x"] })).unwrap();
    let expires = UnixMillis::from_seconds(NOW + 1);
    assert_eq!(claims, UserClaims { subject: "ada".into(), issuer: Some(ISSUER.into()), expires });
    assert_eq!(check(&json!({ "sub": "ada", "exp": 1_800_000_001.5 })).unwrap().expires, expires);
}

#[test]
fn lifetimes_hold() {
    for (claims, expected) in [
        (json!({ "sub": "ada", "exp": NOW }), "Token has expired"),
        (json!({ "sub": "ada", "exp": 0 }), "Token has expired"),
        (json!({ "sub": "ada", "exp": NOW + 60, "nbf": NOW + 1 }), "nbf is in the future"),
    ] {
        let error = check(&claims).unwrap_err();
        assert_eq!((error.code(), error.status()), ("UnauthorizedException", 401));
        assert!(error.message().contains(expected), "{error}");
    }
}

#[test]
fn claims_must_be_there_and_of_their_type() {
    for (claims, expected) in [
        (json!({ "exp": NOW + 1 }), "the claim sub is required"),
        (json!({ "sub": "", "exp": NOW + 1 }), "the claim sub is not a non-empty string"),
        (json!({ "sub": 7, "exp": NOW + 1 }), "the claim sub is not a non-empty string"),
        (json!({ "sub": "ada" }), "the claim exp is required"),
        (json!({ "sub": "ada", "exp": "soon" }), "the claim exp is not a time"),
        (json!({ "sub": "ada", "exp": -1 }), "the claim exp is not a time"),
        (json!(["sub"]), "the payload is not a JSON object"),
        (json!(["ada", ISSUER, null, NOW + 1]), "the payload is not a JSON object"),
    ] {
        let error = check(&claims).unwrap_err();
        assert_eq!((error.code(), error.status()), ("ValidationException", 400));
        assert!(error.message().starts_with("userToken: ") && error.message().contains(expected), "{error}");
    }
}

#[test]
fn the_form_is_checked_and_never_quoted() {
    let header = encode(br#"{"alg": "none"}"#);
    let claims = encode(claims().to_string().as_bytes());
    let with_header = |header: &str| format!("{}.{claims}.x", encode(header.as_bytes()));
    for token in [
        "secret-part",
        "secret.secret",
        "secret.!.x",
        &format!("{header}.secret.x"),
        "a.b.c",
        &with_header("{}"),
        &with_header(r#"{"alg": 7}"#),
        &with_header(r#"["secret"]"#),
    ] {
        let error = TrustedIssuers::default().check(token, now()).unwrap_err();
        assert_eq!(error.code(), "ValidationException");
        assert!(!error.message().contains("secret"), "{error}");
    }
}

#[test]
fn every_supported_signature_verifies() {
    for signer in [Signer::ecdsa("ES256", "k"), Signer::ecdsa("ES384", "k"), Signer::ed25519("k"), Signer::rsa("k")] {
        let issuers = trusting(&[&signer.jwk]);
        for kid in [Some("k"), None] {
            let token = signer.token(kid, &claims());
            assert_eq!(issuers.check(&token, now()).unwrap().subject, "ada", "{}", signer.algorithm);
        }
    }
}

#[test]
fn what_the_issuer_did_not_sign_is_refused() {
    let (signer, stranger) = (Signer::ecdsa("ES256", "k"), Signer::ecdsa("ES256", "k"));
    let (edwards, other_kid) = (Signer::ed25519("k"), Signer::ecdsa("ES256", "other"));
    let issuers = trusting(&[&signer.jwk, &other_kid.jwk]);
    let hmac = {
        let text = format!("{}.{}", encode(br#"{"alg":"HS256","kid":"k"}"#), encode(claims().to_string().as_bytes()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, signer.jwk["x"].as_str().unwrap().as_bytes());
        format!("{text}.{}", encode(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref()))
    };
    let mut other_issuer = claims();
    other_issuer["iss"] = "https://evil.example.com".into();
    let no_issuer = json!({ "sub": "ada", "exp": NOW + 60 });
    for (token, expected) in [
        (stranger.token(Some("k"), &claims()), "does not verify"),
        (edwards.token(Some("k"), &claims()), "does not verify"),
        (other_kid.token(Some("k"), &claims()), "does not verify"),
        (signer.token(Some("unknown"), &claims()), "kid is not in the JWKS"),
        (signer.token(Some("k"), &other_issuer), "not of a trusted issuer"),
        (signer.token(Some("k"), &no_issuer), "not of a trusted issuer"),
        (unsigned(&claims()), "names no algorithm that is supported"),
        (hmac, "does not verify"),
    ] {
        let error = issuers.check(&token, now()).unwrap_err();
        assert_eq!((error.code(), error.status()), ("UnauthorizedException", 401));
        assert!(error.message().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_key_is_used_only_as_declared() {
    let mut signer = Signer::rsa("k");
    signer.jwk["alg"] = "PS256".into();
    let token = signer.token(Some("k"), &claims());
    assert!(trusting(&[&signer.jwk]).check(&token, now()).is_err());
    signer.jwk["alg"] = "RS256".into();
    assert!(trusting(&[&signer.jwk]).check(&token, now()).is_ok());
}

#[test]
fn keys_of_unknown_kinds_are_passed_over() {
    let signer = Signer::ecdsa("ES256", "k");
    let encryption = json!({ "kty": "OKP", "crv": "X25519", "use": "enc", "kid": "e", "x": encode(&[7; 32]) });
    let of_the_future = json!({ "kty": "AKP", "alg": "ML-DSA-65", "kid": "f", "pub": encode(&[7; 32]) });
    let issuers = trusting(&[&encryption, &of_the_future, &signer.jwk]);
    assert_eq!(issuers.check(&signer.token(Some("k"), &claims()), now()).unwrap().subject, "ada");
}

#[test]
fn a_key_set_without_a_public_key_is_refused() {
    let problem = |jwks: &str| TrustedIssuers::default().add(ISSUER, jwks).unwrap_err();
    assert!(problem("nonsense").contains("cannot be read"));
    assert!(problem(r#"{"keys": []}"#).contains("has no public key"));
    let list = json!([[Signer::ecdsa("ES256", "k").jwk]]).to_string();
    assert!(problem(&list).contains("it is not a JSON object"));
    let symmetric = r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}"#;
    assert!(problem(symmetric).contains("has no public key"));
    let mut encryption = Signer::ecdsa("ES256", "k").jwk;
    encryption["use"] = "enc".into();
    assert!(problem(&json!({ "keys": [encryption] }).to_string()).contains("has no public key"));
}

proptest! {
    #[test]
    fn no_token_breaks_the_reader(token in "[A-Za-z0-9_=-]{1,40}\\.[A-Za-z0-9_=-]{1,40}\\.[A-Za-z0-9_=-]{1,40}") {
        let _ = TrustedIssuers::default().check(&token, now());
    }

    #[test]
    fn no_claims_break_the_reader(sub in any::<String>(), exp in any::<f64>(), nbf in any::<i64>()) {
        let _ = check(&json!({ "sub": sub, "exp": exp, "nbf": nbf }));
    }
}
