//! Credentials that were fetched, for as long as they may be served.

mod entry;
mod flights;
mod key;
mod policy;

use std::future::Future;
use std::sync::Arc;

use foldhash::fast::RandomState;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tokio::runtime::Handle;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, Span, warn};

use self::entry::Entry;
pub(crate) use self::entry::Fetched;
use self::flights::{Boarding, Flights, Landing, Listing};
use self::key::Key;
pub(crate) use self::key::{KeyRef, Kind};
pub use self::policy::CachePolicy;
use crate::Error;
use crate::operation::Operation;
use crate::secret::Secret;

/// A fetch to be: what it brings, and how many requests it sent.
pub(crate) struct Fetching<F> {
    pub(crate) requests: F,
    pub(crate) operation: Operation,
    /// Is told how it went by whoever drives it to its end, which need not be the one who began it.
    pub(crate) span: Span,
}

/// What the requests of a fetch came to, and how many were sent.
pub(crate) type Outcome = (Result<Fetched, Error>, u32);

/// What a caller gets.
pub(crate) struct Served {
    pub(crate) answer: Result<Secret, Error>,
    pub(crate) origin: Origin,
    /// As in the span.
    pub(crate) outcome: &'static str,
}

/// What is kept.
pub(crate) struct Hit {
    pub(crate) secret: Secret,
    /// It is to be renewed in the background: see [`CredentialCache::renew`].
    pub(crate) is_due: bool,
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
    store: Option<Arc<Store>>,
    flights: Flights,
}

struct Store {
    entries: Entries,
    policy: CachePolicy,
}

/// Hashing is on the way of every call, and most of a key is a digest already.
type Entries = Cache<Key, Entry, RandomState>;

impl CredentialCache {
    pub(crate) fn new(policy: CachePolicy) -> Self {
        let keeps_any = policy.max_entries > 0 && !policy.longest().is_zero();
        let store = keeps_any.then(|| Arc::new(Store::new(policy)));
        Self { store, flights: Flights::default() }
    }

    pub(crate) fn get(&self, key: &KeyRef<'_>) -> Option<Hit> {
        let entry = self.store.as_ref()?.entries.get(key)?;
        entry.is_fresh().then(|| Hit { is_due: entry.is_due(), secret: entry.secret })
    }

    /// What is kept under `key`, else what `fetch` brings. Calls that miss together share one fetch and its failure.
    /// Failures are not kept: where one would, what is kept serves until its end.
    pub(crate) async fn get_or_fetch<F>(
        &self,
        key: KeyRef<'_>,
        runtime: &Handle,
        fetch: impl Fn() -> Fetching<F>,
    ) -> Served
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        if let Some(store) = self.shared(key.kind) {
            let key = Key::from(key);
            let kept = || store.kept(&key).filter(Entry::is_fresh);
            let begin = |listing| store.flight(key.clone(), fetch(), listing);
            match self.flights.board(key.clone(), runtime.id(), kept, begin) {
                Boarding::Landed(entry) => {
                    return Served { answer: Ok(entry.secret), origin: Origin::Shared, outcome: OK };
                }
                Boarding::Began(flight) => return flight.await.served(Origin::Service),
                Boarding::Joined(flight) => match flight.await {
                    // Good for nothing by now; then this call asks for itself.
                    Landing { answer: Ok(entry), .. } if entry.has_ended() => {}
                    landing => return landing.served(Origin::Shared),
                },
            }
        }
        let answer = fetch().alone().await.map(|fetched| fetched.secret);
        Served { outcome: outcome_of(&answer), answer, origin: Origin::Service }
    }

    /// Renews what is kept under `key` in the background, unless that is under way or done.
    pub(crate) fn renew<F>(&self, key: KeyRef<'_>, runtime: &Handle, fetch: impl FnOnce() -> Fetching<F>)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let Some(store) = self.shared(key.kind) else { return };
        let key = Key::from(key);
        let kept = || store.kept(&key).filter(|entry| !entry.is_due());
        let begin = |listing| store.flight(key.clone(), fetch(), listing);
        if let Boarding::Began(flight) = self.flights.board(key.clone(), runtime.id(), kept, begin) {
            runtime.spawn(flight);
        }
    }

    /// Keeps what did not come through here, in place of what is there and of what fetches under way for `key` will
    /// bring.
    pub(crate) fn put(&self, key: KeyRef<'_>, fetched: Fetched) {
        let Some(store) = self.shared(key.kind) else { return };
        let key = Key::from(key);
        self.flights.supersede(&key, |number| {
            store.entries.insert(key.clone(), Entry::new(fetched, key.kind, &store.policy, number));
        });
    }

    /// Drops what is kept under `key` if it is still `rejected`, and not what another call fetched since.
    pub(crate) fn forget(&self, key: KeyRef<'_>, rejected: &Secret) {
        let Some(store) = &self.store else { return };
        // Or a renewal that fails meanwhile would bring it back.
        self.flights.between_landings(|| {
            store.entries.entry(key.into()).and_compute_with(|entry| {
                let remove = entry.is_some_and(|entry| entry.value().secret.same_as(rejected));
                if remove { Op::Remove } else { Op::Nop }
            });
        });
    }

    /// Where credentials of this kind are kept, and their fetches shared, if they are.
    fn shared(&self, kind: Kind) -> Option<&Arc<Store>> {
        self.store.as_ref().filter(|store| store.policy.keeps(kind))
    }
}

