//! What tells one credential from another: who is calling, and everything that changes the service's answer.

use std::hash::{Hash, Hasher};

use moka::Equivalent;

use crate::caller::CallerId;
use crate::digest::Digest;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WorkloadToken,
    ApiKey,
    AccessToken,
    #[cfg(feature = "iam-access-token")]
    IamToken,
}

/// A key as a call has it at hand: looking up allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRef<'a> {
    pub(crate) caller: &'a CallerId,
    pub(crate) kind: Kind,
    /// Empty for what belongs to no provider.
    pub(crate) provider: &'a str,
    /// Of what else changes the answer.
    pub(crate) parameters: Option<Digest>,
}

/// A key as the cache keeps it.
#[derive(Clone)]
pub(super) struct Key {
    caller: CallerId,
    kind: Kind,
    provider: Box<str>,
    parameters: Option<Digest>,
}

impl Key {
    fn as_ref(&self) -> KeyRef<'_> {
        KeyRef { caller: &self.caller, kind: self.kind, provider: &self.provider, parameters: self.parameters }
    }
}

impl From<KeyRef<'_>> for Key {
    fn from(key: KeyRef<'_>) -> Self {
        Self { caller: *key.caller, kind: key.kind, provider: key.provider.into(), parameters: key.parameters }
    }
}

// Both forms hash and compare through `KeyRef`, so that they cannot come to disagree.

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One word for what is a digest already, since this is on the way of every call.
        state.write_u64(self.caller.fingerprint() ^ self.kind as u64 ^ self.parameters.map_or(0, Digest::fingerprint));
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
