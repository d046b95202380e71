//! How a client proves that it is that client.

use agentcore_identity_local::LocalIdentity;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::jwt::unsigned;
use crate::world::{SECRET, World, basic, error, in_seconds, refused, register, signed};

const KMS_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::test]
async fn a_client_may_act_for_itself_if_it_is_that_client() {
    let world = World::start().await;
    let grant = [("grant_type", "client_credentials"), ("scope", "read"), ("audience", "api")];
    let by_header = world.token(&grant).await.json();
    let claims = world.claims(by_header["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["aud"], &claims["scope"]), (&json!("web"), &json!("api"), &json!("read")));
    assert_eq!(by_header.get("refresh_token"), None);
    let in_body = [&grant[..], &[("client_id", "web"), ("client_secret", SECRET)]].concat();
    assert_eq!(world.post("/idp/token", None, &in_body).await.status, 200);

    let wrong = [
        (Some(basic("web", "wrong")), vec![]),
        (Some(basic("nobody", SECRET)), vec![]),
        (Some("Bearer abc".to_owned()), vec![]),
        (None, vec![]),
        (None, vec![("client_id", "web")]),
        (None, vec![("client_id", "web"), ("client_secret", "wrong")]),
    ];
    for (header, more) in wrong {
        let answer = world.post("/idp/token", header.as_deref(), &[&grant[..], &more].concat()).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{header:?} {more:?}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    let twice = world.post("/idp/token", Some(&basic("web", SECRET)), &in_body).await;
    assert_eq!(error(&twice), refused(400, "invalid_request"));
}

#[tokio::test]
async fn a_client_with_a_key_signs_an_assertion_once() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let pem = STANDARD.encode(key.to_pkcs8v1().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
    let world = World::of(LocalIdentity::builder().kms_key(KMS_KEY, pem).start().await.unwrap()).await;
    let settings = json!({
        "clientAuthenticationMethod": "PRIVATE_KEY_JWT",
        "privateKeyJwtConfig": {
            "privateKeySource": { "kmsKeySource": { "kmsKeyArn": KMS_KEY } },
            "signingAlgorithm": "ES256",
        },
    });
    register(&world.local, "signing", settings).await;
    let claims = |changes: Value| {
        let mut claims = json!({ "iss": "signing", "sub": "signing", "aud": world.issuer(), "exp": in_seconds(60) });
        claims["jti"] = "1".into();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let ask = async |assertion: String| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        world.post("/idp/token", None, &fields).await
    };
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    for assertion in [
        unsigned(&claims(json!({}))),
        signed(&stranger, &claims(json!({}))),
        signed(&key, &claims(json!({ "aud": "https://elsewhere.example.com" }))),
        signed(&key, &claims(json!({ "iss": "web" }))),
        signed(&key, &claims(json!({ "iss": "web", "sub": "web" }))),
        signed(&key, &claims(json!({ "exp": in_seconds(0) }))),
        signed(&key, &claims(json!({ "exp": in_seconds(7200) }))),
        signed(&key, &claims(json!({ "jti": null }))),
        "no.jwt.here".to_owned(),
    ] {
        assert_eq!(error(&ask(assertion.clone()).await), refused(401, "invalid_client"), "{assertion}");
    }
    let good = signed(&key, &claims(json!({})));
    let answer = ask(good.clone()).await.json();
    assert_eq!(world.claims(answer["access_token"].as_str().unwrap()).await["sub"], "signing");
    assert_eq!(error(&ask(good).await), refused(401, "invalid_client"));
    let endpoint = format!("{}/token", world.issuer());
    assert_eq!(ask(signed(&key, &claims(json!({ "jti": "2", "aud": [endpoint] })))).await.status, 200);
    // It has no secret that would do instead.
    let fields = [("grant_type", "client_credentials"), ("client_id", "signing"), ("client_secret", SECRET)];
    assert_eq!(error(&world.post("/idp/token", None, &fields).await), refused(401, "invalid_client"));
}
