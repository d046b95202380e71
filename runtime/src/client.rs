//! The client: who calls, is it cached, else ask the service.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aws_config::SdkConfig;
use futures_util::future::BoxFuture;
use tracing::field::Empty;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, Span, debug_span};

use crate::ambient::Ambient;
use crate::cache::{CachePolicy, CredentialCache, Fetched, KeyRef, Kind, Origin, Outcome};
use crate::caller::{Caller, TokenOrigin};
use crate::operation::Operation;
use crate::secret::Secret;
use crate::service::{Service, counted, current_runtime, workload_token_operation};
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
    ambient: OnceLock<Ambient>,
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
        let fetch = self.ask_for_api_key(context, provider);
        self.credential(Operation::GetResourceApiKey, api_key_key(&caller, provider), fetch).await.map(ApiKey)
    }

    /// A different API key than `rejected`, if the service has one by now.
    pub(crate) async fn renew_api_key_for(
        &self,
        context: Option<&RequestContext>,
        provider: &str,
        rejected: &ApiKey,
    ) -> Option<ApiKey> {
        let caller = Caller::resolve(context, || self.ambient()).ok()?;
        let fetch = self.ask_for_api_key(context, provider);
        let key = api_key_key(&caller, provider);
        let fresh = self.replacement(Operation::GetResourceApiKey, key, fetch, &rejected.0).await.ok()?;
        (!fresh.same_as(&rejected.0)).then_some(ApiKey(fresh))
    }

    fn ask_for_api_key(&self, context: Option<&RequestContext>, provider: &str) -> impl Fetch {
        move || {
            let (client, context, provider) = (self.clone(), context.cloned(), provider.to_owned());
            Box::pin(async move {
                if let Some(violation) = limits::PROVIDER_NAME.violation(&provider) {
                    return Err(Error::invalid_request(format!(
                        "the credential provider name {provider:?} {violation}"
                    )));
                }
                let (service, provider) = (&client.inner.service, provider.as_str());
                let ask = |token, fetched| async move { service.api_key(&token, provider, fetched).await };
                client.with_workload_token(context.as_ref(), ask).await
            })
        }
    }

    /// What is kept under `key`, which is renewed in the background when it is due; else what `fetch` brings.
    async fn credential(&self, operation: Operation, key: KeyRef<'_>, fetch: impl Fetch) -> Result<Secret, Error> {
        let Some(hit) = self.inner.cache.get(&key) else {
            return self.through_cache(operation, key, fetch).await.0;
        };
        if hit.is_due {
            let renewal = || renewal(operation, key.provider, fetch());
            self.inner.cache.renew(key, &current_runtime()?, renewal);
        }
        let operation = operation.name();
        debug_span!(
            "fetch_credential",
            operation,
            provider = key.provider,
            cache = "hit",
            outcome = "ok",
            attempts = 0
        );
        Ok(hit.secret)
    }

    /// What `fetch` brings in place of `rejected`, which is no longer served.
    async fn replacement(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
        rejected: &Secret,
    ) -> Result<Secret, Error> {
        self.inner.cache.forget(key, rejected);
        match self.through_cache(operation, key, &fetch).await {
            // Another call's request, which may have been sent before the credential was replaced in the vault.
            (Ok(shared), Origin::Shared) if shared.same_as(rejected) => {
                self.inner.cache.forget(key, rejected);
                self.through_cache(operation, key, &fetch).await.0
            }
            (answer, _) => answer,
        }
    }

    /// What `ask` answers to the caller's workload token. One that was fetched here, as `ask` is told, and that the service
    /// rejects is fetched anew, once.
    async fn with_workload_token<'c, T, F>(
        &'c self,
        context: Option<&'c RequestContext>,
        ask: impl Fn(Secret, bool) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let caller = Caller::resolve(context, || self.ambient())?;
        caller.origin.validate()?;
        let (name, user) = match caller.origin {
            TokenOrigin::Given(token) => return ask(token.0.clone(), false).await,
            TokenOrigin::Fetched { name, user } => (name, user),
        };
        let token = self.workload_token(&caller, name, user).await?;
        match ask(token.clone(), true).await {
            Err(Error::WorkloadTokenRejected { .. }) => {
                self.inner.cache.forget(workload_token_key(&caller), &token);
                let token = self.workload_token(&caller, name, user).await?;
                ask(token, true).await
            }
            answer => answer,
        }
    }

    /// The process default: the one that was installed, else one of the environment.
    pub(crate) fn process_default() -> Self {
        if let Some(client) = &*DEFAULT.read().unwrap_or_else(PoisonError::into_inner) {
            return client.clone();
        }
        let mut default = DEFAULT.write().unwrap_or_else(PoisonError::into_inner);
        default.get_or_insert_with(|| Self::builder().build()).clone()
    }

    async fn workload_token(
        &self,
        caller: &Caller<'_>,
        name: &str,
        user: Option<&UserIdentifier>,
    ) -> Result<Secret, Error> {
        let key = workload_token_key(caller);
        if let Some(hit) = self.inner.cache.get(&key) {
            return Ok(hit.secret);
        }
        let fetch = || {
            let (client, name, user) = (self.clone(), name.to_owned(), user.cloned());
            Box::pin(async move { client.inner.service.workload_token(&name, user.as_ref()).await }) as FetchFuture
        };
        self.through_cache(workload_token_operation(user), key, fetch).await.0
    }

    /// One fetch, in a span of its own that says how it went.
    async fn through_cache(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
    ) -> (Result<Secret, Error>, Origin) {
        let runtime = match current_runtime() {
            Ok(runtime) => runtime,
            Err(error) => return (Err(error), Origin::Service),
        };
        let span = fetch_span(operation, key.provider);
        let fetch = || counted(fetch()).instrument(span.clone()).with_current_subscriber();
        let (answer, origin, attempts) = self.inner.cache.get_or_fetch(key, &runtime, fetch).await;
        span.record("cache", if origin == Origin::Service { "miss" } else { "shared" });
        record(&span, &answer, attempts);
        (answer, origin)
    }

    /// Kept once it is found. Until then a missing or a mistaken file may still be put right.
    fn ambient(&self) -> Result<Option<&Ambient>, Error> {
        if let Some(ambient) = self.inner.ambient.get() {
            return Ok(Some(ambient));
        }
        let found = Ambient::of_process()?;
        Ok(found.map(|found| self.inner.ambient.get_or_init(|| found)))
    }
}

