//! Which client a request comes from, and whether it is.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::TOKEN;
use super::client::Client;
use super::error::OAuthError;
use crate::digest::sha256_hex;
use crate::jwt::Claims;
use crate::service::Service;
use crate::web::{Fields, Request};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An assertion that holds longer is a key in disguise, and would have to be remembered as long.
const LONGEST_ASSERTION: Duration = Duration::from_hours(1);

/// The client of a request, or nothing if the request names none and proves none.
pub(super) fn authenticate(service: &Service, request: &Request, form: &Fields) -> Result<Option<Client>, OAuthError> {
    let id = form.one("client_id")?;
    let secret = form.one("client_secret")?;
    let assertion = assertion(form)?;
    let basic = request.authorization();
    if [secret.is_some(), assertion.is_some(), basic.is_some()].into_iter().filter(|used| *used).count() > 1 {
        return Err(OAuthError::invalid_request("a request authenticates its client in one way only"));
    }
    if let Some(header) = basic {
        let (name, secret) = basic_credentials(header)
            .ok_or_else(|| OAuthError::invalid_client("the Authorization header is not of the scheme Basic"))?;
        if id.is_some_and(|id| id != name) {
            return Err(OAuthError::invalid_request("client_id is not that of the Authorization header"));
        }
        return by_secret(service, &name, &secret).map(Some);
    }
    match (id, secret, assertion) {
        (Some(id), Some(secret), _) => by_secret(service, id, secret).map(Some),
        (None, Some(_), _) => Err(OAuthError::missing("client_id")),
        (id, None, Some(assertion)) => by_assertion(service, id, assertion).map(Some),
        (Some(_), None, None) => Err(OAuthError::invalid_client(
            "this client must authenticate: with its secret (client_secret_basic or client_secret_post) or with \
             private_key_jwt, as its credential provider has it",
        )),
        (None, None, None) => Ok(None),
    }
}

fn assertion(form: &Fields) -> Result<Option<&str>, OAuthError> {
    match (form.one("client_assertion_type")?, form.one("client_assertion")?) {
        (None, None) => Ok(None),
        (Some(JWT_BEARER), Some(assertion)) => Ok(Some(assertion)),
        (Some(JWT_BEARER), None) => Err(OAuthError::missing("client_assertion")),
        _ => Err(OAuthError::invalid_request(format!("client_assertion_type must be {JWT_BEARER}"))),
    }
}

/// RFC 6749 has both halves form-encoded before they are joined.
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let plain = |text: &str| {
        let pair = format!("={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    scheme.eq_ignore_ascii_case("basic").then_some((plain(id)?, plain(secret)?))
}

/// The same words whatever is wrong, so that nobody learns by them which clients there are.
fn wrong_secret() -> OAuthError {
    OAuthError::invalid_client(
        "the client id and secret are not those of a credential provider whose authorization server is this one",
    )
}

fn by_secret(service: &Service, id: &str, secret: &str) -> Result<Client, OAuthError> {
    Client::find(service, id)?.filter(|client| client.has_secret(secret)).ok_or_else(wrong_secret)
}

fn by_assertion(service: &Service, id: Option<&str>, assertion: &str) -> Result<Client, OAuthError> {
    let refused = |problem: &str| OAuthError::invalid_client(format!("the client assertion {problem}"));
    let now = service.clock.now();
    let claims = Claims::read(assertion).map_err(|_| refused("is no JWT with the claims sub and exp"))?;
    let client = if service.sts.signed(assertion) {
        let client = match id {
            Some(id) => Client::find(service, id)?,
            None => Client::without_id(service, &claims.subject)?,
        };
        client.filter(Client::may_use_aws_identity)
    } else {
        if claims.issuer.as_deref() != Some(claims.subject.as_str()) || id.is_some_and(|id| id != claims.subject) {
            return Err(refused("must have the client id as iss and as sub"));
        }
        Client::find(service, &claims.subject)?.filter(|client| client.signed(assertion))
    };
    let client = client.ok_or_else(|| refused("is not signed with a key of a client that authenticates so"))?;
    if !is_addressed(service, &claims) {
        return Err(refused("must have this issuer or its token endpoint as aud"));
    }
    if now >= claims.expires || claims.not_before.is_some_and(|not_before| now < not_before) {
        return Err(refused("has expired, or is not valid yet"));
    }
    if claims.expires > now.saturating_add(LONGEST_ASSERTION) {
        return Err(refused("must expire within an hour"));
    }
    let spent = claims.id.ok_or_else(|| refused("needs a jti, so that it can be used only once"))?;
    let name = sha256_hex(format!("{}\n{spent}", client.id).as_bytes());
    if service.idp.assertions.insert(name, (), claims.expires, now) {
        Ok(client)
    } else {
        Err(refused("was used before"))
    }
}

/// Whether a JWT is meant for this authorization server.
pub(super) fn is_addressed(service: &Service, claims: &Claims) -> bool {
    let token_endpoint = format!("{}{TOKEN}", service.url);
    claims.audiences.iter().any(|audience| audience == service.idp.issuer() || *audience == token_endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_decoded_twice() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic_credentials(&header("id:a%2Bb+c%3A")), Some(("id".into(), "a+b c:".into())));
        assert_eq!(basic_credentials(&header("id:")), Some(("id".into(), String::new())));
        assert_eq!(basic_credentials(&header("id")), None);
        assert_eq!(basic_credentials("Bearer aWQ6c2VjcmV0"), None);
        assert_eq!(basic_credentials("Basic !"), None);
    }
}
