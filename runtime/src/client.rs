//! The client: who calls, is it cached, else ask the service.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aws_config::SdkConfig;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use crate::ambient::Ambient;
use crate::cache::{CachePolicy, CredentialCache, Fetched, KeyRef, Kind, Origin};
use crate::caller::{Caller, TokenOrigin};
use crate::operation::Operation;
use crate::secret::Secret;
use crate::service::{Attempts, Service, workload_token_operation};
use crate::{ApiKey, Error, RequestContext, UserIdentifier, limits};

/// Fetches credentials from AgentCore Identity, and keeps them for a while.
///
/// Cheap to clone; clones share connections and cache. Whose credential a call gets is decided by the
/// [`RequestContext`] that the call runs in.
///
/// The AWS configuration is used as it is: endpoint, credentials, timeouts and retries are the AWS SDK's own.
///
/// ```no_run
/// # async fn example() -> Result<(), agentcore_identity::Error> {
/// use agentcore_identity::IdentityClient;
///
/// let client = IdentityClient::from_env().await?;
/// let key = client.api_key("openai").await?;
/// # let _ = key; Ok(()) }
/// ```
#[derive(Clone)]
pub struct IdentityClient {
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    cache: CredentialCache,
    ambient: OnceLock<Result<Option<Ambient>, Error>>,
}

static DEFAULT: RwLock<Option<IdentityClient>> = RwLock::new(None);

impl IdentityClient {
    /// A client with the AWS configuration of the environment: variables, profile, or the role of the container.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when no Region is set. That credentials are missing shows at the first fetch.
    pub async fn from_env() -> Result<Self, Error> {
        let client = Self::builder().build();
        client.inner.service.connect().await?;
        Ok(client)
    }

    /// A client with this AWS configuration.
    #[must_use]
    pub fn new(sdk_config: &SdkConfig) -> Self {
        Self::builder().sdk_config(sdk_config).build()
    }

    /// Starts a client with more settings.
    pub fn builder() -> IdentityClientBuilder {
        IdentityClientBuilder { sdk_config: None, cache_policy: CachePolicy::default() }
    }

    /// Makes this the process default: what fetches credentials where neither the attribute nor the
    /// [`RequestContext`] names a client. The client installed last is the one that counts.
    pub fn install_default(self) {
        let replaced = DEFAULT.write().unwrap_or_else(PoisonError::into_inner).replace(self);
        drop(replaced);
    }

    /// The API key that the credential provider `provider` holds for the caller.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`] that its documentation does not tie to something else. Only
    /// [`Error::is_retryable`] ones are worth trying again, and the AWS SDK has done so.
    pub async fn api_key(&self, provider: &str) -> Result<ApiKey, Error> {
        self.api_key_for(RequestContext::current().as_ref(), provider).await
    }

    pub(crate) async fn api_key_for(&self, context: Option<&RequestContext>, provider: &str) -> Result<ApiKey, Error> {
        let caller = Caller::resolve(context, || self.ambient())?;
        let key = KeyRef { caller: &caller.id, kind: Kind::ApiKey, provider };
        if let Some(secret) = self.inner.cache.get(&key).await {
            let operation = Operation::GetResourceApiKey.name();
            debug_span!("fetch_credential", operation, provider, cache = "hit", outcome = "ok", attempts = 0);
            return Ok(ApiKey(secret));
        }
        // Boxed, so that the futures of annotated functions stay small: most of their calls end above.
        Box::pin(self.fetch_api_key(&caller, key)).await.map(ApiKey)
    }

    /// A different API key than `rejected`, if the service has one by now.
    pub(crate) async fn renew_api_key_for(
        &self,
        context: Option<&RequestContext>,
        provider: &str,
        rejected: &ApiKey,
    ) -> Option<ApiKey> {
        let caller = Caller::resolve(context, || self.ambient()).ok()?;
        let key = KeyRef { caller: &caller.id, kind: Kind::ApiKey, provider };
        self.inner.cache.forget(key, &rejected.0).await;
        let fresh = Box::pin(self.fetch_api_key(&caller, key)).await.ok()?;
        (!fresh.same_as(&rejected.0)).then_some(ApiKey(fresh))
    }

    /// The process default: the one that was installed, else one of the environment.
    pub(crate) fn process_default() -> Self {
        if let Some(client) = &*DEFAULT.read().unwrap_or_else(PoisonError::into_inner) {
            return client.clone();
        }
        let mut default = DEFAULT.write().unwrap_or_else(PoisonError::into_inner);
        default.get_or_insert_with(|| Self::builder().build()).clone()
    }

