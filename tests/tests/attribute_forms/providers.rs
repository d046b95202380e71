//! Providers that are expressions.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use agentcore_identity::{Error, requires_api_key};
use agentcore_identity_tests::API_KEY;

use crate::{OPENAI, as_agent, assert_send};

struct Tenant {
    provider: String,
    shared: Mutex<String>,
}

impl Tenant {
    fn provider(&self) -> &str {
        &self.provider
    }

    #[requires_api_key(provider = self.provider())]
    async fn method(&self, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = self.provider)]
    async fn field(&self, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    /// The lock is free again in the body.
    #[requires_api_key(provider = self.shared.lock().unwrap().clone())]
    async fn locked(&self, api_key: &str) -> Result<String, Error> {
        assert!(self.shared.try_lock().is_ok());
        Ok(api_key.to_owned())
    }
}

impl Tenant {
    /// A name that borrows from the lock's guard, which is neither `Send` nor to be held over a fetch.
    #[requires_api_key(provider = &**self.shared.lock().unwrap())]
    async fn borrowed_from_a_lock(&self, api_key: &str) -> Result<String, Error> {
        assert!(self.shared.try_lock().is_ok());
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = &**self.shared.lock().unwrap(), retry_if = |_| self.shared.try_lock().is_err())]
    async fn borrowed_from_a_lock_for_two_attempts(&self, api_key: &str) -> Result<String, Error> {
        assert!(self.shared.try_lock().is_ok());
        Ok(api_key.to_owned())
    }
}

#[requires_api_key(provider = OPENAI)]
async fn constant(api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

#[requires_api_key(provider = format!("{prefix}{suffix}"))]
async fn computed(prefix: &str, suffix: String, api_key: &str) -> Result<String, Error> {
    Ok(format!("{api_key} {suffix}"))
}

#[requires_api_key(provider = name)]
async fn any_text(name: impl AsRef<str>, api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

#[requires_api_key(provider = first, retry_if = |_| first.is_empty())]
async fn from_a_pattern((first, _second): (String, String), api_key: &str) -> Result<String, Error> {
    Ok(format!("{first} {api_key}"))
}

/// The longest name that the attribute accepts is one that the client and the service accept.
#[requires_api_key(
    provider = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
)]
async fn longest(api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

#[tokio::test]
async fn are_expressions_over_the_parameters() {
    as_agent(async {
        let tenant = Tenant { provider: OPENAI.to_owned(), shared: Mutex::new(OPENAI.to_owned()) };
        assert_eq!(tenant.method().await.unwrap(), API_KEY);
        assert_eq!(tenant.field().await.unwrap(), API_KEY);
        assert_eq!(assert_send(tenant.locked()).await.unwrap(), API_KEY);
        assert_eq!(assert_send(tenant.borrowed_from_a_lock()).await.unwrap(), API_KEY);
        assert_eq!(assert_send(tenant.borrowed_from_a_lock_for_two_attempts()).await.unwrap(), API_KEY);
        assert_eq!(constant().await.unwrap(), API_KEY);
        assert_eq!(computed("open", "ai".to_owned()).await.unwrap(), format!("{API_KEY} ai"));
        assert_eq!(any_text(Cow::Borrowed(OPENAI)).await.unwrap(), API_KEY);
        assert_eq!(any_text(Arc::<str>::from(OPENAI)).await.unwrap(), API_KEY);
        let pair = (OPENAI.to_owned(), String::new());
        assert_eq!(from_a_pattern(pair).await.unwrap(), format!("openai {API_KEY}"));
    })
    .await;
}

#[tokio::test]
async fn that_are_wrong_at_run_time_are_an_error() {
    as_agent(async {
        let error = any_text("no such provider").await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
        let error = longest().await.unwrap_err();
        assert!(matches!(error, Error::ProviderNotFound { .. }), "{error:?}");
        let error = any_text("missing").await.unwrap_err();
        assert!(matches!(error, Error::ProviderNotFound { .. }), "{error:?}");
    })
    .await;
}
