//! The one operation of AWS STS that agents need: `GetWebIdentityToken`, a JWT that says who the caller is.

mod token;
pub(crate) mod wire;

use aws_lc_rs::error::Unspecified;
use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::jwt::{Claims, KeySet};
use crate::service::Service;
use crate::signing::{Algorithm, SigningKey, key_set};
use crate::web::{self, Reply, Request, reply};

pub(crate) use token::WebIdentity;

const ISSUER: &str = "/sts";
const OPENID: &str = "/sts/.well-known/openid-configuration";
const JWKS: &str = "/sts/.well-known/jwks.json";

/// The issuer of the tokens, with its keys. They end with the process.
pub(crate) struct Sts {
    issuer: String,
    /// Whether the account has switched the feature on.
    enabled: bool,
    elliptic: SigningKey,
    /// Made when it is first needed: that takes a while.
    rsa: OnceCell<SigningKey>,
}

impl Sts {
    /// `url` is the service's own.
    pub(crate) fn new(url: &str, enabled: bool) -> Result<Self, Unspecified> {
        let elliptic = SigningKey::generate(Algorithm::Es384)?;
        Ok(Self { issuer: format!("{url}{ISSUER}"), enabled, elliptic, rsa: OnceCell::new() })
    }

    async fn rsa(&self) -> Result<&SigningKey, ServiceError> {
        let generate = async || {
            let generated = tokio::task::spawn_blocking(|| SigningKey::generate(Algorithm::Rs256)).await;
            Ok(generated.map_err(|error| ServiceError::internal(&error))??)
        };
        self.rsa.get_or_try_init(generate).await
    }

    /// Whether a token has the signature of this issuer.
    pub(crate) fn signed(&self, token: &str) -> bool {
        let keys = KeySet::of_value(key_set([&self.elliptic].into_iter().chain(self.rsa.get())));
        keys.verify(token).is_ok()
    }

    /// What a token of this issuer says, unless it has ended.
    pub(crate) fn read(&self, token: &str, now: UnixMillis) -> Option<Claims> {
        let claims = Claims::read(token).ok()?;
        (self.signed(token) && now < claims.expires).then_some(claims)
    }
}

/// Whether a path is one at which others find what they check tokens by.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with("/sts/")
}

pub(crate) async fn answer(service: &Service, request: &Request) -> Reply {
    if *request.method() != Method::GET {
        return reply::not_allowed("GET");
    }
    match request.path() {
        OPENID => reply::json(
            StatusCode::OK,
            &json!({
                "issuer": service.sts.issuer,
                "jwks_uri": format!("{}{JWKS}", service.url),
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES384"],
                "claims_supported": ["sub", "iss", "aud", "exp", "iat", "jti", token::NAMESPACE],
            }),
        ),
        JWKS => match service.sts.rsa().await {
            Ok(rsa) => reply::json(StatusCode::OK, &key_set([rsa, &service.sts.elliptic])),
            Err(_) => reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
        },
        path => web::not_found(path),
    }
}
