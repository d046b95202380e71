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
use crate::binding::{DynPendingStore, PendingStore};
use crate::cache::{CachePolicy, CredentialCache, Fetched, KeyRef, Kind, Origin, Outcome};
use crate::caller::{Caller, TokenOrigin};
use crate::oauth::{AuthUrlHandler, Authorizations};
use crate::operation::Operation;
use crate::secret::Secret;
use crate::service::{Service, counted, current_runtime, workload_token_operation};
use crate::{
    AccessTokenRequest, ApiKey, Error, HandlerOutcome, PendingAuthorization, Polling, RequestContext, UserIdentifier,
    WorkloadToken, limits,
};

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
    polling: Polling,
    auth_url_handler: Option<AuthUrlHandler<'static>>,
    authorizations: Arc<Authorizations>,
    pending_store: OnceLock<Arc<dyn DynPendingStore>>,
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
        IdentityClientBuilder {
            sdk_config: None,
            cache_policy: CachePolicy::default(),
            polling: Polling::default(),
            auth_url_handler: None,
            pending_store: None,
        }
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
    /// - [`Error::NoWorkloadToken`] when the call carries no workload access token, and nothing to fetch one with.
    /// - [`Error::InvalidRequest`] when the provider's name, or what the context says, is not what the service takes.
    /// - [`Error::ProviderNotFound`] when the token vault has no credential provider of this name.
    /// - [`Error::AccessDenied`] when the AWS identity of this process lacks an IAM permission.
    /// - [`Error::WorkloadTokenRejected`] when the service does not accept the workload access token, and
    ///   [`Error::UserTokenRejected`] when it does not accept the user's JWT that one is to be made from.
    /// - [`Error::Throttled`] when the service asks to slow down, and [`Error::Unavailable`] when it fails or cannot be
    ///   reached. These two are worth trying again later; the AWS SDK has done so already.
    /// - [`Error::Configuration`] when something about this process has to be set up differently, such as its AWS
    ///   credentials or Region.
    pub async fn api_key(&self, provider: &str) -> Result<ApiKey, Error> {
        self.api_key_for(RequestContext::current().as_ref(), provider).await
    }

    /// A request for the OAuth2 access token that the credential provider `provider` holds for the caller, or can get;
    /// sent when it is awaited.
    ///
    /// ```no_run
    /// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
    /// use agentcore_identity::AuthFlow;
    ///
    /// let token = client.access_token("crm").scopes(["contacts.read"]).auth_flow(AuthFlow::M2m).await?;
    /// # let _ = token; Ok(()) }
    /// ```
    pub fn access_token<'a>(&self, provider: &str) -> AccessTokenRequest<'a> {
        AccessTokenRequest::new(Some(self.clone()), provider)
    }

    /// A request for a JWT that AWS STS signs for the AWS identity of this process, for 1 to 10 that are to accept it;
    /// sent when it is awaited. With the feature `iam-access-token`.
    ///
    /// ```no_run
    /// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
    /// let token = client.iam_access_token(["https://api.example"]).await?;
    /// # let _ = token; Ok(()) }
    /// ```
    #[cfg(feature = "iam-access-token")]
    pub fn iam_access_token<S: Into<String>>(
        &self,
        audience: impl IntoIterator<Item = S>,
    ) -> crate::IamAccessTokenRequest {
        crate::IamAccessTokenRequest::new(Some(self.clone())).audience(audience)
    }

    /// The caller's own workload access token, to send on to the next hop: see [`WorkloadToken::set_header`].
    ///
    /// ```no_run
    /// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
    /// let mut headers = http::HeaderMap::new();
    /// client.workload_token().await?.set_header(&mut headers)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`api_key`](Self::api_key).
    pub async fn workload_token(&self) -> Result<WorkloadToken, Error> {
        let context = RequestContext::current();
        let ask = |token: Secret, _| std::future::ready(Ok(WorkloadToken(token)));
        self.with_workload_token(context.as_ref(), ask).await
    }

    /// Says that the user behind the session has come back from consenting, and is who the session was started for:
    /// only then does the token come.
    ///
    /// `session_uri` is the `session_id` that the browser brings to the callback URL. `user` has to be the very
    /// identifier that the workload access token was made from: the same JWT, or the same user id. Check before that the
    /// user who is logged in is this one. The module `session_binding`, a feature of that name, does all of this.
    ///
    /// # Errors
    ///
    /// [`Error::AuthorizationFailed`] when there is no such session of that user; else as [`api_key`](Self::api_key).
    ///
    /// ```no_run
    /// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
    /// use agentcore_identity::UserIdentifier;
    ///
    /// let session_uri = "urn:ietf:params:oauth:request_uri:M2Q1…";
    /// client.complete_authorization(session_uri, UserIdentifier::UserId("ada".into())).await?;
    /// # Ok(()) }
    /// ```
    pub async fn complete_authorization(&self, session_uri: &str, user: UserIdentifier) -> Result<(), Error> {
        if let Some(violation) = limits::session_uri_violation(session_uri) {
            return Err(Error::invalid_request(format!("the session URI {violation}")));
        }
        user.validate()?;
        self.inner.service.complete_authorization(session_uri, &user).await
    }

    pub(crate) fn service(&self) -> &Service {
        &self.inner.service
    }

    pub(crate) fn cache(&self) -> &CredentialCache {
        &self.inner.cache
    }

    pub(crate) fn polling(&self) -> &Polling {
        &self.inner.polling
    }

    pub(crate) fn auth_url_handler(&self) -> Option<&AuthUrlHandler<'static>> {
        self.inner.auth_url_handler.as_ref()
    }

    pub(crate) fn authorizations(&self) -> &Arc<Authorizations> {
        &self.inner.authorizations
    }

    /// From now on authorizations are kept for their callbacks: in memory, if the client was built without a store.
    #[cfg(feature = "session-binding")]
    pub(crate) fn keep_pending(&self) -> Arc<dyn DynPendingStore> {
        self.inner.pending_store.get_or_init(|| Arc::new(crate::MemoryStore::default())).clone()
    }

    /// Where authorizations are kept for their callbacks, if there is anyone to look them up.
    pub(crate) fn pending_store(&self) -> Option<&Arc<dyn DynPendingStore>> {
        self.inner.pending_store.get()
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

    /// What is kept under `key`, else what `fetch` brings.
    pub(crate) async fn credential(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
    ) -> Result<Secret, Error> {
        match self.kept(operation, key, &fetch)? {
            Some(secret) => Ok(secret),
            None => self.through_cache(operation, key, fetch).await.0,
        }
    }

    /// What is kept under `key`, which `fetch` renews in the background when it is due.
    pub(crate) fn kept(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
    ) -> Result<Option<Secret>, Error> {
        let Some(hit) = self.inner.cache.get(&key) else { return Ok(None) };
        if hit.is_due {
            let renewal = || renewal(operation, key.provider, fetch());
            self.inner.cache.renew(key, &current_runtime()?, renewal);
        }
        debug_span!(
            "fetch_credential",
            operation = operation.name(),
            provider = provider_field(key.provider),
            cache = "hit",
            outcome = "ok",
            attempts = 0
        );
        Ok(Some(hit.secret))
    }

    /// What `fetch` brings in place of `rejected`, which is no longer served.
    pub(crate) async fn replacement(
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
    pub(crate) async fn with_workload_token<'c, T, F>(
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
        let token = self.fetched_workload_token(&caller, name, user).await?;
        match ask(token.clone(), true).await {
            Err(Error::WorkloadTokenRejected { .. }) => {
                self.inner.cache.forget(workload_token_key(&caller), &token);
                let token = self.fetched_workload_token(&caller, name, user).await?;
                ask(token, true).await
            }
            answer => answer,
        }
    }

    /// The context's, else the process default.
    pub(crate) fn current() -> Self {
        let context = RequestContext::current();
        context.as_ref().and_then(RequestContext::client).cloned().unwrap_or_else(Self::process_default)
    }

    /// The process default: the one that was installed, else one of the environment.
    pub(crate) fn process_default() -> Self {
        if let Some(client) = &*DEFAULT.read().unwrap_or_else(PoisonError::into_inner) {
            return client.clone();
        }
        let mut default = DEFAULT.write().unwrap_or_else(PoisonError::into_inner);
        default.get_or_insert_with(|| Self::builder().build()).clone()
    }

    async fn fetched_workload_token(
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
    pub(crate) async fn through_cache(
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

    /// One fetch that nobody shares, in a span of its own.
    pub(crate) async fn past_cache(
        &self,
        operation: Operation,
        provider: &str,
        fetch: FetchFuture,
    ) -> Result<Fetched, Error> {
        let span = fetch_span(operation, provider);
        let (answer, attempts) = counted(fetch).instrument(span.clone()).await;
        span.record("cache", "miss");
        record(&span, &answer, attempts);
        answer
    }

    /// Kept once it is found. Until then a missing or a mistaken file may still be put right.
    pub(crate) fn ambient(&self) -> Result<Option<&Ambient>, Error> {
        if let Some(ambient) = self.inner.ambient.get() {
            return Ok(Some(ambient));
        }
        let found = Ambient::of_process()?;
        Ok(found.map(|found| self.inner.ambient.get_or_init(|| found)))
    }
}

/// How a credential is asked for. Boxed, since each future around a large one holds it twice.
pub(crate) type FetchFuture = BoxFuture<'static, Result<Fetched, Error>>;

pub(crate) trait Fetch: Fn() -> FetchFuture {}

impl<F: Fn() -> FetchFuture> Fetch for F {}

fn api_key_key<'a>(caller: &'a Caller<'_>, provider: &'a str) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::ApiKey, provider, parameters: None }
}

