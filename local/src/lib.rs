//! AgentCore Identity on your own machine, for a laptop, a test or CI without AWS.
//!
//! [`LocalIdentity`] is a server on the loopback interface that speaks the protocol of Amazon Bedrock AgentCore
//! Identity: the same paths, shapes, limits, error codes and request signatures. Any AWS SDK talks to it through the
//! standard endpoint settings, so the code under test is the code that runs against AWS.
//!
//! # In a test
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use agentcore_identity_local::{Fault, LocalIdentity, Operation};
//!
//! let local = LocalIdentity::builder()
//!     .workload_identity("my-agent")
//!     .api_key("openai", "sk-local")
//!     .start()
//!     .await?;
//!
//! // Point a client at it: `local.sdk_config()` with the feature `sdk-config`, or these, for any language.
//! for (name, value) in local.environment() {
//!     # let _ = (name, value);
//!     // …
//! }
//!
//! // What AgentCore Runtime would hand the agent with an invocation.
//! let token = local.issue_workload_token("my-agent", None).await?;
//! # assert!(!token.is_empty());
//!
//! // The key changes, the service stumbles, the token expires.
//! local.set_api_key("openai", "sk-rotated").await?;
//! local.fail_next(Operation::GetResourceApiKey, 2, Fault::Throttle);
//! local.advance_clock(std::time::Duration::from_secs(3600));
//!
//! // What was asked of the service.
//! assert_eq!(local.call_count(Operation::GetResourceApiKey), 0);
//! local.shutdown().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # As a program
//!
//! `agentcore-identity-local serve` runs the same service beside an agent in any language and prints the `export` lines
//! that lead an AWS SDK to it. With `--data DIR` it keeps providers, workload
//! identities and access tokens.
//!
//! # What is served
//!
//! Both planes on one port: the three `GetWorkloadAccessToken` operations, `GetResourceApiKey`,
//! `GetResourceOauth2Token` and `CompleteResourceTokenAuth`, and create, get, update, delete and list of API key and
//! OAuth2 credential providers and of workload identities, `GetTokenVault`, and tags; [`Operation::ALL`] has the list.
//! Anything else is answered with `UnknownOperationException`.
//!
//! Every request must carry an AWS Signature Version 4 of the credentials that the service made or was given. Requests
//! for a `Host` other than this machine, and those of web pages from elsewhere, are refused. Workload access tokens are
//! encrypted and authenticated, bound to one workload identity and user, and expire. Secrets are encrypted in the
//! store, which is in memory or, with [`data_dir`](LocalIdentityBuilder::data_dir), in a file that survives a `SIGKILL`
//! at any moment.
//!
//! # OAuth2
//!
//! `GetResourceOauth2Token` goes to the provider's real authorization server, which can be this service's own for want
//! of another:
//!
//! | flow | how |
//! |---|---|
//! | `M2M` | client credentials; kept until near the end that the server names |
//! | `ON_BEHALF_OF_TOKEN_EXCHANGE` | token exchange (RFC 8693) or JWT authorization grant (RFC 7523), anew for each call, with the user's JWT, which travels sealed in the workload access token |
//! | `USER_FEDERATION` | authorization code with PKCE; then from the vault, renewed by refresh token in its last five minutes |
//!
//! Like AWS, the service asks no user without a `resourceOauth2ReturnUrl`, which must be one of the workload identity's
//! character for character, and hands the token out only when `CompleteResourceTokenAuth` names the user who began it.
//! An authorization lives for 10 minutes, in memory, and ends when it fails or when another user is named; its outcome
//! can be polled for an hour. Only the browser that followed the link last can come back from the provider.
//! `forceAuthentication` discards the token that is kept and begins anew, also in a poll.
//!
//! `customParameters` go into the authorization request, or into the token request of a flow that has none; one with
//! the name of a parameter that the service sets itself is left out. With scopes, resources and audiences, an
//! authorization has at most 32 KiB of them. Authorization servers are spoken to over HTTPS, on this machine also over
//! HTTP, and no redirect of theirs is followed. Their error codes are passed on, their descriptions are not: these can
//! quote a secret.
//!
//! # People, and who signs them in
//!
//! `/` is an overview for the developer. Under `/idp` the service is an identity provider of its own, for demos and
//! tests: it believes every name and asks for no password. Its clients are the OAuth2 credential providers that have it
//! for their authorization server, as those of [`oauth2_provider`](LocalIdentityBuilder::oauth2_provider) do. It knows
//! authorization code (with PKCE), refresh token, client credentials, token exchange (RFC 8693) and JWT bearer (RFC
//! 7523), and what it signs can be checked by its discovery document. `GET /idp/userinfo` is an API to call with one of
//! its tokens. What it issued ends with the process, also where a data directory is. [`LocalIdentity::user_jwt`] is a
//! JWT of one of its users, and [`LocalIdentity::consent`] goes through its pages where there is no browser.
//!
//! Of AWS STS, `GetWebIdentityToken` is served, with the issuer `/sts` and its published keys.
//!
//! Pages and identity provider answer to this machine alone, also where the service may be called from others. Pages
//! from elsewhere may link to them; they can neither frame them nor send their forms.
//!
//! # From outside the process
//!
//! Under `/_local/` on the same port, unsigned and for this machine alone:
//!
//! | request | body | does what |
//! |---|---|---|
//! | `GET health` | | answers when the service is up, also to other machines where these may call |
//! | `GET calls`, `DELETE calls` | | [`LocalIdentity::calls`], [`LocalIdentity::clear_calls`] |
//! | `GET counters` | | [`LocalIdentity::call_count`] of each operation |
//! | `POST faults` | `{"operation": "GetResourceApiKey", "fault": "Delay", "times": 2, "delayMillis": 50}` | [`LocalIdentity::fail_next`] |
//! | `GET kms-keys` | | the public keys, a JWK Set, of the private keys that stand in for keys of AWS KMS; `kid` is the id in the key's ARN |
//! | `DELETE faults` | | forgets the faults that still wait |
//! | `POST clock` | `{"advanceSeconds": 900}` | [`LocalIdentity::advance_clock`], but refuses what leads beyond ten years |
//!
//! A `POST` needs `Content-Type: application/json`, which a web page cannot send unasked. `fault` is a name of
//! [`Fault`]; `delayMillis` goes with `Delay` only; `times` is 1 if left out.

mod background;
mod builder;
mod calls;
mod clock;
mod credentials;
mod date;
mod digest;
mod error;
mod expiring;
mod faults;
mod http;
mod idp;
mod json;
mod jwt;
mod kms;
mod limits;
mod local;
mod oauth2;
mod operation;
mod pages;
mod place;
mod quotas;
mod random;
mod seal;
mod seeds;
mod service;
mod signing;
mod sigv4;
mod start_error;
mod store;
mod sts;
mod sync;
mod vendor;
mod visit;
mod web;
mod workload_token;

pub use builder::LocalIdentityBuilder;
pub use calls::Call;
pub use error::ServiceError;
pub use faults::Fault;
pub use local::{EndUser, LocalIdentity};
pub use operation::{Operation, Plane, UnknownOperation};
pub use start_error::StartError;
pub use visit::ConsentError;
