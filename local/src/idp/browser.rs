//! Which browser this is, and who signed in with it: kept by the browser itself, sealed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ISSUER, IdentityProvider};
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::random;
use crate::web::{Cookie, Reply, Request, reply};

const COOKIE: &str = "agentcore_idp";

/// For how long a browser remembers who signed in.
const LIFETIME: Duration = Duration::from_hours(12);

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Browser {
    /// Tells browsers apart: a form goes only with the browser that it was made for.
    pub(super) id: String,
    pub(super) person: Option<Person>,
    end: UnixMillis,
}

/// Who a person said to be, and when.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) signed_in: UnixMillis,
}

impl Browser {
    /// A browser that was not here before.
    pub(super) fn new(now: UnixMillis) -> Result<Self, ServiceError> {
        Ok(Self { id: random::uuid()?, person: None, end: now.saturating_add(LIFETIME) })
    }
}

impl IdentityProvider {
    pub(super) fn browser(&self, request: &Request, now: UnixMillis) -> Option<Browser> {
        self.open(COOKIE, request.cookie(COOKIE)?).filter(|browser: &Browser| now < browser.end)
    }

    /// Has the browser remember.
    pub(super) fn remember(&self, reply: Reply, browser: &Browser) -> Result<Reply, ServiceError> {
        let value = self.seal(COOKIE, browser)?;
        Ok(reply::with_cookie(reply, &Cookie { name: COOKIE, value: &value, path: ISSUER, lives: LIFETIME }))
    }

    pub(super) fn seal(&self, purpose: &str, value: &impl Serialize) -> Result<String, ServiceError> {
        let plain = serde_json::to_vec(value).map_err(|error| ServiceError::internal(&error))?;
        Ok(URL_SAFE_NO_PAD.encode(self.sealer.seal(purpose, &plain)?))
    }

    pub(super) fn open<T: DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        serde_json::from_slice(&self.sealer.open(purpose, &sealed)?).ok()
    }
}
