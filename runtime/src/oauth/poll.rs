//! Waiting for a user's consent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::{AccessToken, Error, PendingAuthorization};

/// How long an authorization lives in the service.
pub(crate) const SESSION_LIFE: Duration = Duration::from_mins(10);

const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// How often the service is asked whether the user has consented, and for how long.
///
/// ```
/// use std::time::Duration;
/// use agentcore_identity::{IdentityClient, Polling};
///
/// let polling = Polling::default().interval(Duration::from_secs(2)).timeout(Duration::from_mins(3));
/// let client = IdentityClient::builder().polling(polling).build();
/// # let _ = client;
/// ```
#[derive(Clone, Debug)]
pub struct Polling {
    pub(super) interval: Duration,
    pub(super) max_interval: Duration,
    pub(super) timeout: Duration,
}

impl Polling {
    /// The time before each question: 5 seconds by default, at least 100 milliseconds.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(MIN_INTERVAL);
        self
    }

    /// What the interval grows to, doubling with each answer that asks to slow down: 1 minute by default, and never
    /// less than the interval.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// How long to wait for the user, from when the authorization began: 10 minutes by default and at most, since its
    /// session ends then.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(SESSION_LIFE);
        self
    }
}

impl Default for Polling {
    fn default() -> Self {
        Self { interval: Duration::from_secs(5), max_interval: Duration::from_mins(1), timeout: SESSION_LIFE }
    }
}

/// Waits for a user's consent in another way than by asking the service every few seconds.
///
/// The poller of the call that began an authorization serves all calls that wait for the same one. It runs in a task of
/// its own, which ends when nobody waits any longer. Interval and timeout are its own affair.
///
/// ```
/// use agentcore_identity::{AccessToken, Error, PendingAuthorization, PendingToken, TokenPoller};
///
/// /// Asks when the application has heard that the user is back.
/// struct WhenBack(tokio::sync::watch::Receiver<bool>);
///
/// impl TokenPoller for WhenBack {
///     async fn poll_for_token(
///         &self,
///         _authorization: &PendingAuthorization,
///         token: &PendingToken,
///     ) -> Result<AccessToken, Error> {
///         let mut back = self.0.clone();
///         loop {
///             let _ = back.wait_for(|back| *back).await;
///             if let Some(token) = token.ask().await? {
///                 return Ok(token);
///             }
///             tokio::time::sleep(std::time::Duration::from_secs(1)).await;
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not wait for a token",
    label = "not a `TokenPoller`",
    note = "implement `TokenPoller` for it; to share one, give an `Arc` of it"
)]
pub trait TokenPoller: Send + Sync {
    /// The token, once the user has consented.
    ///
    /// # Errors
    ///
    /// Whatever ends the wait: what [`PendingToken::ask`] failed with.
    fn poll_for_token(
        &self,
        authorization: &PendingAuthorization,
        token: &PendingToken,
    ) -> impl Future<Output = Result<AccessToken, Error>> + Send;
}

impl<P: TokenPoller + ?Sized> TokenPoller for Arc<P> {
    fn poll_for_token(
        &self,
        authorization: &PendingAuthorization,
        token: &PendingToken,
    ) -> impl Future<Output = Result<AccessToken, Error>> + Send {
        (**self).poll_for_token(authorization, token)
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// [`TokenPoller`] as an object.
pub(crate) trait DynTokenPoller: Send + Sync {
    fn poll<'a>(&'a self, authorization: &'a PendingAuthorization, token: &'a PendingToken) -> Boxed<'a, AccessToken>;
}

impl<P: TokenPoller> DynTokenPoller for P {
    fn poll<'a>(&'a self, authorization: &'a PendingAuthorization, token: &'a PendingToken) -> Boxed<'a, AccessToken> {
        Box::pin(self.poll_for_token(authorization, token))
    }
}

/// A token that may be there by now.
pub struct PendingToken {
    ask: Box<dyn Fn() -> Boxed<'static, Option<AccessToken>> + Send + Sync>,
}

impl PendingToken {
    pub(super) fn new<F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<AccessToken>, Error>> + Send + 'static,
    {
        Self { ask: Box::new(move || Box::pin(ask())) }
    }

    /// Asks the service once: the token, or `None` while the user has not consented yet.
    ///
    /// # Errors
    ///
    /// [`Error::AuthorizationFailed`] when the authorization is over, and every other that a fetch may end with. Those
    /// that are [retryable](Error::is_retryable) say nothing about the authorization.
    pub async fn ask(&self) -> Result<Option<AccessToken>, Error> {
        (self.ask)().await
    }
}

impl std::fmt::Debug for PendingToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingToken").finish_non_exhaustive()
    }
}
