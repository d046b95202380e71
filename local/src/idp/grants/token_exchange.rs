//! RFC 8693: a user's token for one that says who acts for the user.

use super::super::mint::{AccessToken, trusted};
use super::super::request::{audiences, scopes};
use super::{Client, Issued, OAuthError};
use crate::service::Service;
use crate::web::Fields;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

pub(super) fn carry_out(service: &Service, client: Option<&Client>, form: &Fields) -> Result<Issued, OAuthError> {
    let now = service.clock.now();
    let subject = form.one("subject_token")?.ok_or_else(|| OAuthError::missing("subject_token"))?;
    check_type(form, "subject_token_type")?;
    let kind = match form.one("requested_token_type")? {
        None | Some(ACCESS_TOKEN) => ACCESS_TOKEN,
        Some(JWT) => JWT,
        Some(_) => {
            return Err(OAuthError::invalid_request(format!(
                "requested_token_type is neither {ACCESS_TOKEN} nor {JWT}"
            )));
        }
    };
    let subject = trusted(service, subject, now).ok_or_else(|| untrusted("subject_token"))?;
    let actor = match form.one("actor_token")? {
        Some(actor) => {
            check_type(form, "actor_token_type")?;
            let actor = trusted(service, actor, now).or_else(|| service.sts.read(actor, now));
            Some(actor.ok_or_else(|| untrusted("actor_token"))?.subject)
        }
        None if form.one("actor_token_type")?.is_some() => return Err(OAuthError::missing("actor_token")),
        None => None,
    };
    let (scopes, audiences) = (scopes(form)?, audiences(form)?);
    let client_id = client.map(|client| client.id.as_str());
    let (access_token, expires_in) = service.idp.mint(
        &AccessToken {
            subject: &subject.subject,
            client_id,
            audiences: &audiences,
            scopes: &scopes,
            actor: actor.as_deref().or(client_id),
            grant: None,
            latest: Some(subject.expires),
        },
        now,
    )?;
    Ok(Issued { access_token, expires_in, scopes, kind: Some(kind), ..Issued::default() })
}

fn check_type(form: &Fields, parameter: &'static str) -> Result<(), OAuthError> {
    match form.one(parameter)? {
        Some(ACCESS_TOKEN | ID_TOKEN | JWT) => Ok(()),
        Some(_) => Err(OAuthError::invalid_request(format!("{parameter} is none of {ACCESS_TOKEN} {ID_TOKEN} {JWT}"))),
        None => Err(OAuthError::missing(parameter)),
    }
}

/// RFC 8693 has this as an invalid request, whatever is wrong with the token.
fn untrusted(parameter: &str) -> OAuthError {
    OAuthError::invalid_request(format!("the {parameter} is not a JWT that holds, of an issuer that is trusted here"))
}
