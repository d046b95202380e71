//! What an application does with a link that its user has to open.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::PendingAuthorization;

type BoxError = Box<dyn StdError + Send + Sync>;
type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// What a handler of authorization URLs may return: nothing, a `Result`, or a future of either.
///
/// An error says that the user cannot be told; it ends the flow with
/// [`Error::AuthorizationFailed`](crate::Error::AuthorizationFailed). The parameter `Kind` is there for type
/// inference alone.
#[diagnostic::on_unimplemented(
    message = "a handler of authorization URLs returns `()`, `Result<(), E>` or a future of either, and this one `{Self}`",
    label = "not what a handler returns",
    note = "the future has to be `Send`, and `E` something that becomes a `Box<dyn Error + Send + Sync>`"
)]
pub trait HandlerOutcome<Kind>: Send {
    /// What came of it.
    fn outcome(self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Marks what a handler returns at once.
#[derive(Debug)]
pub enum Immediate {}

/// Marks what a handler returns as a future of something marked `Kind`.
#[derive(Debug)]
pub struct Awaited<Kind>(std::marker::PhantomData<Kind>);

impl HandlerOutcome<Immediate> for () {
    async fn outcome(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError> + Send> HandlerOutcome<Immediate> for Result<(), E> {
    async fn outcome(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

impl<F, Kind> HandlerOutcome<Awaited<Kind>> for F
where
    F: Future<Output: HandlerOutcome<Kind>> + Send,
{
    async fn outcome(self) -> Result<(), BoxError> {
        self.await.outcome().await
    }
}

/// A handler, whatever it returns.
#[derive(Clone)]
pub(crate) struct AuthUrlHandler<'a>(Arc<dyn Fn(PendingAuthorization) -> Outcome<'a> + Send + Sync + 'a>);

impl<'a> AuthUrlHandler<'a> {
    pub(crate) fn new<F, R, Kind>(handler: F) -> Self
    where
        F: Fn(PendingAuthorization) -> R + Send + Sync + 'a,
        R: HandlerOutcome<Kind> + 'a,
        Kind: 'static,
    {
        Self(Arc::new(move |authorization| Box::pin(handler(authorization).outcome())))
    }

    fn call(&self, authorization: PendingAuthorization) -> Outcome<'a> {
        (self.0)(authorization)
    }
}

/// The handler that a call comes down to: its own, or one that an application has set for many.
pub(super) enum Handler<'a> {
    Own(AuthUrlHandler<'a>),
    Common(AuthUrlHandler<'static>),
}

impl<'a> Handler<'a> {
    #[expect(clippy::match_same_arms, reason = "the handlers are of different lifetimes")]
    pub(super) fn call(&self, authorization: PendingAuthorization) -> Outcome<'a> {
        match self {
            Self::Own(handler) => handler.call(authorization),
            Self::Common(handler) => handler.call(authorization),
        }
    }
}

impl fmt::Debug for AuthUrlHandler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthUrlHandler")
    }
}
