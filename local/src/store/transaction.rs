//! Reading and changing the store.

use std::ops::Bound;

use aws_lc_rs::error::Unspecified;
use redb::{
    CommitError, DatabaseError, ReadTransaction, ReadableTable, ReadableTableMetadata, StorageError, TableDefinition,
    TableError, TransactionError, WriteTransaction,
};
use zeroize::Zeroizing;

use super::access_token::{Freshness, StoredToken, TokenKey};
use super::oauth2_provider::Oauth2Provider;
use super::records::{ApiKeyProvider, Record, WorkloadIdentity};
use crate::clock::UnixMillis;
use crate::credentials::SigningCredentials;
use crate::error::ServiceError;
use crate::seal::Sealer;

type Table = TableDefinition<'static, &'static str, &'static [u8]>;

const API_KEYS: &str = "api-keys";
const CLIENT_SECRETS: &str = "client-secrets";
const ACCESS_TOKENS: &str = "access-tokens";
const SIGNING_KEYS: &str = "signing-keys";
const SETTINGS: &str = "settings";
const FORMAT: &str = "format";
const CREATED: &str = "created";
const CREDENTIALS: &str = "signing-credentials";

/// Every table but that of the settings.
const TABLES: &[&str] = &[
    WorkloadIdentity::TABLE,
    ApiKeyProvider::TABLE,
    API_KEYS,
    Oauth2Provider::TABLE,
    CLIENT_SECRETS,
    ACCESS_TOKENS,
    SIGNING_KEYS,
];

/// The layout of the tables; another number means another version of this program made them.
const FORMAT_VERSION: &[u8] = b"2";
/// The format that lacks the tables of OAuth2, and is otherwise the same.
const FORMAT_WITHOUT_OAUTH2: &[u8] = b"1";

/// Why the store did not do as it was told. The texts complete "identity.redb: …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{}", describe(.0))]
    Database(redb::Error),
    #[error("the record {name:?} in {table:?} cannot be read; the file is damaged")]
    Damaged { table: &'static str, name: String },
    #[error(
        "what is sealed in it does not open with the key in vault.key beside it: that is the key of another \
         database, or one of the two files was altered. Restore the pair that belongs together"
    )]
    WrongKey,
    #[error("its format is {found:?}, and this version reads none above {:?}", String::from_utf8_lossy(FORMAT_VERSION))]
    Format { found: String },
    #[error("the system's cryptography or random generator failed")]
    Crypto,
}

fn describe(error: &redb::Error) -> String {
    match error {
        redb::Error::DatabaseAlreadyOpen => {
            "another process has it open; stop that one, or use another directory".into()
        }
        redb::Error::PreviousIo => {
            "nothing can be written since an earlier write failed, as the log says; stop the service, make room, and start \
             it again: what it had answered is there"
                .into()
        }
        redb::Error::Corrupted(what) => format!("the file is damaged: {what}"),
        redb::Error::Io(error) => format!("it cannot be read or written: {error}"),
        other => other.to_string(),
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}

from_redb!(StorageError, TableError, DatabaseError, TransactionError, CommitError);

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Database(redb::Error::Io(error))
    }
}

impl From<Unspecified> for StoreError {
    fn from(_: Unspecified) -> Self {
        Self::Crypto
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

pub(crate) struct Settings {
    /// An earlier version of this program made the store.
    pub(crate) outdated: bool,
    pub(crate) created: UnixMillis,
    pub(crate) credentials: SigningCredentials,
}

/// The store as it was at one moment.
pub(crate) struct View<'a> {
    transaction: ReadTransaction,
    vault: &'a Sealer,
}

impl<'a> View<'a> {
    pub(super) fn new(transaction: ReadTransaction, vault: &'a Sealer) -> Self {
        Self { transaction, vault }
    }

    pub(crate) fn get<R: Record>(&self, name: &str) -> Result<Option<R>, StoreError> {
        get(&self.transaction.open_table(table(R::TABLE))?, name)
    }