/// The workload token is kept for its caller, whatever provider it was first fetched for.
fn workload_token_key<'a>(caller: &'a Caller<'_>) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::WorkloadToken, provider: "", parameters: None }
}

/// `cache` is `hit`, `miss`, `shared` when another call's request answered this one too, or `renewal` for one ahead of
/// time; `outcome` is `ok` or the variant of [`Error`]; `attempts` counts what this call sent, the AWS SDK's retries included.
fn fetch_span(operation: Operation, provider: &str) -> Span {
    debug_span!(
        "fetch_credential",
        operation = operation.name(),
        provider = provider_field(provider),
        cache = Empty,
        outcome = Empty,
        attempts = Empty,
    )
}

fn provider_field(provider: &str) -> Option<&str> {
    (!provider.is_empty()).then_some(provider)
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
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct IdentityClientBuilder {
    sdk_config: Option<SdkConfig>,
    cache_policy: CachePolicy,
    polling: Polling,
    auth_url_handler: Option<AuthUrlHandler<'static>>,
    pending_store: Option<Arc<dyn DynPendingStore>>,
}

impl IdentityClientBuilder {
    /// The AWS configuration. Without it, that of the environment is loaded at the first fetch.
    pub fn sdk_config(mut self, config: &SdkConfig) -> Self {
        self.sdk_config = Some(config.clone());
        self
    }

    /// How often the service is asked whether a user has consented, and for how long.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// How long credentials are kept.
    pub fn cache_policy(mut self, policy: CachePolicy) -> Self {
        self.cache_policy = policy;
        self
    }

    /// What is done with the links that users have to open, where neither the call nor its [`RequestContext`] says. See
    /// [`AccessTokenRequest::on_auth_url`].
    pub fn on_auth_url<F, R, Kind>(mut self, handler: F) -> Self
    where
        F: Fn(PendingAuthorization) -> R + Send + Sync + 'static,
        R: HandlerOutcome<Kind> + 'static,
        Kind: 'static,
    {
        self.auth_url_handler = Some(AuthUrlHandler::new(handler));
        self
    }

    /// Where authorizations wait for their users' browsers to come back; for an application of several replicas, a store
    /// that they share. Each authorization with a callback URL is then kept there, with a `state` of its own unless the
    /// call has one.
    pub fn pending_store(mut self, store: impl PendingStore + 'static) -> Self {
        self.pending_store = Some(Arc::new(store));
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
                polling: self.polling,
                auth_url_handler: self.auth_url_handler,
                authorizations: Arc::default(),
                pending_store: self.pending_store.map(OnceLock::from).unwrap_or_default(),
            }),
        }
    }
}

impl fmt::Debug for IdentityClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityClientBuilder")
            .field("cache_policy", &self.cache_policy)
            .field("polling", &self.polling)
            .finish_non_exhaustive()
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
