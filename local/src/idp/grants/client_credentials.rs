//! RFC 6749 section 4.4: the client for itself.

use super::super::mint::AccessToken;
use super::super::request::{audiences, scopes};
use super::{Client, Issued, OAuthError};
use crate::service::Service;
use crate::web::Fields;

pub(super) fn carry_out(service: &Service, client: &Client, form: &Fields) -> Result<Issued, OAuthError> {
    let (scopes, audiences) = (scopes(form)?, audiences(form)?);
    let (access_token, expires_in) = service.idp.mint(
        &AccessToken {
            subject: &client.id,
            client_id: Some(&client.id),
            audiences: &audiences,
            scopes: &scopes,
            actor: None,
            grant: None,
            latest: None,
        },
        service.clock.now(),
    )?;
    Ok(Issued { access_token, expires_in, scopes, ..Issued::default() })
}