    /// At most `limit` records in the order of their names, beginning behind `after`.
    pub(crate) fn page<R: Record>(&self, after: Option<&str>, limit: usize) -> Result<Vec<R>, StoreError> {
        page(&self.transaction.open_table(table(R::TABLE))?, after, limit)
    }

    pub(crate) fn api_key(&self, provider: &str) -> Result<Option<Zeroizing<String>>, StoreError> {
        self.secret(API_KEYS, provider)
    }

    pub(crate) fn client_secret(&self, provider: &str) -> Result<Option<Zeroizing<String>>, StoreError> {
        self.secret(CLIENT_SECRETS, provider)
    }

    pub(crate) fn access_token(&self, key: &TokenKey) -> Result<Option<StoredToken>, StoreError> {
        let name = key.name();
        let table = self.transaction.open_table(table(ACCESS_TOKENS))?;
        table.get(name.as_str())?.map(|sealed| stored_token(self.vault, &name, sealed.value())).transpose()
    }

    /// Every token of one provider.
    pub(crate) fn access_tokens(&self, provider: &str) -> Result<Vec<StoredToken>, StoreError> {
        let table = self.transaction.open_table(table(ACCESS_TOKENS))?;
        let mut tokens = Vec::new();
        for entry in table.iter()? {
            let (name, sealed) = entry?;
            if TokenKey::parse(name.value()).is_some_and(|key| key.provider == provider) {
                tokens.push(stored_token(self.vault, name.value(), sealed.value())?);
            }
        }
        Ok(tokens)
    }

    /// The private key, in PKCS #8, that stands in for a key of KMS.
    pub(crate) fn signing_key(&self, kms_key_arn: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        signing_key(&self.transaction.open_table(table(SIGNING_KEYS))?, self.vault, kms_key_arn)
    }

    /// The ARNs of the keys of KMS for which a private key stands in.
    pub(crate) fn signing_keys(&self) -> Result<Vec<String>, StoreError> {
        let table = self.transaction.open_table(table(SIGNING_KEYS))?;
        table.iter()?.map(|entry| Ok(entry?.0.value().to_owned())).collect()
    }

    fn secret(&self, name: &'static str, provider: &str) -> Result<Option<Zeroizing<String>>, StoreError> {
        let table = self.transaction.open_table(table(name))?;
        let Some(sealed) = table.get(provider)? else { return Ok(None) };
        let plain = unseal(self.vault, name, provider, sealed.value())?;
        std::str::from_utf8(&plain)
            .map(|secret| Some(Zeroizing::new(secret.to_owned())))
            .map_err(|_| StoreError::Damaged { table: name, name: provider.to_owned() })
    }

    pub(super) fn settings(&self) -> Result<Settings, StoreError> {
        let table = self.transaction.open_table(table(SETTINGS))?;
        let value = |name: &str| -> Result<Vec<u8>, StoreError> {
            let value = table.get(name)?;
            value
                .map(|value| value.value().to_vec())
                .ok_or_else(|| StoreError::Damaged { table: SETTINGS, name: name.to_owned() })
        };
        let format = value(FORMAT)?;
        let outdated = format == FORMAT_WITHOUT_OAUTH2;
        if format != FORMAT_VERSION && !outdated {
            return Err(StoreError::Format { found: String::from_utf8_lossy(&format).into_owned() });
        }
        let credentials = unseal(self.vault, SETTINGS, CREDENTIALS, &value(CREDENTIALS)?)?;
        Ok(Settings {
            outdated,
            created: parse(SETTINGS, CREATED, &value(CREATED)?)?,
            credentials: parse(SETTINGS, CREDENTIALS, &credentials)?,
        })
    }

