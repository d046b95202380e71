//! Session binding: the browser that comes back from a consent has to be that of the user it was asked of.

mod record;
mod store;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use self::record::PendingRecord;
pub(crate) use self::record::{Record, key};
pub(crate) use self::store::DynPendingStore;
pub use self::store::{MemoryStore, PendingStore};
use crate::error::Cause;
use crate::oauth::{Parameters, SESSION_LIFE};
use crate::{Error, IdentityClient, PendingAuthorization, UserIdentifier};

/// What one authorization is bound by.
pub(crate) struct Binding {
    store: Option<Arc<dyn DynPendingStore>>,
    state: Option<String>,
}

impl Binding {
    /// The call's own `state`; else, where the client keeps authorizations for their callbacks, a fresh one that nobody
    /// can guess.
    pub(crate) fn of(client: &IdentityClient, parameters: &Parameters) -> Result<Self, Error> {
        let store = client.pending_store().filter(|_| parameters.callback_url.is_some()).cloned();
        let state = match (&parameters.custom_state, &store) {
            (Some(state), _) => Some(state.clone()),
            (None, Some(_)) => Some(random_state()?),
            (None, None) => None,
        };
        Ok(Self { store, state })
    }

    pub(crate) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Has the callback know of `pending`, which `user` was asked for.
    pub(crate) async fn register(
        &self,
        pending: &PendingAuthorization,
        user: Option<UserIdentifier>,
    ) -> Result<(), Error> {
        let Some(store) = &self.store else { return Ok(()) };
        let record = Record { provider: pending.provider().to_owned(), state: self.state.clone(), user };
        store.put(&key(pending.session_uri()), record.seal(), SESSION_LIFE).await.map_err(|error| {
            Error::authorization_failed(
                "the store of pending authorizations failed, so the user's browser could not be recognized when it comes \
                 back: the error's source says how",
                Cause::new(error, None),
            )
        })
    }
}

fn random_state() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::configuration(format!("this system has no randomness to give: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
