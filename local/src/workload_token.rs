//! Workload access tokens: who a workload is and for whom it acts, sealed so that only this service reads or makes one.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::UnixMillis;
use crate::digest::sha256_hex;
use crate::error::{Code, ServiceError};
use crate::jwt::UserClaims;
use crate::limits;
use crate::seal::Sealer;
use crate::store::WorkloadIdentity;

const CONTEXT: &str = "workload-access-token";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) workload: String,
    /// The identity's own id: a token does not pass to a later identity of the same name.
    pub(crate) identity: String,
    pub(crate) user: Option<User>,
    /// The JWT itself, which an exchange on behalf of its user needs. A token for a JWT so long that the two would not
    /// fit goes without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_jwt: Option<UserJwt>,
    issued: UnixMillis,
    expires: UnixMillis,
}

/// A user's JWT, in the form in which it was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UserJwt(Zeroizing<String>);

impl UserJwt {
    pub(crate) fn new(token: &str) -> Self {
        Self(Zeroizing::new(token.to_owned()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserJwt([redacted])")
    }
}

/// The user for whom a workload acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum User {
    /// An id that the workload vouches for.
    Id(String),
    /// The holder of a JWT. The digest tells two JWTs of one subject apart.
    Jwt { subject: String, issuer: Option<String>, digest: String },
}

impl User {
    pub(crate) fn of_jwt(token: &str, claims: &UserClaims) -> Self {
        Self::Jwt {
            subject: claims.subject.clone(),
            issuer: claims.issuer.clone(),
            digest: sha256_hex(token.as_bytes()),
        }
    }

    /// Whether this is the user of that very JWT, or of that very id.
    pub(crate) fn is(&self, identifier: &UserIdentifier) -> bool {
        match (self, identifier) {
            (Self::Id(id), UserIdentifier::Id(given)) => id == given,
            (Self::Jwt { digest, .. }, UserIdentifier::Jwt(given)) => *digest == sha256_hex(given.expose().as_bytes()),
            _ => false,
        }
    }

    /// Whether the two are one person, perhaps with another JWT of the same issuer.
    pub(crate) fn is_same_person(&self, other: &Self) -> bool {
        self.person() == other.person()
    }

    /// What is the same in every JWT of one person: the kind of user, the issuer, and the name.
    pub(crate) fn person(&self) -> (&'static str, Option<&str>, &str) {
        match self {
            Self::Id(id) => ("id", None, id),
            Self::Jwt { subject, issuer, .. } => ("jwt", issuer.as_deref(), subject),
        }
    }

    /// How the log of calls names the user.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Id(name) | Self::Jwt { subject: name, .. } => name,
        }
    }
}

/// How an application says which user it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserIdentifier {
    Id(String),
    Jwt(UserJwt),
}

/// Issues and reads tokens.
pub(crate) struct WorkloadTokens {
    sealer: Sealer,
    lifetime: Duration,
}

impl WorkloadTokens {
    pub(crate) fn new(sealer: Sealer, lifetime: Duration) -> Self {
        Self { sealer, lifetime }
    }

