//! Credentials for agents, from Amazon Bedrock AgentCore Identity.
//!
//! Agents call outside services with credentials that AgentCore Identity keeps in a vault. Annotate an `async fn`, and
//! the API key that it needs is there at each call; callers never see it.
//!
//! ```
//! use agentcore_identity::{ApiKey, requires_api_key};
//!
//! #[requires_api_key(provider = "openai")]
//! async fn ask(prompt: &str, api_key: ApiKey) -> Result<String, agentcore_identity::Error> {
//!     // `api_key.expose()` goes into the request to the LLM.
//!     # let _ = api_key;
//!     Ok(format!("an answer to {prompt}"))
//! }
//!
//! # async fn example() -> Result<(), agentcore_identity::Error> {
//! let answer = ask("hello").await?;
//! # let _ = answer; Ok(()) }
//! ```
//!
//! - [`requires_api_key`] is the attribute, with its full reference.
//! - [`RequestContext`] says who is calling: which workload identity, for which user. It follows the work that is
//!   started with [`spawn`] or carried with [`WithContext`].
//! - [`IdentityClient`] is what the attribute calls, and a library of its own.
//! - [`CachePolicy`] says how long credentials are kept.
//! - [`Error`] says why there is none, and what to do.
//!
//! Where a call's workload access token comes from, in this order:
//!
//! 1. the context's own [`workload_token`](RequestContextBuilder::workload_token);
//! 2. the service, for the context's [`workload_name`](RequestContextBuilder::workload_name) and its
//!    [`user`](RequestContextBuilder::user) or none;
//! 3. the service, for the name in `AGENTCORE_WORKLOAD_NAME`, and the context's user, that of `AGENTCORE_USER_ID` or
//!    none;
//! 4. the service, for the `workload_identity_name` and `user_id` in an existing `.agentcore.json` of the current
//!    directory.
//!
//! With none of these a call fails with [`Error::NoWorkloadToken`]; nothing is created in AWS on the way.
//!
//! `tracing` shows each fetch as a span `fetch_credential` at `DEBUG`, with the fields `operation`, `provider`,
//! `cache` (`hit`, `miss`, or `shared` with another call's request), `outcome` (`ok` or the variant of [`Error`]) and
//! `attempts`.

mod ambient;
mod binding;
mod cache;
mod caller;
mod client;
mod context;
mod digest;
mod error;
#[cfg(feature = "iam-access-token")]
mod iam;
mod jwt;
mod limits;
mod oauth;
mod operation;
#[cfg(test)]
mod scripted;
mod secret;
mod service;
#[cfg(feature = "session-binding")]
pub mod session_binding;
mod user;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use self::binding::{MemoryStore, PendingRecord, PendingStore};
pub use self::cache::CachePolicy;
pub use self::client::{IdentityClient, IdentityClientBuilder};
pub use self::context::{RequestContext, RequestContextBuilder, WithContext, spawn};
pub use self::error::Error;
#[cfg(feature = "iam-access-token")]
pub use self::iam::{IamAccessTokenRequest, SigningAlgorithm};
pub use self::oauth::{
    AccessTokenRequest, AuthFlow, HandlerOutcome, PendingAuthorization, PendingToken, Polling, TokenPoller,
};
pub use self::secret::{AccessToken, ApiKey, UserToken, WorkloadToken};
pub use self::user::UserIdentifier;
pub use agentcore_identity_macros::requires_api_key;