impl Store {
    fn new(policy: CachePolicy) -> Self {
        let entries = Cache::builder()
            .max_capacity(policy.max_entries)
            // An entry that nobody asks for again is wiped from memory too, at the next use of the cache after this.
            .time_to_live(policy.longest())
            .build_with_hasher(RandomState::default());
        Self { entries, policy }
    }

    /// What a call that has missed finds meanwhile. Mostly nothing, which is found at less cost than by `get`.
    fn kept(&self, key: &Key) -> Option<Entry> {
        if self.entries.contains_key(key) { self.entries.get(key) } else { None }
    }

    /// Whether what the flight `number` came to is still of use: another runtime's may have been asked later and landed
    /// before, and what could not be renewed may have been dropped.
    fn may_keep(&self, key: &Key, entry: &Entry, number: u64) -> bool {
        self.kept(key).map_or(entry.flight == number, |kept| kept.flight <= entry.flight)
    }

    fn flight(
        self: &Arc<Self>,
        key: Key,
        fetch: Fetching<impl Future<Output = Outcome> + Send + 'static>,
        listing: Listing,
    ) -> BoxFuture<'static, Landing> {
        let store = self.clone();
        let Fetching { requests, operation, span } = fetch;
        let flight = async move {
            let (answer, attempts) = requests.await;
            let mut outcome = outcome_of(&answer);
            let number = listing.number;
            let answer = match answer {
                Ok(fetched) => {
                    let entry = Entry::new(fetched, key.kind, &store.policy, number);
                    // The service has no newer one yet, and would be asked in vain at each call.
                    let in_vain = !entry.is_fresh()
                        && !entry.has_ended()
                        && store.kept(&key).is_some_and(|kept| kept.secret.same_as(&entry.secret));
                    Ok(if in_vain { entry.postponed(true) } else { entry })
                }
                Err(error) => match store.kept(&key) {
                    Some(entry) if !entry.has_ended() => {
                        warn!(
                            operation = operation.name(),
                            provider = key.provider(),
                            reason = outcome,
                            "a credential could not be renewed, and serves until its end"
                        );
                        outcome = KEPT;
                        Ok(entry.postponed(error.is_retryable()))
                    }
                    _ => Err(error),
                },
            };
            listing.land(|| {
                if let Ok(entry) = &answer
                    && store.may_keep(&key, entry, number)
                {
                    store.entries.insert(key, entry.clone());
                }
            });
            record(&Span::current(), outcome, attempts);
            Landing { answer, outcome }
        };
        Box::pin(flight.instrument(span).with_current_subscriber())
    }
}

impl<F: Future<Output = Outcome>> Fetching<F> {
    /// What it brings when nobody shares it, and nothing is kept.
    pub(crate) fn alone(self) -> impl Future<Output = Result<Fetched, Error>> {
        let Self { requests, span, operation: _ } = self;
        let recorded = requests.map(|(answer, attempts)| {
            record(&Span::current(), outcome_of(&answer), attempts);
            answer
        });
        recorded.instrument(span)
    }
}

const OK: &str = "ok";

/// The fetch failed, and what was kept serves on.
const KEPT: &str = "kept";

fn outcome_of<T>(answer: &Result<T, Error>) -> &'static str {
    answer.as_ref().map_or_else(Error::kind, |_| OK)
}

/// How a call that `span` is about went, and how many requests it sent.
pub(crate) fn record(span: &Span, outcome: &'static str, attempts: u32) {
    span.record("outcome", outcome).record("attempts", attempts);
}

#[cfg(test)]
mod tests;