/// How a credential is asked for. Boxed, since each future around a large one holds it twice.
type FetchFuture = BoxFuture<'static, Result<Fetched, Error>>;

trait Fetch: Fn() -> FetchFuture {}

impl<F: Fn() -> FetchFuture> Fetch for F {}

fn api_key_key<'a>(caller: &'a Caller<'_>, provider: &'a str) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::ApiKey, provider, parameters: None }
}

/// The workload token is kept for its caller, whatever provider it was first fetched for.
fn workload_token_key<'a>(caller: &'a Caller<'_>) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::WorkloadToken, provider: "", parameters: None }
}

/// `cache` is `hit`, `miss`, `shared` when another call's request answered this one too, or `renewal` for one ahead of time; `outcome` is `ok` or the
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

/// A fetch in the background, for which nobody waits.
fn renewal(operation: Operation, provider: &str, fetch: FetchFuture) -> impl Future<Output = Outcome> + use<> {
    let span = fetch_span(operation, provider);
    span.record("cache", "renewal");
    let renewal = async {
        let (answer, attempts) = counted(fetch).await;
        record(&Span::current(), &answer, attempts);
        (answer, attempts)
    };
    renewal.instrument(span).with_current_subscriber()
}

fn record<T>(span: &Span, answer: &Result<T, Error>, attempts: u32) {
    span.record("outcome", answer.as_ref().map_or_else(Error::kind, |_| "ok")).record("attempts", attempts);
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
