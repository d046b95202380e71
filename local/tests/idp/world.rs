//! A service whose identity provider has a client, and what a client does there.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use agentcore_identity_local::LocalIdentity;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use crate::support::browser::{Browser, query};
use crate::support::jwt::part;
use crate::support::{Answer, Client};

pub(crate) const SECRET: &str = "client+secret/0123456789:%";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A service whose identity provider has a client, `web`.
pub(crate) struct World {
    pub(crate) local: LocalIdentity,
    pub(crate) client: Client,
    pub(crate) callback: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::of(LocalIdentity::builder().workload_identity("my-agent").start().await.unwrap()).await
    }

    pub(crate) async fn of(local: LocalIdentity) -> Self {
        let client = Client::of(&local);
        let callback = register(&local, "web", json!({ "clientSecret": SECRET })).await;
        Self { local, client, callback }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("{}/idp", self.local.endpoint_url())
    }

    pub(crate) fn authorize(&self, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut fields = BTreeMap::from([
            ("client_id", "web"),
            ("redirect_uri", &self.callback),
            ("response_type", "code"),
            ("scope", "openid repo"),
            ("state", "s&1"),
            ("nonce", "n1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        fields.extend(changes.iter().copied());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        format!("/idp/authorize?{query}")
    }

    pub(crate) async fn code(&self, changes: &[(&str, &str)]) -> String {
        let url = Browser::of(&self.local).decide(&self.authorize(changes), "ada", "allow").await;
        query(&url)["code"].clone()
    }

    pub(crate) async fn post(&self, path: &str, authorization: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.client.plain("POST", path, &headers, &body).await
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("/idp/token", Some(&basic("web", SECRET)), fields).await
    }

    pub(crate) async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let mut fields = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", VERIFIER),
        ]);
        fields.extend(changes.iter().copied());
        self.token(&fields.into_iter().collect::<Vec<_>>()).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        self.client.plain("GET", "/idp/userinfo", &[("authorization", &format!("Bearer {token}"))], "").await
    }

    /// What a token says, after a check of its signature with the published keys.
    pub(crate) async fn claims(&self, token: &str) -> Value {
        let keys: JwkSet =
            serde_json::from_value(self.client.plain("GET", "/idp/jwks.json", &[], "").await.json()).unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.validate_aud = false;
        validation.validate_exp = false;
        let claims: Value = jsonwebtoken::decode(token, &key, &validation).unwrap().claims;
        assert_eq!(claims["iss"], self.issuer());
        claims
    }
}

/// Makes a credential provider, and with it a client of the same name; returns its redirect URI.
pub(crate) async fn register(local: &LocalIdentity, name: &str, settings: Value) -> String {
    let discovery = format!("{}/idp/.well-known/openid-configuration", local.endpoint_url());
    let mut config = json!({ "oauthDiscovery": { "discoveryUrl": discovery }, "clientId": name });
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let input = json!({
        "name": name,
        "credentialProviderVendor": "CustomOauth2",
        "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
    });
    let created = Client::of(local).call("CreateOauth2CredentialProvider", input).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.json()["callbackUrl"].as_str().unwrap().to_owned()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

pub(crate) fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

pub(crate) fn signed(key: &EcdsaKeyPair, claims: &Value) -> String {
    let message = format!("{}.{}", part(&json!({ "alg": "ES256" })), part(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) fn in_seconds(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds
}
