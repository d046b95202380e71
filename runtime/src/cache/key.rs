//! What tells one credential from another: who is calling, and everything that changes the service's answer.

use std::hash::{Hash, Hasher};

use moka::Equivalent;

use crate::caller::CallerId;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WorkloadToken,
    ApiKey,
}

/// A key as a call has it at hand: looking up allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRef<'a> {
    pub(crate) caller: &'a CallerId,
    pub(crate) kind: Kind,
    /// Empty for a workload token, which belongs to no provider.
    pub(crate) provider: &'a str,
}

/// A key as the cache keeps it.
#[derive(Clone)]
pub(super) struct Key {
    caller: CallerId,
    kind: Kind,
    provider: Box<str>,
}

impl Key {
    fn as_ref(&self) -> KeyRef<'_> {
        KeyRef { caller: &self.caller, kind: self.kind, provider: &self.provider }
    }
}

impl From<KeyRef<'_>> for Key {
    fn from(key: KeyRef<'_>) -> Self {
        Self { caller: *key.caller, kind: key.kind, provider: key.provider.into() }
    }
}

// Both forms hash and compare through `KeyRef`, so that they cannot come to disagree.

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One word for what is a digest already, since this is on the way of every call.
        state.write_u64(self.caller.fingerprint() ^ self.kind as u64);
        self.provider.hash(state);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Key {}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.as_ref()
    }
}
