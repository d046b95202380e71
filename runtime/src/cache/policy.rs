use std::time::Duration;

use super::Kind;

/// Longer lifetimes serve nobody, and would overflow a point in time.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

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

    /// How long an access token is served without asking again where its end is unknown: 60 seconds by default, at most
    /// 24 hours. A token that is a JWT says its end, and is served until 60 seconds before it.
    #[must_use]
    pub fn access_tokens(mut self, lifetime: Duration) -> Self {
        self.access_tokens = lifetime.min(MAX_LIFETIME);
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
            Kind::AccessToken => self.access_tokens,
            #[cfg(feature = "iam-access-token")]
            Kind::IamToken => self.access_tokens,
        }
    }

    pub(super) fn longest(&self) -> Duration {
        self.api_keys.max(self.workload_tokens).max(self.access_tokens)
    }
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            api_keys: Duration::from_mins(5),
            workload_tokens: Duration::from_mins(5),
            access_tokens: Duration::from_mins(1),
            max_entries: 10_000,
        }
    }
}
