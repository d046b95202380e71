//! RFC 6749 section 6, with a new refresh token each time.

use super::super::mint::AccessToken;
use super::super::request::{audiences, scopes};
use super::{Client, Issued, OAuthError, narrowed};
use crate::service::Service;
use crate::web::Fields;

pub(super) fn carry_out(service: &Service, client: &Client, form: &Fields) -> Result<Issued, OAuthError> {
    let now = service.clock.now();
    let token = form.one("refresh_token")?.ok_or_else(|| OAuthError::missing("refresh_token"))?;
    let (scopes, audiences) = (scopes(form)?, audiences(form)?);
    let (mut narrow_scopes, mut narrow_audiences) = (Vec::new(), Vec::new());
    let (id, grant, refresh_token) = service.idp.refresh(token, &client.id, now, |grant| {
        narrow_scopes = narrowed(scopes, &grant.scopes, OAuthError::invalid_scope)?;
        narrow_audiences = narrowed(audiences, &grant.audiences, OAuthError::invalid_target)?;
        Ok(())
    })?;
    let (access_token, expires_in) = service.idp.mint(
        &AccessToken {
            subject: &grant.person.name,
            client_id: Some(&client.id),
            audiences: &narrow_audiences,
            scopes: &narrow_scopes,
            actor: None,
            grant: Some(&id),
            latest: None,
        },
        now,
    )?;
    let id_token = if narrow_scopes.iter().any(|scope| scope == "openid") {
        Some(service.idp.mint_id_token(&grant.person, &client.id, None, now)?)
    } else {
        None
    };
    let refresh_token = Some(refresh_token);
    Ok(Issued { access_token, expires_in, scopes: narrow_scopes, refresh_token, id_token, ..Issued::default() })
}
