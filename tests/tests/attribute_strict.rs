//! The attribute in a crate that denies everything. What is denied here is denied to the expansion too.

#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, unused_lifetimes, single_use_lifetimes)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::unwrap_used, clippy::panic, clippy::shadow_reuse, clippy::shadow_unrelated, clippy::absolute_paths)]

use std::error::Error as StdError;
use std::fmt::Display;

use agentcore_identity::{
    AccessToken, ApiKey, Error, requires_access_token, requires_api_key, requires_iam_access_token,
    requires_workload_token,
};
use agentcore_identity_tests::wire::Wire;
use agentcore_identity_tests::{API_KEY, agent, local};

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    provider: String,
}

impl Agent {
    /// Asks.
    ///
    /// # Errors
    ///
    /// When there is no credential.
    #[requires_api_key(provider = self.provider)]
    pub async fn ask(&self, prompt: &str, api_key: &str) -> Result<String, Error> {
        Ok(format!("{prompt} {api_key}"))
    }

    /// Asks, with a key that outlives nothing.
    ///
    /// # Errors
    ///
    /// When there is no credential.
    #[requires_api_key(provider = self.provider)]
    pub async fn ask_with<'k>(&self, prompt: &str, api_key: &'k str) -> Result<String, Error> {
        Ok(format!("{prompt} {api_key}"))
    }

    /// Asks, if need be twice.
    ///
    /// # Errors
    ///
    /// When there is no credential.
    #[requires_api_key(provider = &self.provider, retry_if = Error::is_retryable)]
    pub async fn insist(
        self,
        mut prompt: String,
        (a, b): (u8, u8),
        model: impl Display + Clone,
        api_key: ApiKey,
    ) -> Result<String, Error> {
        prompt.push('!');
        if a == b {
            return Ok(prompt);
        }
        Ok(format!("{} {prompt} {model} {}", self.provider, api_key.expose()))
    }
}

/// Has no use for what it is given.
///
/// # Errors
///
/// When there is no credential.
#[requires_api_key(provider = "openai", retry_if = Error::is_retryable)]
pub async fn without(_prompt: String, _model: &str, (_a, _b): (u8, u8), api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

/// One line, and no trailing expression of its own to wrap.
///
/// # Errors
///
/// When there is no credential.
#[rustfmt::skip]
#[requires_api_key(provider = "openai", retry_if = |_| false)]
pub async fn short(api_key: String) -> Result<String, Error> { Ok(api_key) }

/// The same without `retry_if`.
///
/// # Errors
///
/// When there is no credential.
#[rustfmt::skip]
#[requires_api_key(provider = "openai")]
pub async fn shorter(api_key: String) -> Result<String, Error> { Ok(api_key) }

/// Never comes back with an answer.
///
/// # Errors
///
/// Always.
#[requires_api_key(provider = "openai", retry_if = |_| false)]
pub async fn diverges(api_key: &ApiKey) -> Result<u8, Error> {
    loop {
        if api_key.expose().is_empty() {
            continue;
        }
        return Ok(1);
    }
}

/// Has a token with every kind of option.
///
/// # Errors
///
/// When there is no credential.
#[requires_access_token(
    provider = provider,
    scopes = scopes,
    auth_flow = flow,
    on_auth_url = |_| (),
    callback_url = format!("https://{provider}.example"),
    force_authentication = scopes.is_empty(),
    custom_parameters = [("provider", provider)],
)]
pub async fn token(provider: &str, flow: &str, scopes: &[&str], access_token: &str) -> Result<String, Error> {
    Ok(format!("{provider} {flow} {} {access_token}", scopes.len()))
}

/// Has one of each.
///
/// # Errors
///
/// When there is no credential.
#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = "github", auth_flow = "M2M", retry_if = |_| false)]
#[requires_iam_access_token(audience = "a", into = jwt, duration_seconds = seconds)]
#[requires_workload_token]
pub async fn all(
    seconds: u32,
    api_key: ApiKey,
    access_token: &AccessToken,
    jwt: &str,
    workload_token: String,
) -> Result<String, Error> {
    Ok(format!("{seconds} {} {} {jwt} {workload_token}", api_key.expose(), access_token.expose()))
}

#[tokio::test]
async fn tokens_come() -> Result<(), Box<dyn StdError>> {
    Wire::granting()
        .agent()
        .scope(async {
            assert_eq!(token("github", "USER_FEDERATION", &["repo"]).await?, "github USER_FEDERATION 1 token");
            assert_eq!(all(60).await?, "60 key token jwt wat");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn it_runs() -> Result<(), Box<dyn StdError>> {
    let local = local().await;
    agent(&local)
        .scope(async {
            let agent = Agent { provider: "openai".to_owned() };
            assert_eq!(agent.ask("p").await?, format!("p {API_KEY}"));
            assert_eq!(agent.ask_with("p").await?, format!("p {API_KEY}"));
            assert_eq!(agent.insist("p".to_owned(), (1, 2), "m").await?, format!("openai p! m {API_KEY}"));
            assert_eq!(without("p".to_owned(), "m", (1, 2)).await?, API_KEY);
            assert_eq!(short().await?, API_KEY);
            assert_eq!(shorter().await?, API_KEY);
            assert_eq!(diverges().await?, 1);
            Ok(())
        })
        .await
}
