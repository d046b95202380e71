//! RFC 7009: a client gives a token back.

use hyper::StatusCode;

use super::OAuthError;
use super::client_authentication::authenticate;
use crate::service::Service;
use crate::web::{Reply, Request, reply};

pub(super) fn answer(service: &Service, request: &Request) -> Result<Reply, OAuthError> {
    let form = request
        .form()
        .ok_or_else(|| OAuthError::invalid_request("the body must be of the type application/x-www-form-urlencoded"))?;
    let client = authenticate(service, request, &form)?
        .ok_or_else(|| OAuthError::invalid_client("the client must authenticate"))?;
    let token = form.one("token")?.ok_or_else(|| OAuthError::missing("token"))?;
    let now = service.clock.now();
    // A token of another client is as unknown as any other text, and an unknown token is revoked already.
    if service.idp.belongs(token, &client.id, now) {
        service.idp.revoke(token, now);
    }
    Ok(reply::empty(StatusCode::OK))
}
