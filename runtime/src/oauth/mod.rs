//! OAuth2 access tokens: the request, a user's consent, and the wait for it.

mod flow;
mod handler;
mod pending;
mod poll;
mod request;

pub use self::flow::AuthFlow;
pub(crate) use self::handler::AuthUrlHandler;
pub use self::handler::{Awaited, HandlerOutcome, Immediate};
pub use self::pending::PendingAuthorization;
pub use self::poll::{PendingToken, Polling, TokenPoller};
pub use self::request::AccessTokenRequest;