    /// Reads every record and opens every key once, so that damage shows at the start and not in the middle of a run.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.page::<WorkloadIdentity>(None, usize::MAX)?;
        for provider in self.page::<ApiKeyProvider>(None, usize::MAX)? {
            let damaged = || StoreError::Damaged { table: API_KEYS, name: provider.name.clone() };
            self.api_key(&provider.name)?.ok_or_else(damaged)?;
        }
        for provider in self.page::<Oauth2Provider>(None, usize::MAX)? {
            self.client_secret(&provider.name)?;
        }
        for entry in self.transaction.open_table(table(ACCESS_TOKENS))?.iter()? {
            let (name, sealed) = entry?;
            stored_token(self.vault, name.value(), sealed.value())?;
        }
        for key in self.signing_keys()? {
            self.signing_key(&key)?;
        }
        Ok(())
    }
}

/// A change in the making: reads in it see what it wrote. Without [`commit`](Self::commit) nothing happened.
pub(crate) struct Change<'a> {
    transaction: WriteTransaction,
    vault: &'a Sealer,
}

impl<'a> Change<'a> {
    pub(super) fn begin(transaction: WriteTransaction, vault: &'a Sealer) -> Self {
        Self { transaction, vault }
    }

    pub(crate) fn get<R: Record>(&self, name: &str) -> Result<Option<R>, StoreError> {
        get(&self.transaction.open_table(table(R::TABLE))?, name)
    }

    pub(crate) fn all<R: Record>(&self) -> Result<Vec<R>, StoreError> {
        page(&self.transaction.open_table(table(R::TABLE))?, None, usize::MAX)
    }

    pub(crate) fn count<R: Record>(&self) -> Result<u64, StoreError> {
        Ok(self.transaction.open_table(table(R::TABLE))?.len()?)
    }

    pub(crate) fn put<R: Record>(&mut self, record: &R) -> Result<(), StoreError> {
        let value = serde_json::to_vec(record)
            .map_err(|_| StoreError::Damaged { table: R::TABLE, name: record.name().to_owned() })?;
        self.insert(R::TABLE, record.name(), &value)
    }

    /// Whether there was such a record.
    pub(crate) fn remove<R: Record>(&mut self, name: &str) -> Result<bool, StoreError> {
        self.delete(R::TABLE, name)
    }

    pub(crate) fn put_api_key(&mut self, provider: &str, key: &str) -> Result<(), StoreError> {
        self.insert_sealed(API_KEYS, provider, key.as_bytes())
    }

    pub(crate) fn remove_api_key(&mut self, provider: &str) -> Result<bool, StoreError> {
        self.delete(API_KEYS, provider)
    }

    pub(crate) fn put_client_secret(&mut self, provider: &str, secret: &str) -> Result<(), StoreError> {
        self.insert_sealed(CLIENT_SECRETS, provider, secret.as_bytes())
    }

    pub(crate) fn remove_client_secret(&mut self, provider: &str) -> Result<bool, StoreError> {
        self.delete(CLIENT_SECRETS, provider)
    }

    pub(crate) fn put_access_token(&mut self, key: &TokenKey, token: &StoredToken) -> Result<(), StoreError> {
        let plain = serde_json::to_vec(token).map(Zeroizing::new).map_err(|_| StoreError::Crypto)?;
        self.insert_sealed(ACCESS_TOKENS, &key.name(), &plain)
    }

    pub(crate) fn remove_access_token(&mut self, key: &TokenKey) -> Result<bool, StoreError> {
        self.delete(ACCESS_TOKENS, &key.name())
    }

