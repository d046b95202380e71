//! The service's own identity provider, for demos and tests: an OAuth 2.0 authorization server and `OpenID` provider
//! that believes everybody's name. It serves this machine only.

mod authorize;
mod browser;
mod client;
mod client_authentication;
mod code;
mod consent;
mod discovery;
mod error;
mod form;
mod grant;
mod grants;
mod mint;
mod redirect;
mod request;
mod revoke;
mod sign_in;
mod token;
mod userinfo;

use std::time::Duration;

use aws_lc_rs::error::Unspecified;
use hyper::{Method, StatusCode};

use crate::expiring::Expiring;
use crate::jwt::KeySet;
use crate::seal::Sealer;
use crate::service::Service;
use crate::signing::{Algorithm, SigningKey, key_set};
use crate::web::{self, Reply, Request, reply};

use code::Code;
use error::OAuthError;
use grant::Grant;

/// The paths of the endpoints, below the service's URL.
const ISSUER: &str = "/idp";
const AUTHORIZE: &str = "/idp/authorize";
const SIGN_IN: &str = "/idp/sign-in";
const CONSENT: &str = "/idp/consent";
const TOKEN: &str = "/idp/token";
const REVOKE: &str = "/idp/revoke";
const USERINFO: &str = "/idp/userinfo";
const JWKS: &str = "/idp/jwks.json";

/// How many codes are remembered, of which each is good for a minute.
const CODES: usize = 1_000;

/// How many grants, and how many spent identifiers of each kind, are remembered.
const REMEMBERED: usize = 10_000;

/// How long an access token or an id token holds.
const TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// What the identity provider remembers. It ends with the process, and so does all that it issued.
pub(crate) struct IdentityProvider {
    issuer: String,
    key: SigningKey,
    verification: KeySet,
    sealer: Sealer,
    codes: Expiring<Code>,
    grants: Expiring<Grant>,
    /// Access tokens and grants that were taken back before their end.
    revoked: Expiring<()>,
    /// Client assertions that were used.
    assertions: Expiring<()>,
}

impl IdentityProvider {
    /// `url` is the service's own.
    pub(crate) fn new(url: &str, sealer: Sealer) -> Result<Self, Unspecified> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        let verification = KeySet::of_value(key_set([&key]));
        Ok(Self {
            issuer: format!("{url}{ISSUER}"),
            key,
            verification,
            sealer,
            codes: Expiring::new(CODES),
            grants: Expiring::new(REMEMBERED),
            revoked: Expiring::new(REMEMBERED),
            assertions: Expiring::new(REMEMBERED),
        })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public keys, for those who trust this issuer.
    pub(crate) fn public_keys(&self) -> KeySet {
        KeySet::of_value(key_set([&self.key]))
    }
}

/// Whether a path is one of the identity provider's.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with("/idp/") || path == discovery::BESIDE_ISSUER
}

pub(crate) fn answer(service: &Service, request: &Request) -> Reply {
    let method = request.method();
    let (get, post) = (*method == Method::GET, *method == Method::POST);
    match request.path() {
        discovery::OPENID | discovery::BELOW_ISSUER | discovery::BESIDE_ISSUER if get => discovery::metadata(service),
        JWKS if get => reply::json(StatusCode::OK, &key_set([&service.idp.key])),
        AUTHORIZE if get => authorize::answer(service, request),
        SIGN_IN if post => sign_in::answer(service, request),
        CONSENT if post => consent::answer(service, request),
        TOKEN if post => program(token::answer(service, request)),
        REVOKE if post => program(revoke::answer(service, request)),
        USERINFO if get || post => program(userinfo::answer(service, request)),
        AUTHORIZE | USERINFO | JWKS | discovery::OPENID | discovery::BELOW_ISSUER | discovery::BESIDE_ISSUER => {
            reply::not_allowed("GET")
        }
        SIGN_IN | CONSENT | TOKEN | REVOKE => reply::not_allowed("POST"),
        path => web::not_found(path),
    }
}

fn program(outcome: Result<Reply, OAuthError>) -> Reply {
    outcome.unwrap_or_else(|error| {
        tracing::info!(error = error.code(), description = error.description(), "identity provider refuses");
        error.reply()
    })
}