    /// A token for `identity` that ends after the lifetime, or at `latest` if that is sooner.
    pub(crate) fn issue(
        &self,
        identity: &WorkloadIdentity,
        user: Option<User>,
        latest: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<String, ServiceError> {
        self.seal(&self.claims(identity, user, latest, now))
    }

    /// A token for the user of a checked JWT, which ends no later than the JWT does.
    pub(crate) fn issue_for_jwt(
        &self,
        identity: &WorkloadIdentity,
        jwt: &str,
        checked: &UserClaims,
        now: UnixMillis,
    ) -> Result<String, ServiceError> {
        let mut claims = self.claims(identity, Some(User::of_jwt(jwt, checked)), Some(checked.expires), now);
        claims.user_jwt = Some(UserJwt::new(jwt));
        let token = self.seal(&claims)?;
        if limits::WORKLOAD_TOKEN.admits(&token) {
            return Ok(token);
        }
        claims.user_jwt = None;
        self.seal(&claims)
    }

    fn claims(
        &self,
        identity: &WorkloadIdentity,
        user: Option<User>,
        latest: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Claims {
        let end = now.saturating_add(self.lifetime);
        Claims {
            workload: identity.name.clone(),
            identity: identity.id.clone(),
            user,
            user_jwt: None,
            issued: now,
            expires: latest.map_or(end, |latest| end.min(latest)),
        }
    }

    fn seal(&self, claims: &Claims) -> Result<String, ServiceError> {
        let plain = serde_json::to_vec(claims).map(Zeroizing::new).map_err(|error| ServiceError::internal(&error))?;
        Ok(URL_SAFE_NO_PAD.encode(self.sealer.seal(CONTEXT, &plain)?))
    }

    /// # Errors
    /// `UnauthorizedException` for what this service did not issue, and for what has ended.
    pub(crate) fn check(&self, token: &str, now: UnixMillis) -> Result<Claims, ServiceError> {
        limits::WORKLOAD_TOKEN.check("workloadIdentityToken", token)?;
        let claims = self.read(token).ok_or_else(|| {
            ServiceError::new(
                Code::Unauthorized,
                "The workload access token is not one of this local service. Tokens of AWS, and those of an earlier \
                 local service without a data directory, are not valid here.",
            )
        })?;
        if now >= claims.expires {
            return Err(ServiceError::new(Code::Unauthorized, "Token has expired"));
        }
        Ok(claims)
    }

    /// What an authentic token says, be it expired or not.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        serde_json::from_slice(&self.sealer.open(CONTEXT, &sealed)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::MasterKey;
    use crate::store::Tags;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis::from_seconds(seconds)
    }

    fn tokens() -> WorkloadTokens {
        WorkloadTokens::new(MasterKey::generate().unwrap().sealer("token").unwrap(), Duration::from_mins(15))
    }

    fn identity() -> WorkloadIdentity {
        let (created, updated) = (at(0), at(0));
        WorkloadIdentity {
            name: "my-agent".into(),
            id: "id-1".into(),
            return_urls: vec![],
            tags: Tags::new(),
            created,
            updated,
        }
    }

    #[test]
    fn a_token_says_what_it_was_issued_for_until_it_ends() {
        let tokens = tokens();
        let user = User::Id("ada".into());
        let token = tokens.issue(&identity(), Some(user.clone()), None, at(NOW)).unwrap();
        let claims = tokens.check(&token, at(NOW + 899)).unwrap();
        assert_eq!((claims.workload.as_str(), claims.identity.as_str()), ("my-agent", "id-1"));
        assert_eq!(claims.user, Some(user));
        let expired = tokens.check(&token, at(NOW + 900)).unwrap_err();
        assert_eq!((expired.status(), expired.message()), (401, "Token has expired"));
        assert!(tokens.read(&token).is_some());
    }

    #[test]
    fn a_token_ends_no_later_than_told() {
        let tokens = tokens();
        let token = tokens.issue(&identity(), None, Some(at(NOW + 10)), at(NOW)).unwrap();
        assert!(tokens.check(&token, at(NOW + 9)).is_ok());
        assert!(tokens.check(&token, at(NOW + 10)).is_err());
        let token = tokens.issue(&identity(), None, Some(at(NOW + 10_000)), at(NOW)).unwrap();
        assert!(tokens.check(&token, at(NOW + 900)).is_err());
    }

    #[test]
    fn a_token_of_another_instance_is_refused() {
        let token = tokens().issue(&identity(), None, None, at(NOW)).unwrap();
        assert_eq!(tokens().check(&token, at(NOW)).unwrap_err().code(), "UnauthorizedException");
    }

    #[test]
    fn a_token_shows_nothing() {
        let token = tokens().issue(&identity(), Some(User::Id("ada-lovelace".into())), None, at(NOW)).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("my-agent") && !text.contains("ada-lovelace"));
    }

    #[test]
    fn the_jwt_comes_along_where_it_fits() {
        let tokens = tokens();
        for (length, kept) in [(20, true), (90_000, true), (131_072, false)] {
            let jwt = format!("e30.{}.c2ln", "a".repeat(length - 9));
            let checked = UserClaims { subject: "ada".into(), issuer: None, expires: at(NOW + 10) };
            let token = tokens.issue_for_jwt(&identity(), &jwt, &checked, at(NOW)).unwrap();
            let claims = tokens.check(&token, at(NOW)).unwrap();
            assert_eq!(claims.user_jwt.as_ref().map(UserJwt::expose), kept.then_some(jwt.as_str()), "{length}");
            assert!(claims.user.as_ref().unwrap().is(&UserIdentifier::Jwt(UserJwt::new(&jwt))));
            assert!(tokens.check(&token, at(NOW + 10)).is_err());
            let run = "a".repeat(10);
            assert!(!token.contains(&run) && !format!("{claims:?}").contains(&run));
        }
    }

    #[test]
    fn a_user_is_the_very_identifier_and_a_person_is_more() {
        let jwt = |token: &str, subject: &str, issuer: Option<&str>| {
            let (subject, issuer) = (subject.to_owned(), issuer.map(str::to_owned));
            User::of_jwt(token, &UserClaims { subject, issuer, expires: at(NOW) })
        };
        let given = |token: &str| UserIdentifier::Jwt(UserJwt::new(token));
        let ada = jwt("a.b.c", "ada", Some("https://idp"));
        assert!(ada.is(&given("a.b.c")) && !ada.is(&given("a.b.d")) && !ada.is(&UserIdentifier::Id("ada".into())));
        assert!(User::Id("ada".into()).is(&UserIdentifier::Id("ada".into())));
        assert!(!User::Id("ada".into()).is(&UserIdentifier::Id("Ada".into())));
        assert!(ada.is_same_person(&jwt("d.e.f", "ada", Some("https://idp"))));
        for other in [jwt("a.b.c", "ada", None), jwt("a.b.c", "bob", Some("https://idp")), User::Id("ada".into())] {
            assert!(!ada.is_same_person(&other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_altered_token_passes(at_index in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9_-]") {
            let tokens = tokens();
            let token = tokens.issue(&identity(), None, None, at(NOW)).unwrap();
            let index = at_index.index(token.len());
            let mut altered = token.clone();
            altered.replace_range(index..=index, &replacement);
            prop_assert_eq!(tokens.check(&altered, at(NOW)).is_ok(), altered == token);
        }

        #[test]
        fn garbage_is_unauthorized(garbage in "\\PC{1,200}") {
            prop_assert_eq!(tokens().check(&garbage, at(NOW)).unwrap_err().status(), 401);
        }
    }
}
