//! What access tokens of the local service's identity provider are for.

use agentcore_identity_local::LocalIdentity;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST};

use crate::http::send;

/// An API that says whose token it was called with.
#[derive(Clone, Debug)]
pub struct Api {
    authority: String,
}

impl Api {
    /// That of the identity provider itself, which knows what it has revoked.
    #[must_use]
    pub fn of(local: &LocalIdentity) -> Self {
        Self { authority: local.endpoint_url().trim_start_matches("http://").to_owned() }
    }

    /// The token's user, or `None` where the token is refused.
    ///
    /// # Panics
    ///
    /// When the API does not answer as it should.
    pub async fn user(&self, token: &str) -> Option<String> {
        let request = Request::get("/idp/userinfo")
            .header(HOST, &self.authority)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::new(Bytes::new()))
            .expect("a token fits into a header");
        let answer = send(&self.authority, request).await;
        if answer.status() == 401 {
            return None;
        }
        let claims: serde_json::Value = serde_json::from_str(answer.body()).expect("the API answers in JSON");
        Some(claims["sub"].as_str().expect("a token has a user").to_owned())
    }
}
