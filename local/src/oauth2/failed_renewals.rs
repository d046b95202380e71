//! Renewals that failed a moment ago: a server that is slow or down need not hold up every call.

use std::time::Duration;

use crate::clock::UnixMillis;
use crate::expiring::Expiring;
use crate::store::TokenKey;

/// How long a token that is valid still is left alone after it could not be renewed.
const PAUSE: Duration = Duration::from_secs(30);

/// How many are remembered; to forget one costs an attempt too many.
const REMEMBERED: usize = 10_000;

pub(crate) struct FailedRenewals(Expiring<()>);

impl Default for FailedRenewals {
    fn default() -> Self {
        Self(Expiring::new(REMEMBERED))
    }
}

impl FailedRenewals {
    pub(crate) fn note(&self, key: &TokenKey, now: UnixMillis) {
        self.0.insert(key.name(), (), now.saturating_add(PAUSE), now);
    }

    pub(crate) fn are_recent(&self, key: &TokenKey, now: UnixMillis) -> bool {
        self.0.contains(&key.name(), now)
    }
}
