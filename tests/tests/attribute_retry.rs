//! `retry_if`: how often the body runs, with which credential, and what a second attempt gets.

use std::cell::Cell;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentcore_identity::{ApiKey, Error, requires_api_key};
use agentcore_identity_local::{LocalIdentity, Operation};
use agentcore_identity_tests::{API_KEY, agent, local};

const ROTATED: &str = "sk-rotated-0123456789";

#[derive(Debug)]
enum AskError {
    Identity(Error),
    /// The vendor refused the key.
    Unauthorized(String),
    Other,
}

impl AskError {
    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized(_))
    }
}

impl From<Error> for AskError {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

/// A vendor that accepts one key, and counts who comes.
#[derive(Clone)]
struct Vendor {
    accepts: &'static str,
    calls: Arc<AtomicUsize>,
}

impl Vendor {
    fn that_accepts(accepts: &'static str) -> Self {
        Self { accepts, calls: Arc::default() }
    }

    async fn call(&self, key: &str) -> Result<String, AskError> {
        tokio::task::yield_now().await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        if key == self.accepts { Ok(key.to_owned()) } else { Err(AskError::Unauthorized(key.to_owned())) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
async fn ask(vendor: &Vendor, api_key: &str) -> Result<String, AskError> {
    let answer = vendor.call(api_key).await?;
    Ok(format!("{answer}!"))
}

#[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
async fn fail_otherwise(vendor: &Vendor, api_key: &str) -> Result<String, AskError> {
    vendor.call(api_key).await.map_err(|_| AskError::Other)
}

/// A service whose key was rotated after the client had fetched it.
async fn rotated() -> (LocalIdentity, agentcore_identity::RequestContext) {
    let local = local().await;
    let agent = agent(&local);
    let vendor = Vendor::that_accepts(API_KEY);
    agent.scope(ask(&vendor)).await.unwrap();
    local.set_api_key("openai", ROTATED).await.unwrap();
    local.clear_calls();
    (local, agent)
}

fn fetches(local: &LocalIdentity) -> usize {
    local.call_count(Operation::GetResourceApiKey)
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_success_is_not_repeated() {
    let local = local().await;
    let vendor = Vendor::that_accepts(API_KEY);
    assert_eq!(agent(&local).scope(ask(&vendor)).await.unwrap(), format!("{API_KEY}!"));
    assert_eq!((vendor.calls(), fetches(&local)), (1, 1));
}

#[tokio::test]
async fn a_rotation_goes_unnoticed() {
    let (local, agent) = rotated().await;
    let vendor = Vendor::that_accepts(ROTATED);
    assert_eq!(agent.scope(ask(&vendor)).await.unwrap(), format!("{ROTATED}!"));
    assert_eq!((vendor.calls(), fetches(&local)), (2, 1));

    // The renewed key is the one in the cache now.
    assert_eq!(agent.scope(ask(&vendor)).await.unwrap(), format!("{ROTATED}!"));
    assert_eq!((vendor.calls(), fetches(&local)), (3, 1));
}

#[tokio::test]
async fn the_body_runs_twice_at_most() {
    let (local, agent) = rotated().await;
    let vendor = Vendor::that_accepts("neither");
    let error = agent.scope(ask(&vendor)).await.unwrap_err();
    assert!(matches!(&error, AskError::Unauthorized(key) if key == ROTATED), "{error:?}");
    assert_eq!((vendor.calls(), fetches(&local)), (2, 1));
}

#[tokio::test]
async fn the_same_key_is_not_tried_again() {
    let local = local().await;
    let vendor = Vendor::that_accepts("another");
    let error = agent(&local).scope(ask(&vendor)).await.unwrap_err();
    assert!(matches!(&error, AskError::Unauthorized(key) if key == API_KEY), "{error:?}");
    assert_eq!((vendor.calls(), fetches(&local)), (1, 2));
}

#[tokio::test]
async fn another_error_is_not_for_the_predicate() {
    let (local, agent) = rotated().await;
    let vendor = Vendor::that_accepts(ROTATED);
    let error = agent.scope(fail_otherwise(&vendor)).await.unwrap_err();
    assert!(matches!(error, AskError::Other), "{error:?}");
    assert_eq!((vendor.calls(), fetches(&local)), (1, 0));
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_first_error() {
    let (local, agent) = rotated().await;
    local.remove_api_key("openai").await.unwrap();
    let vendor = Vendor::that_accepts(ROTATED);
    let error = agent.scope(ask(&vendor)).await.unwrap_err();
    assert!(matches!(&error, AskError::Unauthorized(key) if key == API_KEY), "{error:?}");
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test]
async fn a_failed_first_fetch_is_the_error() {
    let local = local().await;
    local.remove_api_key("openai").await.unwrap();
    let vendor = Vendor::that_accepts(API_KEY);
    let error = agent(&local).scope(ask(&vendor)).await.unwrap_err();
    assert!(matches!(error, AskError::Identity(Error::ProviderNotFound { .. })), "{error:?}");
    assert_eq!(vendor.calls(), 0);
}

/// Each attempt has its own parameters, as the caller gave them.
mod parameters {
    use super::*;

    #[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
    async fn all(
        vendor: Vendor,
        seen: &mut Vec<String>,
        mut model: String,
        (mut count, label): (u8, &str),
        prompt: impl Display + Clone,
        _: u8,
        api_key: ApiKey,
    ) -> Result<String, AskError> {
        model.push('+');
        count += 1;
        seen.push(format!("{label} {model} {count}"));
        drop(label.to_owned());
        let answer = vendor.call(api_key.expose()).await?;
        drop((vendor, model));
        Ok(format!("{prompt} {answer}"))
    }

    #[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
    async fn borrowed<'a>(vendor: &Vendor, prompt: &'a str, api_key: &str) -> Result<&'a str, AskError> {
        vendor.call(api_key).await?;
        Ok(prompt)
    }

    #[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
    async fn opaque(vendor: &Vendor, api_key: &str) -> Result<impl Display + use<>, AskError> {
        if api_key.is_empty() {
            return Ok(String::new());
        }
        vendor.call(api_key).await
    }

    #[requires_api_key(provider = "openai", retry_if = AskError::is_unauthorized)]
    async fn not_sync(vendor: Vendor, cell: Cell<u8>, api_key: &str) -> Result<u8, AskError> {
        cell.set(cell.get() + 1);
        vendor.call(api_key).await?;
        Ok(cell.get())
    }

    #[tokio::test]
    async fn are_as_they_were() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let mut seen = Vec::new();
        let call = all(vendor.clone(), &mut seen, "m".to_owned(), (1, "l"), "p", 0);
        assert_eq!(agent.scope(call).await.unwrap(), format!("p {ROTATED}"));
        assert_eq!(seen, ["l m+ 2", "l m+ 2"]);
    }

    #[tokio::test]
    async fn may_be_returned() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        assert_eq!(agent.scope(borrowed(&vendor, "p")).await.unwrap(), "p");
    }

    #[tokio::test]
    async fn may_hide_in_an_opaque_result() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        assert_eq!(agent.scope(opaque(&vendor)).await.unwrap().to_string(), ROTATED);
    }

