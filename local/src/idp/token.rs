//! The token endpoint.

use hyper::StatusCode;
use serde_json::json;

use super::client_authentication::authenticate;
use super::{OAuthError, grants};
use crate::service::Service;
use crate::web::{Reply, Request, reply};

/// What a grant gives.
#[derive(Default)]
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
    pub(super) scopes: Vec<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
    /// Of a token exchange: `issued_token_type`.
    pub(super) kind: Option<&'static str>,
}

pub(super) fn answer(service: &Service, request: &Request) -> Result<Reply, OAuthError> {
    let form = request
        .form()
        .ok_or_else(|| OAuthError::invalid_request("the body must be of the type application/x-www-form-urlencoded"))?;
    let client = authenticate(service, request, &form)?;
    let issued = grants::carry_out(service, client.as_ref(), &form)?;
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    });
    for (name, value) in [
        ("scope", (!issued.scopes.is_empty()).then(|| issued.scopes.join(" "))),
        ("refresh_token", issued.refresh_token),
        ("id_token", issued.id_token),
        ("issued_token_type", issued.kind.map(str::to_owned)),
    ] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    Ok(reply::json(StatusCode::OK, &body))
}
