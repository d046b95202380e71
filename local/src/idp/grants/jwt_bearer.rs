//! RFC 7523 section 2.1: a user's JWT as the grant.

use super::super::client_authentication::is_addressed;
use super::super::mint::{AccessToken, trusted};
use super::super::request::{audiences, scopes};
use super::{Client, Issued, OAuthError};
use crate::service::Service;
use crate::web::Fields;

pub(super) fn carry_out(service: &Service, client: Option<&Client>, form: &Fields) -> Result<Issued, OAuthError> {
    let now = service.clock.now();
    let assertion = form.one("assertion")?.ok_or_else(|| OAuthError::missing("assertion"))?;
    let refused = |problem: &str| OAuthError::invalid_grant(format!("the assertion {problem}"));
    let claims = trusted(service, assertion, now)
        .ok_or_else(|| refused("is not a JWT that holds, of an issuer that is trusted here"))?;
    let is_for_client = client.is_some_and(|client| claims.audiences.contains(&client.id));
    if !is_for_client && !is_addressed(service, &claims) {
        return Err(refused("must have this issuer, its token endpoint or the client id as aud"));
    }
    let (scopes, audiences) = (scopes(form)?, audiences(form)?);
    let client_id = client.map(|client| client.id.as_str());
    let (access_token, expires_in) = service.idp.mint(
        &AccessToken {
            subject: &claims.subject,
            client_id,
            audiences: &audiences,
            scopes: &scopes,
            actor: client_id,
            grant: None,
            latest: Some(claims.expires),
        },
        now,
    )?;
    Ok(Issued { access_token, expires_in, scopes, ..Issued::default() })
}
