//! The client: who calls, is it cached, else ask the service.

mod api_key;
mod builder;
mod fetch;

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use aws_config::SdkConfig;

pub use self::builder::IdentityClientBuilder;
pub(crate) use self::fetch::{Fetch, FetchFuture};
use crate::ambient::Ambient;
use crate::binding::DynPendingStore;
use crate::cache::CredentialCache;
use crate::oauth::{AuthUrlHandler, Authorizations};
use crate::secret::Secret;
use crate::service::Service;
use crate::{AccessTokenRequest, ApiKey, Error, Polling, RequestContext, UserIdentifier, WorkloadToken, limits};

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
        IdentityClientBuilder::default()
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
    ///   reached. These two are worth trying again later; the AWS SDK has done so already as its `RetryConfig` says.
    /// - [`Error::Configuration`] when something about this process has to be set up differently, such as its AWS
    ///   credentials or Region.
    pub async fn api_key(&self, provider: &str) -> Result<ApiKey, Error> {
        Self::callers_api_key(Some(self), provider).await
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
    /// identifier that the workload access token was made from: the same JWT, or the same user id. Check before that
    /// the user who is logged in is this one. The module `session_binding`, a feature of that name, does all of this.
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
        Error::unless_fits("the session URI", limits::session_uri_violation(session_uri))?;
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

    /// The context's, else the process default.
    pub(crate) fn current() -> Self {
        RequestContext::with_current(|context| Self::with_chosen(None, context, Self::clone))
    }

    /// `client` itself, else the context's, else the process default.
    fn with_chosen<T>(client: Option<&Self>, context: Option<&RequestContext>, then: impl FnOnce(&Self) -> T) -> T {
        match client.or(context.and_then(RequestContext::client)) {
            Some(client) => then(client),
            None => then(&Self::process_default()),
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

    /// Kept once it is found. Until then a missing or a mistaken file may still be put right.
    pub(crate) fn ambient(&self) -> Result<Option<&Ambient>, Error> {
        if let Some(ambient) = self.inner.ambient.get() {
            return Ok(Some(ambient));
        }
        let found = Ambient::of_process()?;
        Ok(found.map(|found| self.inner.ambient.get_or_init(|| found)))
    }
}

impl fmt::Debug for IdentityClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityClient").finish_non_exhaustive()
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