    #[tokio::test]
    async fn need_not_be_sync() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let call = assert_send(not_sync(vendor.clone(), Cell::new(0)));
        assert_eq!(agent.scope(call).await.unwrap(), 1);
        assert_eq!(vendor.calls(), 2);
    }
}

/// `self` is there for both attempts, whatever it is.
mod receivers {
    use super::*;

    #[derive(Clone)]
    struct Agent {
        vendor: Vendor,
        provider: String,
        asked: Cell<u8>,
    }

    impl Agent {
        fn new(vendor: &Vendor) -> Self {
            Self { vendor: vendor.clone(), provider: "openai".to_owned(), asked: Cell::new(0) }
        }

        #[requires_api_key(provider = self.provider, retry_if = AskError::is_unauthorized)]
        async fn by_reference(&self, api_key: &str) -> Result<String, AskError> {
            self.vendor.call(api_key).await
        }

        #[requires_api_key(provider = self.provider, retry_if = AskError::is_unauthorized)]
        async fn by_mutable_reference(&mut self, api_key: &str) -> Result<u8, AskError> {
            self.asked.set(self.asked.get() + 1);
            self.provider.push('.');
            let vendor = self.vendor.clone();
            vendor.call(api_key).await?;
            Ok(self.asked.get())
        }

        #[requires_api_key(provider = self.provider, retry_if = AskError::is_unauthorized)]
        async fn by_value(self, api_key: &str) -> Result<Self, AskError> {
            self.asked.set(self.asked.get() + 1);
            let vendor = self.vendor.clone();
            vendor.call(api_key).await?;
            Ok(self)
        }

        #[requires_api_key(provider = self.provider, retry_if = AskError::is_unauthorized)]
        async fn by_mutable_value(mut self, api_key: &str) -> Result<String, AskError> {
            self.provider.push('.');
            let vendor = self.vendor.clone();
            vendor.call(api_key).await?;
            Ok(self.provider)
        }

        #[requires_api_key(provider = self.provider, retry_if = AskError::is_unauthorized)]
        async fn by_arc(self: Arc<Self>, api_key: &str) -> Result<usize, AskError> {
            self.vendor.call(api_key).await?;
            Ok(Arc::strong_count(&self))
        }
    }

