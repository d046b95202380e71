//! Credentials that were fetched, for as long as they may be served.

mod key;
mod policy;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::future::Cache;
use moka::ops::compute::Op;
use tokio::time::Instant;

use self::key::Key;
pub(crate) use self::key::{KeyRef, Kind};
pub use self::policy::CachePolicy;
use crate::secret::Secret;
use crate::{Error, jwt};

/// A credential fresh from the service, and how much longer it is known to be good, if that is known.
pub(crate) struct Fetched {
    pub(crate) secret: Secret,
    pub(crate) ends_in: Option<Duration>,
}

impl Fetched {
    /// A token that says its end if it is a JWT.
    pub(crate) fn new(secret: Secret) -> Self {
        let ends_in = jwt::remaining_life(secret.expose());
        Self { secret, ends_in }
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The service, asked by this call.
    Service,
    /// The service, asked by another call that this one waited for, or that answered meanwhile.
    Shared,
}

pub(crate) struct CredentialCache {
    /// `None` when the policy keeps nothing.
    entries: Option<Cache<Key, Entry>>,
    policy: CachePolicy,
}

#[derive(Clone)]
struct Entry {
    secret: Secret,
    /// Checked here and not left to the cache library, whose clock tests cannot pause.
    expires_at: Instant,
}

impl Entry {
    fn is_current(&self) -> bool {
        Instant::now() < self.expires_at
    }
}

impl CredentialCache {
    pub(crate) fn new(policy: CachePolicy) -> Self {
        let keeps_any = policy.max_entries > 0 && !policy.longest().is_zero();
        let entries = keeps_any.then(|| {
            Cache::builder()
                .max_capacity(policy.max_entries)
                // An entry that nobody asks for again is wiped from memory too.
                .time_to_live(policy.longest())
                .build()
        });
        Self { entries, policy }
    }

    /// Whether anything is kept or shared.
    pub(crate) fn is_enabled(&self) -> bool {
        self.entries.is_some()
    }

    pub(crate) async fn get(&self, key: &KeyRef<'_>) -> Option<Secret> {
        let entry = self.entries.as_ref()?.get(key).await?;
        entry.is_current().then_some(entry.secret)
    }

    /// What is kept under `key`, else what `fetch` brings. Calls that miss together share one fetch and its failure; if
    /// the one that fetches is dropped, the next one that waits fetches. Failures are not kept.
    pub(crate) async fn get_or_fetch(
        &self,
        key: KeyRef<'_>,
        fetch: impl Future<Output = Result<Fetched, Error>>,
    ) -> (Result<Secret, Error>, Origin) {
        let mut fetch = pin!(fetch);
        if let Some(entries) = self.entries.as_ref().filter(|_| !self.policy.lifetime(key.kind).is_zero()) {
            self.remove_if(key, |entry| !entry.is_current()).await;
            let asked_here = AtomicBool::new(false);
            let insert = async {
                asked_here.store(true, Ordering::Relaxed);
                fetch.as_mut().await.map(|fetched| self.entry(key.kind, fetched))
            };
            // Boxed, as below: the futures of the cache library are large, and each around them holds them twice.
            let answer = Box::pin(entries.try_get_with(key.into(), insert)).await;
            let origin = if asked_here.into_inner() { Origin::Service } else { Origin::Shared };
            match answer {
                // What another call fetched may have ended since; then this one asks for itself.
                Ok(entry) if origin == Origin::Shared && !entry.is_current() => {}
                Ok(entry) => return (Ok(entry.secret), origin),
                Err(error) => return (Err(Error::clone(&error)), origin),
            }
        }
        (fetch.await.map(|fetched| fetched.secret), Origin::Service)
    }

    /// Drops what is kept under `key` if it is still `rejected`, and not what another call fetched since.
    pub(crate) async fn forget(&self, key: KeyRef<'_>, rejected: &Secret) {
        self.remove_if(key, |entry| entry.secret.same_as(rejected)).await;
    }

    async fn remove_if(&self, key: KeyRef<'_>, condition: impl Fn(&Entry) -> bool + Send) {
        let Some(entries) = &self.entries else { return };
        if !entries.contains_key(&key) {
            return;
        }
        let remove = entries.entry(key.into()).and_compute_with(|entry| {
            let remove = entry.is_some_and(|entry| condition(entry.value()));
            std::future::ready(if remove { Op::Remove } else { Op::Nop })
        });
        Box::pin(remove).await;
    }

    fn entry(&self, kind: Kind, fetched: Fetched) -> Entry {
        let lifetime = self.policy.lifetime(kind);
        let lifetime = fetched.ends_in.map_or(lifetime, |ends_in| ends_in.min(lifetime));
        Entry { secret: fetched.secret, expires_at: Instant::now() + lifetime }
    }
}

#[cfg(test)]
mod tests;
