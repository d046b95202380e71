//! Everything that is kept, in one transactional store: in memory, or in a file that survives the process.

mod access_token;
mod data_dir;
mod oauth2_provider;
mod records;
mod transaction;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, ReadableDatabase, StorageBackend};
use tokio::sync::Mutex;

use crate::clock::UnixMillis;
use crate::credentials::SigningCredentials;
use crate::error::ServiceError;
use crate::seal::{MasterKey, Sealer};
use crate::start_error::StartError;

pub(crate) use access_token::{Freshness, StoredToken, TokenKey};
use data_dir::DataDir;
pub(crate) use oauth2_provider::{
    ActorToken, AssertionAlgorithm, Claims, ClientAuthentication, Endpoints, Oauth2Provider, OnBehalfOf,
    OnBehalfOfGrant, PrivateKeyJwt, Registration, ServerMetadata, own_discovery_url,
};
pub(crate) use records::{ApiKeyProvider, Record, Tagged, Tags, WorkloadIdentity};
use transaction::Settings;
pub(crate) use transaction::{Change, StoreError, View};

/// Far more than a full store takes, far less than redb's default of a gibibyte.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The store, and what an instance takes from it when it starts.
pub(crate) struct Store {
    inner: Arc<Inner>,
    master: MasterKey,
    credentials: SigningCredentials,
    created: UnixMillis,
    /// The turn to change a durable store: only one change at a time can be under way, so the others wait here and not
    /// on threads.
    turn: Option<Arc<Mutex<()>>>,
}

struct Inner {
    database: Database,
    vault: Sealer,
    /// Keeps other processes out for as long as the database is open, so it is dropped after it.
    _lock: Option<File>,
}

impl Store {
    /// A store that ends with the process.
    pub(crate) fn in_memory(now: UnixMillis) -> Result<Self, StartError> {
        let master = MasterKey::generate()?;
        let database =
            open(InMemoryBackend::new()).map_err(|error| unusable(Path::new("the store in memory"), &error))?;
        let inner = Arc::new(Inner { database, vault: master.sealer("vault")?, _lock: None });
        inner.initialise(now).map_err(|error| unusable(Path::new("the store in memory"), &error))?;
        Self::start(inner, master, Path::new("the store in memory"), false)
    }

    /// The store in `directory`, made if it is not there.
    pub(crate) fn in_directory(directory: &Path, now: UnixMillis) -> Result<Self, StartError> {
        let directory = DataDir::open(directory)?;
        let path = directory.database();
        let exists = directory.has_database()?;
        let master = match directory.load_key()? {
            Some(key) => key,
            None if exists => return Err(directory.key_is_missing()),
            None => directory.create_key()?,
        };
        if !exists {
            directory.create_database(|file| {
                let database = open(FileBackend::new(file)?)?;
                let inner = Inner { database, vault: master.sealer("vault")?, _lock: None };
                inner.initialise(now)?;
                Ok(inner.database.close()?)
            })?;
        }
        let database =
            directory.open_database().and_then(|file| open_file(file).map_err(|error| unusable(&path, &error)))?;
        let vault = master.sealer("vault")?;
        let inner = Arc::new(Inner { database, vault, _lock: Some(directory.into_lock()) });
        Self::start(inner, master, &path, true)
    }

    fn start(inner: Arc<Inner>, master: MasterKey, path: &Path, durable: bool) -> Result<Self, StartError> {
        let Settings { credentials, created, .. } = inner.settings().map_err(|error| unusable(path, &error))?;
        let turn = durable.then(Arc::default);
        Ok(Self { inner, master, credentials, created, turn })
    }

    pub(crate) fn credentials(&self) -> &SigningCredentials {
        &self.credentials
    }

    /// Takes other credentials into use, which a change has kept.
    pub(crate) fn sign_with(&mut self, credentials: SigningCredentials) {
        self.credentials = credentials;
    }

    /// When the store was made.
    pub(crate) fn created(&self) -> UnixMillis {
        self.created
    }

    /// A sealer whose key lives and dies with this store.
    pub(crate) fn sealer(&self, purpose: &str) -> Result<Sealer, StartError> {
        Ok(self.master.sealer(purpose)?)
    }

    /// What is there now; later changes do not show in it.
    pub(crate) fn view(&self) -> Result<View<'_>, StoreError> {
        self.inner.view()
    }

    /// Makes a change that happens as a whole, or on an error not at all. When this returns `Ok`, it is on disk.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let Some(turn) = &self.turn else {
            return self.inner.change(change);
        };
        let turn = Arc::clone(turn).lock_owned().await;
        let inner = Arc::clone(&self.inner);
        // A commit waits for the disk, for which the threads of the runtime have no time.
        let change = tokio::task::spawn_blocking(move || {
            let outcome = inner.change(change);
            drop(inner);
            drop(turn);
            outcome
        });
        change.await.unwrap_or_else(|error| Err(ServiceError::internal(&error)))
    }

    /// Closes the store, after a change whose caller has gone and left it under way.
    pub(crate) async fn close(self) {
        if let Some(turn) = &self.turn {
            let _last = turn.lock().await;
        }
    }

    /// [`change`](Self::change) for the time before anything is served.
    pub(crate) fn change_at_start<T>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        self.inner.change(change)
    }
}

impl Inner {
    fn initialise(&self, now: UnixMillis) -> Result<(), StoreError> {
        let change = Change::begin(self.database.begin_write()?, &self.vault);
        change.initialise(&SigningCredentials::generate()?, now)?;
        change.commit()
    }

    /// The settings of a store that is found whole, brought to the current format if an earlier version made it.
    fn settings(&self) -> Result<Settings, StoreError> {
        let settings = self.view()?.settings()?;
        if settings.outdated {
            let change = Change::begin(self.database.begin_write()?, &self.vault);
            change.upgrade()?;
            change.commit()?;
        }
        self.view()?.check()?;
        Ok(settings)
    }

    fn view(&self) -> Result<View<'_>, StoreError> {
        Ok(View::new(self.database.begin_read()?, &self.vault))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>) -> Result<T, ServiceError> {
        let transaction = self.database.begin_write().map_err(StoreError::from)?;
        let mut open = Change::begin(transaction, &self.vault);
        // On an error the transaction is dropped, which undoes it.
        let outcome = change(&mut open)?;
        open.commit()?;
        Ok(outcome)
    }
}

fn open_file(file: File) -> Result<Database, StoreError> {
    open(FileBackend::new(file)?)
}

fn open(backend: impl StorageBackend) -> Result<Database, StoreError> {
    let mut builder = Database::builder();
    // Without the check, a damaged file may panic later instead of being refused now. The files are small.
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(backend)?)
}

fn unusable(path: &Path, error: &StoreError) -> StartError {
    StartError::DataDir { path: path.to_owned(), problem: error.to_string() }
}

#[cfg(all(test, unix))]
mod tests;
