//! The local identity provider over HTTP: every grant, and what each refuses.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentcore_identity_local::{EndUser, LocalIdentity};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};
use support::browser::{Browser, heading, hidden, location, query, text};
use support::{Answer, Client};

const SECRET: &str = "client+secret/0123456789:%";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const KMS_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A service whose identity provider has a client, `web`.
struct World {
    local: LocalIdentity,
    client: Client,
    callback: String,
}

impl World {
    async fn start() -> Self {
        Self::of(LocalIdentity::builder().workload_identity("my-agent").start().await.unwrap()).await
    }

    async fn of(local: LocalIdentity) -> Self {
        let client = Client::of(&local);
        let callback = register(&local, "web", json!({ "clientSecret": SECRET })).await;
        Self { local, client, callback }
    }

    fn issuer(&self) -> String {
        format!("{}/idp", self.local.endpoint_url())
    }

    fn authorize(&self, changes: &[(&str, &str)]) -> String {
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

    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let url = Browser::of(&self.local).decide(&self.authorize(changes), "ada", "allow").await;
        query(&url)["code"].clone()
    }

    async fn post(&self, path: &str, authorization: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.client.plain("POST", path, &headers, &body).await
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("/idp/token", Some(&basic("web", SECRET)), fields).await
    }

    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let mut fields = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", VERIFIER),
        ]);
        fields.extend(changes.iter().copied());
        self.token(&fields.into_iter().collect::<Vec<_>>()).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn userinfo(&self, token: &str) -> Answer {
        self.client.plain("GET", "/idp/userinfo", &[("authorization", &format!("Bearer {token}"))], "").await
    }

    /// What a token says, after a check of its signature with the published keys.
    async fn claims(&self, token: &str) -> Value {
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
async fn register(local: &LocalIdentity, name: &str, settings: Value) -> String {
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

fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(key: &EcdsaKeyPair, claims: &Value) -> String {
    let message = format!("{}.{}", part(&json!({ "alg": "ES256" })), part(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn unsigned(claims: &Value) -> String {
    format!("{}.{}.c2ln", part(&json!({ "alg": "none" })), part(claims))
}

fn in_seconds(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds
}

#[tokio::test]
async fn it_describes_itself_where_each_standard_looks() {
    let world = World::start().await;
    for path in [
        "/idp/.well-known/openid-configuration",
        "/idp/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/idp",
    ] {
        let metadata = world.client.plain("GET", path, &[], "").await.json();
        assert_eq!(metadata["issuer"], world.issuer(), "{path}");
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"] {
            let endpoint = metadata[endpoint].as_str().unwrap();
            let path = endpoint.strip_prefix(world.local.endpoint_url()).unwrap();
            assert_ne!(world.client.plain("GET", path, &[], "").await.status, 404, "{endpoint}");
        }
    }
}

#[tokio::test]
async fn a_person_consents_and_the_client_gets_tokens_that_verify() {
    let world = World::start().await;
    let target = world.authorize(&[("resource", "https://api.example.com")]);
    let url = Browser::of(&world.local).decide(&target, "ada", "allow").await;
    assert!(url.starts_with(&format!("{}?code=", world.callback)), "{url}");
    let back = query(&url);
    assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("s&1", world.issuer().as_str()));

    let answer = world.redeem(&back["code"], &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "openid repo");
    let access = world.claims(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((&access["sub"], &access["client_id"]), (&json!("ada"), &json!("web")));
    assert_eq!((&access["aud"], &access["scope"]), (&json!("https://api.example.com"), &json!("openid repo")));
    let id = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((&id["sub"], &id["aud"], &id["nonce"]), (&json!("ada"), &json!("web"), &json!("n1")));
    assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.json()["sub"], "ada");
    // An id token opens no door.
    assert_eq!(error(&world.userinfo(tokens["id_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn a_denial_goes_back_to_the_client() {
    let world = World::start().await;
    let url = Browser::of(&world.local).decide(&world.authorize(&[]), "ada", "deny").await;
    let back = query(&url);
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "s&1"));
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn a_code_is_good_for_its_own_request_only() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let code = world.code(&[]).await;
    for (changes, problem) in [
        (&[("code_verifier", "x")][..], "does not match"),
        (&[("code_verifier", "")], "code_verifier is required"),
        (&[("redirect_uri", "http://127.0.0.1/other")], "redirect_uri"),
        (&[("redirect_uri", "")], "redirect_uri"),
        (&[("code", "unknown")], "unknown"),
    ] {
        let answer = world.redeem(&code, changes).await;
        assert_eq!(error(&answer), refused(400, "invalid_grant"), "{changes:?}");
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(problem), "{description}");
    }
    let fields = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", &world.callback)];
    let stolen = world.post("/idp/token", Some(&basic("other", SECRET)), &fields).await;
    assert_eq!(error(&stolen), refused(400, "invalid_grant"));
    let resource = world.redeem(&code, &[("resource", "https://not-asked-for.example.com")]).await;
    assert_eq!(error(&resource), refused(400, "invalid_target"));
    // None of it has spent the code.
    assert_eq!(world.redeem(&code, &[]).await.status, 200);

    let without_challenge = world.code(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(error(&world.redeem(&without_challenge, &[]).await), refused(400, "invalid_grant"));
    assert_eq!(world.redeem(&without_challenge, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_for_a_minute_and_a_replay_takes_back_what_it_gave() {
    let world = World::start().await;
    let late = world.code(&[]).await;
    world.local.advance_clock(Duration::from_mins(1));
    assert_eq!(error(&world.redeem(&late, &[]).await), refused(400, "invalid_grant"));

    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(world.userinfo(access).await.status, 200);
    assert_eq!(error(&world.redeem(&code, &[]).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.userinfo(access).await), refused(401, "invalid_token"));
    assert_eq!(error(&world.refresh(refresh).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_refresh_token_is_changed_each_time_and_its_second_use_ends_the_grant() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let first = world.redeem(&world.code(&[]).await, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned();
    let by_other = [("grant_type", "refresh_token"), ("refresh_token", &*first)];
    let stolen = world.post("/idp/token", Some(&basic("other", SECRET)), &by_other).await;
    assert_eq!(error(&stolen), refused(400, "invalid_grant"));

    let narrow = world.token(&[by_other[0], by_other[1], ("scope", "repo")]).await.json();
    assert_eq!(narrow["scope"], "repo");
    let second = narrow["refresh_token"].as_str().unwrap();
    let wide = world.token(&[("grant_type", "refresh_token"), ("refresh_token", second), ("scope", "admin")]).await;
    assert_eq!(error(&wide), refused(400, "invalid_scope"));
    let full = world.refresh(second).await.json();
    assert_eq!(full["scope"], "openid repo");
    assert_eq!(world.claims(full["access_token"].as_str().unwrap()).await["sub"], "ada");
    assert_eq!(world.claims(full["id_token"].as_str().unwrap()).await["sub"], "ada");

    let third = full["refresh_token"].as_str().unwrap();
    assert_eq!(error(&world.refresh(second).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.refresh(third).await), refused(400, "invalid_grant"));
    assert_eq!(error(&world.userinfo(full["access_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
}

#[tokio::test]
async fn tokens_end() {
    let world = World::start().await;
    let tokens = world.redeem(&world.code(&[]).await, &[]).await.json();
    world.local.advance_clock(Duration::from_hours(1));
    assert_eq!(error(&world.userinfo(tokens["access_token"].as_str().unwrap()).await), refused(401, "invalid_token"));
    let next = world.refresh(tokens["refresh_token"].as_str().unwrap()).await.json();
    world.local.advance_clock(Duration::from_hours(30 * 24));
    let late = world.refresh(next["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error(&late), refused(400, "invalid_grant"));
}

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
async fn requests_that_are_none_are_named() {
    let world = World::start().await;
    for (fields, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "authorization_code")], "invalid_request"),
        (&[("grant_type", "client_credentials"), ("grant_type", "client_credentials")], "invalid_request"),
        (&[("grant_type", "client_credentials"), ("resource", "/relative")], "invalid_target"),
        (&[("grant_type", "client_credentials"), ("scope", "a\"b")], "invalid_scope"),
    ] {
        assert_eq!(error(&world.token(fields).await), refused(400, code), "{fields:?}");
    }
    let json = [("content-type", "application/json")];
    let answer = world.client.plain("POST", "/idp/token", &json, "{}").await;
    assert_eq!(error(&answer), refused(400, "invalid_request"));
    assert_eq!(world.client.plain("GET", "/idp/token", &[], "").await.headers["allow"], "POST");
    assert_eq!(heading(&world.client.plain("GET", "/idp/nothing", &[], "").await), "Not found");
}

#[tokio::test]
async fn a_user_s_jwt_is_exchanged_for_a_token_to_act_on_behalf_of_the_user() {
    let world = World::start().await;
    let user = world.local.user_jwt("ada").unwrap();
    let grant = |token: &str, kind: &str| {
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", kind), ("scope", "read")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let exchange = async |token: &str, kind: &str, more: &[(&str, &str)]| {
        let grant = grant(token, kind);
        let fields: Vec<(&str, &str)> = grant.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.token(&[&fields[..], more].concat()).await
    };
    let answer = exchange(&user, JWT, &[("audience", "api")]).await.json();
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("ada"), &json!("api")));
    assert_eq!(claims["act"], json!({ "sub": "web" }));

    let actor = world.token(&[("grant_type", "client_credentials")]).await.json();
    let actor = actor["access_token"].as_str().unwrap();
    let acted = exchange(&user, JWT, &[("actor_token", actor), ("actor_token_type", ACCESS_TOKEN)]).await.json();
    assert_eq!(world.claims(acted["access_token"].as_str().unwrap()).await["act"], json!({ "sub": "web" }));

    let claims = json!({ "sub": "ada", "iss": world.issuer(), "aud": world.issuer(), "exp": in_seconds(600) });
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    for forged in
        [unsigned(&claims), signed(&stranger, &claims), unsigned(&json!({ "sub": "ada", "exp": in_seconds(9) }))]
    {
        assert_eq!(error(&exchange(&forged, JWT, &[]).await), refused(400, "invalid_request"));
        let as_actor = [("actor_token", &*forged), ("actor_token_type", JWT)];
        assert_eq!(error(&exchange(&user, JWT, &as_actor).await), refused(400, "invalid_request"));
        let bearer = [("grant_type", JWT_BEARER), ("assertion", &*forged)];
        assert_eq!(error(&world.token(&bearer).await), refused(400, "invalid_grant"));
    }
    assert_eq!(error(&exchange(&user, "urn:example:unknown", &[]).await), refused(400, "invalid_request"));
    let saml = [("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")];
    assert_eq!(error(&exchange(&user, JWT, &saml).await), refused(400, "invalid_request"));
    let fields = grant(&user, JWT);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(error(&world.post("/idp/token", None, &fields).await), refused(401, "invalid_client"));

    // No token outlives the one that it was had for.
    world.local.advance_clock(Duration::from_mins(50));
    let left = exchange(&user, JWT, &[]).await.json()["expires_in"].as_u64().unwrap();
    assert!((590..=600).contains(&left), "{left}");
    world.local.advance_clock(Duration::from_mins(10));
    assert_eq!(error(&exchange(&user, JWT, &[]).await), refused(400, "invalid_request"));
}

#[tokio::test]
async fn a_user_s_jwt_is_a_grant_if_it_is_meant_for_this_server() {
    let world = World::start().await;
    let user = world.local.user_jwt("ada").unwrap();
    let bearer = async |assertion: &str| world.token(&[("grant_type", JWT_BEARER), ("assertion", assertion)]).await;
    let answer = bearer(&user).await.json();
    let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["act"]), (&json!("ada"), &json!({ "sub": "web" })));
    let elsewhere = world.token(&[("grant_type", "client_credentials"), ("audience", "api")]).await.json();
    let answer = bearer(elsewhere["access_token"].as_str().unwrap()).await;
    assert_eq!(error(&answer), refused(400, "invalid_grant"));
    world.local.advance_clock(Duration::from_hours(1));
    assert_eq!(error(&bearer(&user).await), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_provider_without_client_opens_the_exchange_to_all_and_nothing_else() {
    let world = World::start().await;
    let exchange = json!({
        "grantType": "TOKEN_EXCHANGE",
        "onBehalfOfAuthenticationConfig": { "clientAuthenticationMethod": "NO_CLIENT" },
    });
    let settings = json!({ "clientSecret": SECRET, "onBehalfOfTokenExchangeConfig": exchange });
    register(&world.local, "without-client", settings).await;
    let user = world.local.user_jwt("ada").unwrap();
    let by_exchange = [("grant_type", EXCHANGE), ("subject_token", &*user), ("subject_token_type", JWT)];
    for fields in [&by_exchange[..], &[("grant_type", JWT_BEARER), ("assertion", &*user)]] {
        let answer = world.post("/idp/token", None, fields).await.json();
        let claims = world.claims(answer["access_token"].as_str().unwrap()).await;
        assert_eq!((&claims["sub"], claims.get("act"), claims.get("client_id")), (&json!("ada"), None, None));
    }
    for kind in ["client_credentials", "authorization_code", "refresh_token"] {
        let answer = world.post("/idp/token", None, &[("grant_type", kind)]).await;
        assert_eq!(error(&answer), refused(401, "invalid_client"), "{kind}");
    }
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

#[tokio::test]
async fn a_link_with_another_s_address_leads_nowhere() {
    let world = World::start().await;
    let other = register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let suffixed = format!("{}.evil.example.com", world.callback);
    for changes in [
        [("redirect_uri", "https://evil.example.com/")],
        [("redirect_uri", &*suffixed)],
        [("redirect_uri", &*other)],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        let answer = Browser::of(&world.local).get(&world.authorize(&changes)).await;
        assert_eq!((answer.status.as_u16(), heading(&answer)), (400, "This link does not work"), "{changes:?}");
        assert!(!answer.headers.contains_key("location"));
        assert!(!text(&answer).contains("evil.example.com"));
    }
    let endless = Browser::of(&world.local).get(&world.authorize(&[("state", &"x".repeat(33_000))])).await;
    assert_eq!((endless.status.as_u16(), heading(&endless)), (400, "This link does not work"));
    let twice = format!("{}&redirect_uri=https://evil.example.com/", world.authorize(&[]));
    assert_eq!(Browser::of(&world.local).get(&twice).await.status, 400);
}

#[tokio::test]
async fn other_mistakes_go_back_to_the_client() {
    let world = World::start().await;
    for (changes, code) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("resource", "x")], "invalid_target"),
        (&[("request_uri", "urn:x")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let answer = Browser::of(&world.local).get(&world.authorize(changes)).await;
        let url = location(&answer);
        assert!(url.starts_with(&format!("{}?", world.callback)), "{url}");
        assert_eq!((query(&url)["error"].as_str(), query(&url)["state"].as_str()), (code, "s&1"));
    }
    // The one redirect URI of a client need not be named, neither here nor at the token endpoint.
    let code = world.code(&[("redirect_uri", "")]).await;
    assert_eq!(world.redeem(&code, &[("redirect_uri", "")]).await.status, 200);
}

#[tokio::test]
async fn a_browser_remembers_who_signed_in_but_consent_is_asked_each_time() {
    let world = World::start().await;
    let mut browser = Browser::of(&world.local);
    browser.decide(&world.authorize(&[]), "ada", "allow").await;
    let again = browser.get(&world.authorize(&[])).await;
    assert_eq!(heading(&again), "Allow access?");
    assert!(text(&again).contains("<strong>ada</strong>"));
    let silent = location(&browser.get(&world.authorize(&[("prompt", "none")])).await);
    assert_eq!(query(&silent)["error"], "consent_required");
    let asked = browser.get(&world.authorize(&[("prompt", "consent")])).await;
    let switch = text(&asked).split_once("<a href=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
    let other = browser.sign_in(&switch, "grace").await;
    assert_eq!(heading(&other), "Allow access?");
    assert!(text(&other).contains("<strong>grace</strong>"));
    world.local.advance_clock(Duration::from_hours(12));
    assert_eq!(heading(&browser.get(&world.authorize(&[])).await), "Sign in");
}

#[tokio::test]
async fn only_the_browser_that_got_a_form_can_send_it() {
    let world = World::start().await;
    let (mut ada, mut eve) = (Browser::of(&world.local), Browser::of(&world.local));
    let page = ada.sign_in(&world.authorize(&[]), "ada").await;
    let form = hidden(&page);
    let eve_page = eve.sign_in(&world.authorize(&[]), "eve").await;
    let allow = |form: &str| [("form".to_owned(), form.to_owned()), ("decision".to_owned(), "allow".to_owned())];
    let send = async |browser: &mut Browser, path: &str, form: &str| {
        let fields = allow(form);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.post(path, &fields).await;
        (answer.status.as_u16(), answer.headers.contains_key("location"))
    };
    assert_eq!(send(&mut eve, "/idp/consent", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", &hidden(&eve_page)).await, (403, false));
    assert_eq!(send(&mut Browser::of(&world.local), "/idp/consent", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/sign-in", &form).await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", "").await, (403, false));
    assert_eq!(send(&mut ada, "/idp/consent", &form[1..]).await, (403, false));
    // A form for one person is not for the next that signs in with the same browser.
    let mut shared = ada.clone();
    shared.sign_in(&world.authorize(&[("prompt", "login")]), "grace").await;
    assert_eq!(send(&mut shared, "/idp/consent", &form).await, (403, false));
    world.local.advance_clock(Duration::from_mins(10));
    assert_eq!(send(&mut ada, "/idp/consent", &form).await, (403, false));
}

#[tokio::test]
async fn pages_from_elsewhere_may_link_here_and_no_more() {
    let world = World::start().await;
    let authority = world.client.authority.clone();
    let get =
        async |headers: &[(&str, &str)]| world.client.plain("GET", &world.authorize(&[]), headers, "").await.status;
    let visit = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(get(&visit).await, 200);
    assert_eq!(get(&[visit[0], visit[1], ("sec-fetch-dest", "iframe")]).await, 403);
    assert_eq!(get(&[visit[0], ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]).await, 403);
    assert_eq!(get(&[("origin", "https://evil.example.com")]).await, 403);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let own = format!("http://{authority}");
    for (headers, status) in [
        (&[form, ("origin", "http://localhost:1")][..], 403),
        (&[form, ("origin", "null")], 403),
        (&[form, ("origin", &own), ("sec-fetch-site", "cross-site")], 403),
        (&[form, ("origin", &own), ("sec-fetch-site", "same-site")], 403),
        // These get as far as the form, which is none.
        (&[form, ("origin", &own), ("sec-fetch-site", "same-origin")], 403),
    ] {
        let answer = world.client.plain("POST", "/idp/sign-in", headers, "form=x").await;
        assert_eq!(answer.status, status, "{headers:?}");
        let reached_the_page = heading(&answer) == "Please start again";
        assert_eq!(reached_the_page, headers.last() == Some(&("sec-fetch-site", "same-origin")), "{headers:?}");
    }
}

#[tokio::test]
async fn pages_say_what_they_are_and_keep_to_themselves() {
    let world = World::start().await;
    let mut browser = Browser::of(&world.local);
    let sign_in = browser.get(&world.authorize(&[("login_hint", "<i>ada\"")])).await;
    assert!(text(&sign_in).contains("value=\"&lt;i&gt;ada&quot;\""), "{}", text(&sign_in));
    let consent = browser.sign_in(&world.authorize(&[("scope", "<script>")]), "<b>ada</b>").await;
    let error = browser.get(&world.authorize(&[("client_id", "<script>")])).await;
    for page in [&sign_in, &consent, &error] {
        assert!(text(page).contains("Demo identity provider on this machine"));
        assert!(!text(page).contains("<script") && !text(page).contains("<b>ada"), "{}", text(page));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["referrer-policy"], "same-origin");
    }
    let cookie = sign_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Path=/idp"), "{cookie}");
}

#[tokio::test]
async fn a_client_gives_tokens_back_but_not_another_s() {
    let world = World::start().await;
    register(&world.local, "other", json!({ "clientSecret": SECRET })).await;
    let tokens = world.redeem(&world.code(&[]).await, &[]).await.json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for token in [access, refresh, "unknown"] {
        let answer = world.post("/idp/revoke", Some(&basic("other", SECRET)), &[("token", token)]).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(world.userinfo(access).await.status, 200);
    let own = basic("web", SECRET);
    assert_eq!(world.post("/idp/revoke", Some(&own), &[("token", access)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    let next = world.refresh(refresh).await.json();
    let (access, refresh) = (next["access_token"].as_str().unwrap(), next["refresh_token"].as_str().unwrap());
    assert_eq!(world.post("/idp/revoke", Some(&own), &[("token", refresh)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    assert_eq!(error(&world.refresh(refresh).await), refused(400, "invalid_grant"));
    let stranger = world.post("/idp/revoke", None, &[("token", access)]).await;
    assert_eq!(error(&stranger), refused(401, "invalid_client"));
}

#[tokio::test]
async fn its_users_can_have_workload_tokens_and_nobody_can_pretend_to_be_one() {
    let world = World::start().await;
    let local = &world.local;
    let for_user = async |jwt: String| local.issue_workload_token("my-agent", Some(EndUser::Jwt(jwt))).await;
    assert!(for_user(local.user_jwt("ada").unwrap()).await.is_ok());
    let claims = json!({ "sub": "ada", "iss": world.issuer(), "exp": in_seconds(600) });
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    for forged in [unsigned(&claims), signed(&stranger, &claims)] {
        assert_eq!(for_user(forged).await.unwrap_err().code(), "UnauthorizedException");
    }
    // Other issuers are believed, as nothing was configured to check them by.
    assert!(for_user(unsigned(&json!({ "sub": "ada", "exp": in_seconds(600) }))).await.is_ok());
    assert_eq!(local.user_jwt("").unwrap_err().code(), "ValidationException");
}

#[tokio::test]
async fn a_test_can_play_the_person() {
    let world = World::start().await;
    let url = format!("{}{}", world.local.endpoint_url(), world.authorize(&[]));
    let denied = world.local.deny_consent(&url, "ada").await.unwrap();
    assert_eq!(query(&denied)["error"], "access_denied");
    let stale = world.local.consent(&url.replace("client_id=web", "client_id=gone"), "ada").await.unwrap_err();
    assert!(stale.to_string().contains("This link does not work"), "{stale}");
    let elsewhere = world.local.consent("https://example.com/authorize", "ada").await.unwrap_err();
    assert!(elsewhere.to_string().contains("not one of this local service"), "{elsewhere}");
}
