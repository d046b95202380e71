//! The tokens themselves: JWTs that this identity provider signs.

use serde_json::{Value, json};

use super::browser::Person;
use super::{IdentityProvider, OAuthError, TOKEN_LIFETIME};
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::jwt::Claims;
use crate::random;
use crate::service::Service;

/// The media type of an access token.
const ACCESS_TOKEN: &str = "at+jwt";

/// What an access token says (RFC 9068).
pub(super) struct AccessToken<'a> {
    pub(super) subject: &'a str,
    pub(super) client_id: Option<&'a str>,
    pub(super) audiences: &'a [String],
    pub(super) scopes: &'a [String],
    /// Who acts for the subject (RFC 8693).
    pub(super) actor: Option<&'a str>,
    /// The grant that it ends with.
    pub(super) grant: Option<&'a str>,
    /// When it must end, if that is before its time.
    pub(super) latest: Option<UnixMillis>,
}

impl IdentityProvider {
    /// The token, and the seconds until it ends.
    pub(super) fn mint(&self, token: &AccessToken<'_>, now: UnixMillis) -> Result<(String, u64), OAuthError> {
        let end = now.saturating_add(TOKEN_LIFETIME);
        let end = token.latest.map_or(end, |latest| latest.min(end));
        let mut claims = self.claims(token.subject, now, end)?;
        claims["aud"] = match token.audiences {
            [] => self.issuer.as_str().into(),
            [one] => one.as_str().into(),
            several => several.into(),
        };
        for (name, value) in [
            ("client_id", token.client_id.map(Value::from)),
            ("scope", (!token.scopes.is_empty()).then(|| token.scopes.join(" ").into())),
            ("act", token.actor.map(|actor| json!({ "sub": actor }))),
            ("sid", token.grant.map(Value::from)),
        ] {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        Ok((self.key.sign(ACCESS_TOKEN, &claims)?, end.as_seconds().saturating_sub(now.as_seconds())))
    }

    pub(super) fn mint_id_token(
        &self,
        person: &Person,
        client_id: &str,
        nonce: Option<&str>,
        now: UnixMillis,
    ) -> Result<String, OAuthError> {
        let mut claims = self.claims(&person.name, now, now.saturating_add(TOKEN_LIFETIME))?;
        claims["aud"] = client_id.into();
        claims["auth_time"] = person.signed_in.as_seconds().into();
        claims["name"] = person.name.as_str().into();
        claims["preferred_username"] = person.name.as_str().into();
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        Ok(self.key.sign("JWT", &claims)?)
    }

    /// A JWT that says that its holder is this user, as an application gets it when the user signs in. Its audience is
    /// this identity provider, so that it can be exchanged here.
    pub(crate) fn user_jwt(&self, user: &str, now: UnixMillis) -> Result<String, ServiceError> {
        let mut claims = self.claims(user, now, now.saturating_add(TOKEN_LIFETIME))?;
        claims["aud"] = self.issuer.as_str().into();
        claims["name"] = user.into();
        Ok(self.key.sign("JWT", &claims)?)
    }

    fn claims(&self, subject: &str, now: UnixMillis, end: UnixMillis) -> Result<Value, ServiceError> {
        Ok(json!({
            "iss": self.issuer,
            "sub": subject,
            "iat": now.as_seconds(),
            "exp": end.as_seconds(),
            "jti": random::uuid()?,
        }))
    }

    /// What a token of this identity provider says, unless it has ended or was revoked.
    pub(super) fn read(&self, token: &str, now: UnixMillis) -> Option<Claims> {
        self.verification.verify(token).ok()?;
        let claims = Claims::read(token).ok()?;
        let is_revoked = |id: &Option<String>| id.as_ref().is_some_and(|id| self.revoked.contains(id, now));
        (now < claims.expires && !is_revoked(&claims.id) && !is_revoked(&claims.session)).then_some(claims)
    }

    /// [`read`](Self::read) for where an id token or a user's JWT will not do.
    pub(super) fn read_access_token(&self, token: &str, now: UnixMillis) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        self.read(token, now).filter(|_| header.typ.as_deref() == Some(ACCESS_TOKEN))
    }

    /// Takes back an access token, or a refresh token with all that came of it. What is neither is ignored.
    pub(crate) fn revoke(&self, token: &str, now: UnixMillis) {
        match token.split_once('.') {
            Some((grant, _)) if self.grants.contains(grant, now) => self.revoke_grant(grant, now),
            _ => {
                if let Some(Claims { id: Some(id), expires, .. }) = self.read(token, now) {
                    self.revoked.insert(id, (), expires, now);
                }
            }
        }
    }

    /// Whether a token was given to this client.
    pub(super) fn belongs(&self, token: &str, client_id: &str, now: UnixMillis) -> bool {
        let of_grant = token
            .split_once('.')
            .and_then(|(grant, _)| self.grants.with(grant, now, |grant| grant.client_id == client_id));
        of_grant
            .unwrap_or_else(|| self.read(token, now).is_some_and(|claims| claims.client.as_deref() == Some(client_id)))
    }
}

/// What a user's JWT or another token says: one of this identity provider that was not revoked, or one of an issuer
/// that the service was told to trust.
pub(super) fn trusted(service: &Service, token: &str, now: UnixMillis) -> Option<Claims> {
    let claims = Claims::read(token).ok()?;
    if claims.issuer.as_deref() == Some(service.idp.issuer()) {
        return service.idp.read(token, now);
    }
    service.issuers.check_signed(token, now).is_ok().then_some(claims)
}
