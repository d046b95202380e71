//! OAuth2 access tokens: the request, a user's consent, and the wait for it.

mod announce;
mod authorize;
mod flow;
mod handler;
mod parameters;
mod pending;
mod poll;
mod query;
mod request;
mod shared;

pub use self::flow::AuthFlow;
pub(crate) use self::handler::AuthUrlHandler;
pub use self::handler::HandlerOutcome;
pub(crate) use self::parameters::Parameters;
pub use self::pending::PendingAuthorization;
pub(crate) use self::poll::SESSION_LIFE;
pub use self::poll::{PendingToken, Polling, TokenPoller};
pub use self::request::AccessTokenRequest;
pub(crate) use self::shared::Authorizations;

#[cfg(test)]
mod tests;