    /// Removes the tokens for which `condemned` holds.
    pub(crate) fn remove_access_tokens(&mut self, condemned: impl Fn(&TokenKey) -> bool) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(table(ACCESS_TOKENS))?;
        table.retain(|name, _| TokenKey::parse(name).is_none_or(|key| !condemned(&key)))?;
        Ok(())
    }

    /// Removes the tokens that are good for nothing any more: they have ended, and cannot be renewed.
    pub(crate) fn remove_ended_access_tokens(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(table(ACCESS_TOKENS))?;
        table.retain(|name, sealed| {
            let token = stored_token(self.vault, name, sealed);
            token.map_or(true, |token| token.refresh_token.is_some() || token.freshness(now) != Freshness::Ended)
        })?;
        Ok(())
    }

    pub(crate) fn signing_key(&self, kms_key_arn: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        signing_key(&self.transaction.open_table(table(SIGNING_KEYS))?, self.vault, kms_key_arn)
    }

    pub(crate) fn put_signing_key(&mut self, kms_key_arn: &str, pkcs8: &[u8]) -> Result<(), StoreError> {
        self.insert_sealed(SIGNING_KEYS, kms_key_arn, pkcs8)
    }

    pub(crate) fn put_credentials(&self, credentials: &SigningCredentials) -> Result<(), StoreError> {
        let plain = serde_json::to_vec(credentials).map(Zeroizing::new).map_err(|_| StoreError::Crypto)?;
        self.insert_sealed(SETTINGS, CREDENTIALS, &plain)
    }

    /// Makes every table, so that a view finds them.
    pub(super) fn initialise(&self, credentials: &SigningCredentials, now: UnixMillis) -> Result<(), StoreError> {
        self.upgrade()?;
        let created = serde_json::to_vec(&now).map_err(|_| StoreError::Crypto)?;
        self.insert(SETTINGS, CREATED, &created)?;
        self.put_credentials(credentials)
    }

    /// Brings a store of an earlier format, or an empty one, to the current format.
    pub(super) fn upgrade(&self) -> Result<(), StoreError> {
        for name in TABLES {
            self.transaction.open_table(table(name))?;
        }
        self.insert(SETTINGS, FORMAT, FORMAT_VERSION)
    }

    pub(super) fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit()?)
    }

    fn insert_sealed(&self, table: &'static str, name: &str, plain: &[u8]) -> Result<(), StoreError> {
        let sealed = self.vault.seal(&context(table, name), plain)?;
        self.insert(table, name, &sealed)
    }

    fn insert(&self, name: &'static str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.transaction.open_table(table(name))?.insert(key, value)?;
        Ok(())
    }

    fn delete(&self, name: &'static str, key: &str) -> Result<bool, StoreError> {
        let mut table = self.transaction.open_table(table(name))?;
        let removed = table.remove(key)?.is_some();
        Ok(removed)
    }
}

fn table(name: &'static str) -> Table {
    TableDefinition::new(name)
}

fn get<R: Record>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<R>, StoreError> {
    table.get(name)?.map(|record| decode(name, record.value())).transpose()
}

fn page<R: Record>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<R>, StoreError> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let entries = table.range::<&str>((start, Bound::Unbounded))?;
    entries
        .take(limit)
        .map(|entry| {
            let (name, record) = entry?;
            decode(name.value(), record.value())
        })
        .collect()
}

fn decode<R: Record>(name: &str, record: &[u8]) -> Result<R, StoreError> {
    parse(R::TABLE, name, record)
}

fn parse<T: serde::de::DeserializeOwned>(table: &'static str, name: &str, value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|_| StoreError::Damaged { table, name: name.to_owned() })
}

fn signing_key(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    vault: &Sealer,
    kms_key_arn: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let Some(sealed) = table.get(kms_key_arn)? else { return Ok(None) };
    unseal(vault, SIGNING_KEYS, kms_key_arn, sealed.value()).map(Some)
}

fn stored_token(vault: &Sealer, name: &str, sealed: &[u8]) -> Result<StoredToken, StoreError> {
    parse(ACCESS_TOKENS, name, &unseal(vault, ACCESS_TOKENS, name, sealed)?)
}

/// Binds a sealed value to its place, so that it opens nowhere else in the file.
fn context(table: &str, name: &str) -> String {
    format!("{table}/{name}")
}

fn unseal(vault: &Sealer, table: &str, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    vault.open(&context(table, name), sealed).ok_or(StoreError::WrongKey)
}
