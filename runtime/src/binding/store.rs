use std::collections::{BTreeMap, HashMap};
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::PendingRecord;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Where authorizations wait for their users' browsers to come back.
///
/// An application of several replicas has them share one, since the replica that the browser comes back to need not be
/// the one that began: a table with a time to live, as Redis has. Keys are 32 hexadecimal digits that give
/// nothing away; the records may hold a user's JWT.
///
/// ```
/// use std::error::Error;
/// use std::time::Duration;
/// use agentcore_identity::{PendingRecord, PendingStore};
///
/// # struct Redis;
/// # impl Redis {
/// #     async fn set_ex(&self, _: &str, _: &str, _: u64) -> Result<(), std::io::Error> { todo!() }
/// #     async fn get(&self, _: &str) -> Result<Option<String>, std::io::Error> { todo!() }
/// #     async fn get_del(&self, _: &str) -> Result<Option<String>, std::io::Error> { todo!() }
/// # }
/// struct Shared(Redis);
///
/// impl PendingStore for Shared {
///     async fn put(&self, key: &str, record: PendingRecord, life: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
///         Ok(self.0.set_ex(key, record.expose(), life.as_secs()).await?)
///     }
///
///     async fn get(&self, key: &str) -> Result<Option<PendingRecord>, Box<dyn Error + Send + Sync>> {
///         Ok(self.0.get(key).await?.map(PendingRecord::new))
///     }
///
///     async fn take(&self, key: &str) -> Result<Option<PendingRecord>, Box<dyn Error + Send + Sync>> {
///         Ok(self.0.get_del(key).await?.map(PendingRecord::new))
///     }
/// }
/// ```
pub trait PendingStore: Send + Sync {
    /// Keeps `record` under `key` for `life`, which is 10 minutes at most, in place of what is there.
    ///
    /// # Errors
    ///
    /// The authorization fails, with this as its cause.
    fn put(
        &self,
        key: &str,
        record: PendingRecord,
        life: Duration,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// What is kept under `key`, if its life is not over.
    ///
    /// # Errors
    ///
    /// The user is told to try again.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<PendingRecord>, BoxError>> + Send;

    /// The same, and it is not there any longer: of several who ask at once, one gets it.
    ///
    /// # Errors
    ///
    /// The user is told to try again.
    fn take(&self, key: &str) -> impl Future<Output = Result<Option<PendingRecord>, BoxError>> + Send;
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// [`PendingStore`] as an object.
pub(crate) trait DynPendingStore: Send + Sync {
    fn put<'a>(&'a self, key: &'a str, record: PendingRecord, life: Duration) -> Boxed<'a, ()>;
    #[cfg(feature = "session-binding")]
    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<PendingRecord>>;
    #[cfg(feature = "session-binding")]
    fn take<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<PendingRecord>>;
}

impl<S: PendingStore> DynPendingStore for S {
    fn put<'a>(&'a self, key: &'a str, record: PendingRecord, life: Duration) -> Boxed<'a, ()> {
        Box::pin(PendingStore::put(self, key, record, life))
    }

    #[cfg(feature = "session-binding")]
    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<PendingRecord>> {
        Box::pin(PendingStore::get(self, key))
    }

    #[cfg(feature = "session-binding")]
    fn take<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<PendingRecord>> {
        Box::pin(PendingStore::take(self, key))
    }
}

impl<S: PendingStore + ?Sized> PendingStore for Arc<S> {
    fn put(
        &self,
        key: &str,
        record: PendingRecord,
        life: Duration,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        (**self).put(key, record, life)
    }

    fn get(&self, key: &str) -> impl Future<Output = Result<Option<PendingRecord>, BoxError>> + Send {
        (**self).get(key)
    }

    fn take(&self, key: &str) -> impl Future<Output = Result<Option<PendingRecord>, BoxError>> + Send {
        (**self).take(key)
    }
}

/// A store in this process's memory, for an application of one replica. What is oldest goes first when it is full.
///
/// ```
/// use agentcore_identity::{IdentityClient, MemoryStore};
///
/// let client = IdentityClient::builder().pending_store(MemoryStore::default()).build();
/// # let _ = client;
/// ```
pub struct MemoryStore {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    by_age: BTreeMap<u64, String>,
    put: u64,
}

struct Entry {
    record: PendingRecord,
    expires_at: Instant,
    age: u64,
}

impl MemoryStore {
    /// One that keeps this many authorizations, and at least one. The default is 10,000.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity: capacity.max(1) }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_capacity(10_000)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl Entries {
    fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.by_key.remove(key)?;
        self.by_age.remove(&entry.age);
        Some(entry)
    }

    /// The oldest go, as long as their life is over or there is no room for one more.
    fn make_room(&mut self, capacity: usize) {
        let now = Instant::now();
        while let Some((_, oldest)) = self.by_age.first_key_value() {
            let over = self.by_key.get(oldest).is_none_or(|entry| entry.expires_at <= now);
            if !over && self.by_key.len() < capacity {
                return;
            }
            if let Some((_, oldest)) = self.by_age.pop_first() {
                self.by_key.remove(&oldest);
            }
        }
    }
}

impl PendingStore for MemoryStore {
    async fn put(&self, key: &str, record: PendingRecord, life: Duration) -> Result<(), BoxError> {
        let mut entries = self.entries();
        entries.remove(key);
        entries.make_room(self.capacity);
        entries.put += 1;
        let age = entries.put;
        entries.by_age.insert(age, key.to_owned());
        entries.by_key.insert(key.to_owned(), Entry { record, expires_at: Instant::now() + life, age });
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
        let entries = self.entries();
        let entry = entries.by_key.get(key).filter(|entry| Instant::now() < entry.expires_at);
        Ok(entry.map(|entry| entry.record.clone()))
    }

    async fn take(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
        let entry = self.entries().remove(key).filter(|entry| Instant::now() < entry.expires_at);
        Ok(entry.map(|entry| entry.record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_mins(10);

    async fn put(store: &MemoryStore, key: &str) {
        PendingStore::put(store, key, PendingRecord::new(key), LIFE).await.unwrap();
    }

    async fn kept(store: &MemoryStore, key: &str) -> bool {
        PendingStore::get(store, key).await.unwrap().is_some_and(|record| record.expose() == key)
    }

    #[tokio::test(start_paused = true)]
    async fn kept_for_its_life_and_taken_once() {
        let store = MemoryStore::default();
        put(&store, "a").await;
        put(&store, "b").await;
        tokio::time::advance(LIFE.saturating_sub(Duration::from_millis(1))).await;
        assert!(kept(&store, "a").await);
        assert!(PendingStore::take(&store, "a").await.unwrap().is_some());
        assert!(PendingStore::take(&store, "a").await.unwrap().is_none());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!kept(&store, "b").await);
        assert!(PendingStore::take(&store, "b").await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_go_when_it_is_full() {
        let store = MemoryStore::with_capacity(2);
        for key in ["a", "b", "a", "c"] {
            put(&store, key).await;
        }
        assert!(kept(&store, "a").await && !kept(&store, "b").await && kept(&store, "c").await);
        let entries = store.entries();
        assert_eq!((entries.by_key.len(), entries.by_age.len()), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_does_not_stay_in_memory() {
        let store = MemoryStore::default();
        for key in ["a", "b", "c"] {
            put(&store, key).await;
        }
        tokio::time::advance(LIFE).await;
        put(&store, "d").await;
        assert_eq!(store.entries().by_key.len(), 1);
    }
}
