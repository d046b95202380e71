use std::time::Duration;

use super::Kind;

/// Longer lifetimes serve nobody, and would overflow a point in time.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// An access token that lasts longer is fetched again after an hour.
pub(super) const LONGEST_OF_KNOWN_END: Duration = Duration::from_hours(1);

/// How long credentials are kept, and how many.
///
/// ```
/// use std::time::Duration;
/// use agentcore_identity::CachePolicy;
///
/// let brief = CachePolicy::default().api_keys(Duration::from_secs(30)).max_entries(1_000);
/// let none = CachePolicy::disabled();
/// # let _ = (brief, none);
/// ```
#[derive(Clone, Debug)]
pub struct CachePolicy {
    api_keys: Duration,
    workload_tokens: Duration,
    access_tokens: Duration,
    pub(super) expiry_margin: Duration,
    pub(super) renewal_window: Duration,
    pub(super) max_entries: u64,
}

impl CachePolicy {
    /// Keeps nothing: each call of an annotated function asks the service.
    #[must_use]
    pub fn disabled() -> Self {
        Self { max_entries: 0, ..Self::default() }
    }

    /// How long an API key is served without asking again: 5 minutes by default, at most 24 hours. It bounds how long a
    /// rotated key goes unnoticed where no `retry_if` notices it.
    #[must_use]
    pub fn api_keys(mut self, lifetime: Duration) -> Self {
        self.api_keys = lifetime.min(MAX_LIFETIME);
        self
    }

    /// How long a workload access token that the client fetched is used: 5 minutes by default, at most 24 hours. It
    /// ends with its user's JWT in any case.
    #[must_use]
    pub fn workload_tokens(mut self, lifetime: Duration) -> Self {
        self.workload_tokens = lifetime.min(MAX_LIFETIME);
        self
    }

    /// How long an access token is served whose end is unknown, as it is unless the token is a JWT: 60 seconds by
    /// default, at most 24 hours. Zero keeps no access tokens at all. One with a known end is kept for an hour at most.
    #[must_use]
    pub fn access_tokens(mut self, lifetime: Duration) -> Self {
        self.access_tokens = lifetime.min(MAX_LIFETIME);
        self
    }

    /// How long before its known end an access token is served only if it cannot be renewed: 60 seconds by default.
    /// Callers wait for the renewal then.
    #[must_use]
    pub fn expiry_margin(mut self, margin: Duration) -> Self {
        self.expiry_margin = margin;
        self
    }

    /// How long before that margin an access token in use is renewed in the background: up to 5 minutes by default, and
    /// not before half of its time has gone. With zero, it is renewed when a caller has to wait for it.
    #[must_use]
    pub fn renewal_window(mut self, window: Duration) -> Self {
        self.renewal_window = window;
        self
    }

    /// How many credentials are kept, over all callers: 10,000 by default. Those that are used least go first.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = entries;
        self
    }

    pub(super) fn lifetime(&self, kind: Kind) -> Duration {
        match kind {
            Kind::WorkloadToken => self.workload_tokens,
            Kind::ApiKey => self.api_keys,
            Kind::AccessToken | Kind::IamToken => self.access_tokens,
        }
    }

    pub(super) fn keeps(&self, kind: Kind) -> bool {
        !self.lifetime(kind).is_zero()
    }

    /// Zero where nothing is kept.
    pub(super) fn longest(&self) -> Duration {
        let known_end = if self.keeps(Kind::AccessToken) { LONGEST_OF_KNOWN_END } else { Duration::ZERO };
        Kind::ALL.into_iter().map(|kind| self.lifetime(kind)).fold(known_end, Duration::max)
    }
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            api_keys: Duration::from_mins(5),
            workload_tokens: Duration::from_mins(5),
            access_tokens: Duration::from_mins(1),
            expiry_margin: Duration::from_mins(1),
            renewal_window: Duration::from_mins(5),
            max_entries: 10_000,
        }
    }
}
