//! What tells one credential from another: who is calling, and everything that changes the service's answer.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use moka::Equivalent;

use crate::caller::CallerId;
use crate::digest::Digest;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WorkloadToken,
    ApiKey,
    AccessToken,
    IamToken,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::WorkloadToken, Self::ApiKey, Self::AccessToken, Self::IamToken];

    /// Whether one with a known end is worth renewing before it: a workload token ends with the user's JWT that it is
    /// made from, and so would a new one.
    pub(super) fn is_renewed_ahead(self) -> bool {
        matches!(self, Self::AccessToken | Self::IamToken)
    }
}

/// A key as a call has it at hand: looking up allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRef<'a> {
    pub(crate) caller: &'a CallerId,
    pub(crate) kind: Kind,
    /// Empty for a workload token, which belongs to no provider.
    pub(crate) provider: &'a str,
    /// Of what else changes the answer, where anything does.
    pub(crate) parameters: Option<Digest>,
}

impl<'a> KeyRef<'a> {
    /// The provider, where it belongs to one.
    pub(crate) fn named_provider(&self) -> Option<&'a str> {
        (!self.provider.is_empty()).then_some(self.provider)
    }
}

/// A key as the cache keeps it; cheap to clone.
#[derive(Clone)]
pub(super) struct Key {
    caller: CallerId,
    pub(super) kind: Kind,
    provider: Arc<str>,
    parameters: Option<Digest>,
}

impl Key {
    /// Where it belongs to one.
    pub(super) fn provider(&self) -> Option<&str> {
        self.as_ref().named_provider()
    }

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
        let parameters = self.parameters.map_or(0, Digest::fingerprint);
        // One word for what is a digest already, since this is on the way of every call.
        state.write_u64(self.caller.fingerprint() ^ parameters ^ self.kind as u64);
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
