//! The grants that the token endpoint knows, one file for each.

mod authorization_code;
mod client_credentials;
mod jwt_bearer;
mod refresh_token;
mod token_exchange;

use super::OAuthError;
use super::client::{Client, strangers_may_exchange};
use super::token::Issued;
use crate::service::Service;
use crate::web::Fields;

const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";
const CLIENT_CREDENTIALS: &str = "client_credentials";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) const ALL: [&str; 5] = [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER];

pub(super) fn carry_out(service: &Service, client: Option<&Client>, form: &Fields) -> Result<Issued, OAuthError> {
    let kind = form.one("grant_type")?.ok_or_else(|| OAuthError::missing("grant_type"))?;
    if !ALL.contains(&kind) {
        return Err(OAuthError::unsupported_grant_type(format!("grant_type is none of {}", ALL.join(" "))));
    }
    let is_exchange = matches!(kind, TOKEN_EXCHANGE | JWT_BEARER);
    let client = match client {
        Some(client) => client,
        None if is_exchange && strangers_may_exchange(service)? => {
            return if kind == TOKEN_EXCHANGE {
                token_exchange::carry_out(service, None, form)
            } else {
                jwt_bearer::carry_out(service, None, form)
            };
        }
        None => return Err(OAuthError::invalid_client("the client must authenticate")),
    };
    match kind {
        AUTHORIZATION_CODE => authorization_code::carry_out(service, client, form),
        REFRESH_TOKEN => refresh_token::carry_out(service, client, form),
        CLIENT_CREDENTIALS => client_credentials::carry_out(service, client, form),
        TOKEN_EXCHANGE => token_exchange::carry_out(service, Some(client), form),
        _ => jwt_bearer::carry_out(service, Some(client), form),
    }
}

/// What is asked for, which must be among what was granted; all of that if nothing is.
fn narrowed(
    asked: Vec<String>,
    granted: &[String],
    refusal: fn(String) -> OAuthError,
) -> Result<Vec<String>, OAuthError> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    match asked.iter().find(|one| !granted.contains(one)) {
        None => Ok(asked),
        Some(more) => Err(refusal(format!("{more} was not granted"))),
    }
}
