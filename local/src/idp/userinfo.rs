//! Whose an access token is: a resource to call with one, for demos and tests.

use hyper::StatusCode;
use serde_json::json;

use super::OAuthError;
use crate::service::Service;
use crate::web::{Reply, Request, reply};

pub(super) fn answer(service: &Service, request: &Request) -> Result<Reply, OAuthError> {
    let token = request
        .authorization()
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| OAuthError::invalid_token("an access token is required, as Authorization: Bearer"))?;
    let claims = service.idp.read_access_token(token, service.clock.now()).ok_or_else(|| {
        OAuthError::invalid_token("the access token is not of this issuer, has expired or was revoked")
    })?;
    Ok(reply::json(
        StatusCode::OK,
        &json!({ "sub": claims.subject, "name": claims.subject, "preferred_username": claims.subject }),
    ))
}