    #[tokio::test]
    async fn by_reference() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let by = Agent::new(&vendor);
        assert_eq!(agent.scope(by.by_reference()).await.unwrap(), ROTATED);
        assert_eq!(vendor.calls(), 2);
    }

    #[tokio::test]
    async fn by_mutable_reference() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let mut by = Agent::new(&vendor);
        // What the first attempt did stays done, as in any loop over a `&mut`.
        assert_eq!(agent.scope(assert_send(by.by_mutable_reference())).await.unwrap(), 2);
        assert_eq!(by.provider, "openai..");
    }

    #[tokio::test]
    async fn by_value() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let by = agent.scope(assert_send(Agent::new(&vendor).by_value())).await.unwrap();
        assert_eq!((by.asked.get(), vendor.calls()), (1, 2));
    }

    #[tokio::test]
    async fn by_mutable_value() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let provider = agent.scope(Agent::new(&vendor).by_mutable_value()).await.unwrap();
        assert_eq!((provider.as_str(), vendor.calls()), ("openai.", 2));
    }

    #[tokio::test]
    #[expect(clippy::arc_with_non_send_sync, reason = "an agent that is not `Sync` is what the other receivers test")]
    async fn by_arc() {
        let (_local, agent) = rotated().await;
        let vendor = Vendor::that_accepts(ROTATED);
        let by = Arc::new(Agent::new(&vendor));
        agent.scope(by.clone().by_arc()).await.unwrap();
        assert_eq!((Arc::strong_count(&by), vendor.calls()), (1, 2));
    }
}

/// Two credentials, each renewed on its own.
mod stacked {
    use super::*;

    #[requires_api_key(provider = "openai", into = openai, retry_if = |e| matches!(e, AskError::Unauthorized(_)))]
    #[requires_api_key(provider = "anthropic", into = anthropic, retry_if = |e| matches!(e, AskError::Other))]
    async fn both(vendor: &Vendor, other: &Vendor, openai: &str, anthropic: String) -> Result<String, AskError> {
        vendor.call(openai).await?;
        other.call(&anthropic).await.map_err(|_| AskError::Other)
    }

    #[tokio::test]
    async fn attributes_renew_their_own_key() {
        let (local, agent) = rotated().await;
        local.set_api_key("anthropic", "sk-before").await.unwrap();
        let before = Vendor::that_accepts("sk-before");
        let vendor = Vendor::that_accepts(ROTATED);
        assert_eq!(agent.scope(both(&vendor, &before)).await.unwrap(), "sk-before");
        assert_eq!((vendor.calls(), before.calls()), (2, 1));

        local.set_api_key("anthropic", "sk-after").await.unwrap();
        let after = Vendor::that_accepts("sk-after");
        assert_eq!(agent.scope(both(&vendor, &after)).await.unwrap(), "sk-after");
        assert_eq!((vendor.calls(), after.calls()), (4, 2));
    }

    /// What refuses every key, and counts who comes.
    async fn refuse(vendor: &Vendor) -> Result<String, AskError> {
        vendor.call("refused").await
    }

    #[requires_api_key(provider = "one", into = one, retry_if = |_| true)]
    #[requires_api_key(provider = "two", into = two, retry_if = |_| true)]
    #[requires_api_key(provider = "three", into = three, retry_if = |_| true)]
    async fn all(
        vendor: &Vendor,
        rotate: impl AsyncFn() + Clone,
        one: ApiKey,
        two: &str,
        three: String,
    ) -> Result<String, AskError> {
        assert!(!one.expose().is_empty() && !two.is_empty() && !three.is_empty());
        rotate().await;
        refuse(vendor).await
    }

    use agentcore_identity::requires_api_key as by_another_name;

    #[by_another_name(provider = "one", into = one, retry_if = |_| true)]
    #[tracing::instrument(skip_all)]
    #[by_another_name(provider = "two", into = two, retry_if = |_| true)]
    async fn with_company(
        vendor: &Vendor,
        rotate: impl AsyncFn() + Clone,
        one: ApiKey,
        two: &str,
    ) -> Result<String, AskError> {
        assert!(!one.expose().is_empty() && !two.is_empty());
        rotate().await;
        refuse(vendor).await
    }

    #[derive(Clone)]
    struct Agent<'a>(&'a Vendor);

    impl Agent<'_> {
        #[requires_api_key(provider = "one", into = one, retry_if = |_| true)]
        #[requires_api_key(provider = "two", into = two, retry_if = |_| true)]
        async fn consumed(self, rotate: impl AsyncFn() + Clone, one: ApiKey, two: &str) -> Result<String, AskError> {
            assert!(!one.expose().is_empty() && !two.is_empty());
            rotate().await;
            refuse(self.0).await
        }
    }

    #[tokio::test]
    async fn attributes_share_the_second_attempt() {
        let local = local().await;
        let agent = agent(&local);
        let turn = AtomicUsize::new(0);
        // Every attempt finds that each of the keys has been rotated.
        let rotate = async || {
            let turn = turn.fetch_add(1, Ordering::Relaxed);
            for provider in ["one", "two", "three"] {
                local.set_api_key(provider, &format!("sk-{provider}-{turn}")).await.unwrap();
            }
        };
        rotate().await;
        for attributes in 0..3 {
            let vendor = Vendor::that_accepts("another");
            let rotate = &rotate;
            let answer = agent.scope(async {
                match attributes {
                    0 => all(&vendor, rotate).await,
                    1 => with_company(&vendor, rotate).await,
                    _ => Agent(&vendor).consumed(rotate).await,
                }
            });
            assert!(matches!(answer.await, Err(AskError::Unauthorized(_))));
            assert_eq!(vendor.calls(), 2, "form {attributes}");
        }
    }
}