    async fn fetch_api_key(&self, caller: &Caller<'_>, key: KeyRef<'_>) -> Result<Secret, Error> {
        if let Some(violation) = limits::PROVIDER_NAME.violation(key.provider) {
            let name = key.provider;
            return Err(Error::invalid_request(format!("the credential provider name {name:?} {violation}")));
        }
        caller.origin.validate()?;
        self.through_cache(Operation::GetResourceApiKey, key, async |attempts| match caller.origin {
            TokenOrigin::Given(token) => self.inner.service.api_key(&token.0, key.provider, false, attempts).await,
            TokenOrigin::Fetched { name, user } => {
                let token = self.workload_token(caller, name, user).await?;
                match self.inner.service.api_key(&token, key.provider, true, attempts).await {
                    Err(Error::WorkloadTokenRejected { .. }) => {
                        self.inner.cache.forget(workload_token_key(caller), &token).await;
                        let token = self.workload_token(caller, name, user).await?;
                        self.inner.service.api_key(&token, key.provider, true, attempts).await
                    }
                    answer => answer,
                }
            }
        })
        .await
    }

    async fn workload_token(
        &self,
        caller: &Caller<'_>,
        name: &str,
        user: Option<&UserIdentifier>,
    ) -> Result<Secret, Error> {
        let key = workload_token_key(caller);
        if let Some(token) = self.inner.cache.get(&key).await {
            return Ok(token);
        }
        self.through_cache(workload_token_operation(user), key, async |attempts| {
            self.inner.service.workload_token(name, user, attempts).await
        })
        .await
    }

    /// One fetch, in a span of its own that says how it went.
    async fn through_cache(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl AsyncFnOnce(&Attempts) -> Result<Fetched, Error>,
    ) -> Result<Secret, Error> {
        let span = fetch_span(operation, key.provider);
        let attempts = Attempts::default();
        // Boxed, since the cache moves the future a few times, and those of the AWS SDK are many kilobytes.
        let fetch = Box::pin(fetch(&attempts));
        let answer = self.inner.cache.get_or_fetch(key, fetch).instrument(span.clone()).await;
        let (cache, outcome) = match &answer {
            Ok((_, Origin::Service)) => ("miss", "ok"),
            Ok((_, Origin::Shared)) => ("shared", "ok"),
            Err(error) => ("miss", error.kind()),
        };
        span.record("cache", cache).record("outcome", outcome).record("attempts", attempts.count());
        answer.map(|(secret, _)| secret)
    }

    fn ambient(&self) -> Result<Option<&Ambient>, Error> {
        self.inner.ambient.get_or_init(Ambient::of_process).as_ref().map(Option::as_ref).map_err(Error::clone)
    }
}

/// The workload token is kept for its caller, whatever provider it was first fetched for.
fn workload_token_key<'a>(caller: &'a Caller<'_>) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::WorkloadToken, provider: "" }
}

/// `cache` is `hit`, `miss`, or `shared` when another call's request answered this one too; `outcome` is `ok` or the
/// variant of [`Error`]; `attempts` counts what this call sent, the AWS SDK's retries included.
fn fetch_span(operation: Operation, provider: &str) -> Span {
    debug_span!(
        "fetch_credential",
        operation = operation.name(),
        provider = (!provider.is_empty()).then_some(provider),
        cache = Empty,
        outcome = Empty,
        attempts = Empty,
    )
}

impl fmt::Debug for IdentityClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityClient").finish_non_exhaustive()
    }
}

/// Builds an [`IdentityClient`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct IdentityClientBuilder {
    sdk_config: Option<SdkConfig>,
    cache_policy: CachePolicy,
}

impl IdentityClientBuilder {
    /// The AWS configuration. Without it, that of the environment is loaded at the first fetch.
    pub fn sdk_config(mut self, config: &SdkConfig) -> Self {
        self.sdk_config = Some(config.clone());
        self
    }

    /// How long credentials are kept.
    pub fn cache_policy(mut self, policy: CachePolicy) -> Self {
        self.cache_policy = policy;
        self
    }

    /// The finished client. Nothing is sent or read yet.
    #[must_use]
    pub fn build(self) -> IdentityClient {
        IdentityClient {
            inner: Arc::new(Inner {
                service: Service::new(self.sdk_config),
                cache: CredentialCache::new(self.cache_policy),
                ambient: OnceLock::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const _: fn() = || {
        fn assert<T: Send + Sync + Clone + 'static>() {}
        assert::<IdentityClient>();
    };

    /// It is part of the future of every annotated function.
    #[test]
    fn a_fetch_is_a_small_future_that_is_send() {
        let client = IdentityClient::builder().build();
        let future: Box<dyn Send + '_> = Box::new(client.api_key("openai"));
        let size = size_of_val(&*future);
        assert!(size <= 1024, "{size} bytes");
    }
}
