//! RFC 6749 section 4.1, with PKCE (RFC 7636).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::mint::AccessToken;
use super::super::request::{AuthorizationRequest, audiences};
use super::{Client, Issued, OAuthError, narrowed};
use crate::random;
use crate::service::Service;
use crate::web::Fields;

pub(super) fn carry_out(service: &Service, client: &Client, form: &Fields) -> Result<Issued, OAuthError> {
    let now = service.clock.now();
    let code = form.one("code")?.ok_or_else(|| OAuthError::missing("code"))?;
    let (redirect_uri, verifier) = (form.one("redirect_uri")?, form.one("code_verifier")?);
    let wanted = audiences(form)?;
    let grant = random::uuid()?;
    let (asked, person) = service.idp.redeem(code, &grant, now, |asked| {
        check(asked, client, redirect_uri, verifier)?;
        narrowed(wanted.clone(), &asked.audiences, OAuthError::invalid_target).map(drop)
    })?;
    let audiences = if wanted.is_empty() { asked.audiences.clone() } else { wanted };
    let (access_token, expires_in) = service.idp.mint(
        &AccessToken {
            subject: &person.name,
            client_id: Some(&client.id),
            audiences: &audiences,
            scopes: &asked.scopes,
            actor: None,
            grant: Some(&grant),
            latest: None,
        },
        now,
    )?;
    let id_token = if asked.scopes.iter().any(|scope| scope == "openid") {
        Some(service.idp.mint_id_token(&person, &client.id, asked.nonce.as_deref(), now)?)
    } else {
        None
    };
    let scopes = asked.scopes.clone();
    let refresh_token = service.idp.begin_grant(&grant, &client.id, person, asked.scopes, asked.audiences, now)?;
    Ok(Issued { access_token, expires_in, scopes, refresh_token: Some(refresh_token), id_token, ..Issued::default() })
}

fn check(
    asked: &AuthorizationRequest,
    client: &Client,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Result<(), OAuthError> {
    if asked.client_id != client.id {
        return Err(OAuthError::invalid_grant("the code was given to another client"));
    }
    let is_same = match redirect_uri {
        Some(uri) => uri == asked.redirect_uri,
        None => !asked.redirect_uri_was_named,
    };
    if !is_same {
        return Err(OAuthError::invalid_grant("redirect_uri is not that of the authorization request"));
    }
    match (&asked.code_challenge, verifier) {
        (None, None) => Ok(()),
        // Whoever sends a verifier asked with a challenge, and somebody took it away on the way.
        (None, Some(_)) => Err(OAuthError::invalid_grant("the authorization request had no code_challenge")),
        (Some(_), None) => Err(OAuthError::invalid_grant("code_verifier is required")),
        (Some(challenge), Some(verifier)) => {
            let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            verify_slices_are_equal(hash.as_bytes(), challenge.as_bytes())
                .map_err(|_| OAuthError::invalid_grant("code_verifier does not match the code_challenge"))
        }
    }
}
