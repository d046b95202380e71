//! Credentials for agents, from Amazon Bedrock AgentCore Identity.
//!
//! Agents call outside services with credentials that AgentCore Identity keeps in a vault. Annotate an `async fn`, and
//! the API key or token that it needs is there at each call; callers never see it.
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
//! - [`requires_api_key`], [`requires_access_token`] for OAuth2, [`requires_workload_token`] for the caller's own token
//!   and, with the feature `iam-access-token`, `requires_iam_access_token` for JWTs of AWS STS are the attributes, each
//!   with its full reference.
//! - [`IdentityClient::access_token`] fetches OAuth2 access tokens: the agent's own, a user's on behalf of whom it
//!   acts, and those that a user has to consent to first, in a browser. Calls that wait for the same consent share one
//!   link and one poll of the service.
//! - [`PendingAuthorization`] is a link for a user. It goes to the handler `on_auth_url` of the call, the
//!   [`RequestContext`] or the client; without any it comes as [`Error::AuthorizationRequired`].
//! - [`WorkloadToken::set_header`] passes the caller on to the next hop.
//! - [`RequestContext`] says who is calling: which workload identity, for which user. It follows the work that is
//!   started with [`spawn`] or carried with [`WithContext`].
//! - [`IdentityClient`] is what the attributes call, and a library of its own.
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
//! 4. the service, for the `workload_identity_name` in an existing `.agentcore.json` of the current directory, and the
//!    context's user, that of the file's `user_id` or none.
//!
//! With none of these a call fails with [`Error::NoWorkloadToken`]; nothing is created in AWS on the way.
//!
//! `tracing` shows each fetch as a span `fetch_credential` at `DEBUG`, with the fields `operation`, `provider`, `cache`
//! (`hit`, `miss`, `shared` with another call's request, or `renewal` ahead of time), `outcome` (`ok`, `kept` where the
//! fetch failed and what was kept serves on until its end, or the variant of [`Error`]) and `attempts`; and each wait
//! for a user as a span `await_consent`, with `provider`, `polls` and `outcome`. What the AWS SDK itself logs is left
//! out where a user's authorization is asked about, since it shows the session URI.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | brings |
//! |---|---|
//! | `iam-access-token` | `#[requires_iam_access_token]` and `IdentityClient::iam_access_token`: JWTs that AWS STS signs for the AWS identity of the process |
//! | `session-binding` | the module `session_binding`: what answers at the callback URL, for axum, and a listener for a laptop |

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
mod next_hop;
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
#[cfg(feature = "iam-access-token")]
pub use agentcore_identity_macros::requires_iam_access_token;
pub use agentcore_identity_macros::{requires_access_token, requires_api_key, requires_workload_token};
