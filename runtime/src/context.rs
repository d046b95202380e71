//! Who is calling: a task-local value that every fetch reads.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;

use crate::digest::Digest;
use crate::oauth::AuthUrlHandler;
use crate::{HandlerOutcome, IdentityClient, PendingAuthorization, UserIdentifier, WorkloadToken};

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// Who is calling: the workload access token or what it is fetched with, the user, the session and the client.
///
/// An application builds one for each request and runs the request [`scope`](Self::scope)d in it. Clones are cheap
/// and stand for the same request.
///
/// ```no_run
/// # async fn ask(_: &str) -> Result<String, agentcore_identity::Error> { todo!() }
/// # async fn serve(token: String) -> Result<(), agentcore_identity::Error> {
/// use agentcore_identity::RequestContext;
///
/// let context = RequestContext::builder().workload_token(token).session_id("s-1").build();
/// let answer = context.scope(async { ask("hello").await }).await?;
/// # let _ = answer; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RequestContext {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    workload_token: Option<WorkloadToken>,
    workload_name: Option<String>,
    user: Option<UserIdentifier>,
    session_id: Option<String>,
    client: Option<IdentityClient>,
    callback_url: Option<String>,
    auth_url_handler: Option<AuthUrlHandler<'static>>,
    digests: Digests,
}

/// Computed by the first fetch of a request, and not again by those that follow.
#[derive(Debug, Default)]
struct Digests {
    workload_token: OnceLock<Digest>,
    workload_name: OnceLock<Digest>,
    user: OnceLock<Digest>,
}

impl RequestContext {
    /// Starts an empty context.
    pub fn builder() -> RequestContextBuilder {
        RequestContextBuilder { inner: Inner::default() }
    }

    /// The context that the current task runs in.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// What `read` makes of the context that the current task runs in, if it runs in one.
    pub(crate) fn with_current<T>(read: impl Fn(Option<&Self>) -> T) -> T {
        CURRENT.try_with(|context| read(Some(context))).unwrap_or_else(|_| read(None))
    }

    /// Runs `future` in this context: every credential fetched inside is fetched for this caller.
    ///
    /// The context follows the future, not the tasks that it spawns: for those there is [`spawn`](crate::spawn).
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), future)
    }

    /// The session that the application gave.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.inner.session_id.as_deref()
    }

    /// The user that the application gave.
    #[must_use]
    pub fn user(&self) -> Option<&UserIdentifier> {
        self.inner.user.as_ref()
    }

    pub(crate) fn client(&self) -> Option<&IdentityClient> {
        self.inner.client.as_ref()
    }

    pub(crate) fn callback_url(&self) -> Option<&str> {
        self.inner.callback_url.as_deref()
    }

    pub(crate) fn auth_url_handler(&self) -> Option<&AuthUrlHandler<'static>> {
        self.inner.auth_url_handler.as_ref()
    }

    pub(crate) fn workload_token(&self) -> Option<(&WorkloadToken, Digest)> {
        let token = self.inner.workload_token.as_ref()?;
        let digest = self.inner.digests.workload_token.get_or_init(|| Digest::of("workload token", token.expose()));
        Some((token, *digest))
    }

    pub(crate) fn workload_name(&self) -> Option<(&str, Digest)> {
        let name = self.inner.workload_name.as_deref()?;
        let digest = self.inner.digests.workload_name.get_or_init(|| Digest::of("workload name", name));
        Some((name, *digest))
    }

    pub(crate) fn user_digest(&self) -> Option<(&UserIdentifier, Digest)> {
        let user = self.inner.user.as_ref()?;
        let digest = self.inner.digests.user.get_or_init(|| user.digest());
        Some((user, *digest))
    }
}

/// Builds a [`RequestContext`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RequestContextBuilder {
    inner: Inner,
}

impl RequestContextBuilder {
    /// The workload access token that came with the request, as AgentCore Runtime hands it in. It comes before
    /// everything that a token could be fetched with.
    pub fn workload_token(mut self, token: impl Into<WorkloadToken>) -> Self {
        self.inner.workload_token = Some(token.into());
        self
    }

    /// The name of an existing workload identity, 3 to 255 of `[A-Za-z0-9_.-]`, to fetch tokens for.
    pub fn workload_name(mut self, name: impl Into<String>) -> Self {
        self.inner.workload_name = Some(name.into());
        self
    }

    /// The user the agent acts for. A JWT stands against a user id that is set later, since only the JWT is verified.
    pub fn user(mut self, user: UserIdentifier) -> Self {
        let verified = matches!(self.inner.user, Some(UserIdentifier::UserToken(_)));
        if !(verified && matches!(user, UserIdentifier::UserId(_))) {
            self.inner.user = Some(user);
        }
        self
    }

    /// The session this request belongs to, for [`RequestContext::session_id`] to give back. Nothing is sent with it.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.inner.session_id = Some(id.into());
        self
    }

    /// The client that fetches this request's credentials, instead of the process default.
    pub fn client(mut self, client: IdentityClient) -> Self {
        self.inner.client = Some(client);
        self
    }

    /// Where the service sends the browser after a user's consent, 1 to 2048 characters: on AgentCore Runtime the
    /// request's header `OAuth2CallbackUrl`. What a call itself says comes first.
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.inner.callback_url = Some(url.into());
        self
    }

    /// What is done with the links that the user has to open, where a call does not say. See
    /// [`AccessTokenRequest::on_auth_url`](crate::AccessTokenRequest::on_auth_url).
    ///
    /// ```
    /// use agentcore_identity::RequestContext;
    ///
    /// # async fn send(_: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// let context = RequestContext::builder()
    ///     .on_auth_url(|authorization| async move { send(authorization.url()).await })
    ///     .build();
    /// # let _ = context;
    /// ```
    pub fn on_auth_url<F, R, Kind>(mut self, handler: F) -> Self
    where
        F: Fn(PendingAuthorization) -> R + Send + Sync + 'static,
        R: HandlerOutcome<Kind> + 'static,
        Kind: 'static,
    {
        self.inner.auth_url_handler = Some(AuthUrlHandler::new(handler));
        self
    }

    /// The finished context.
    #[must_use]
    pub fn build(self) -> RequestContext {
        RequestContext { inner: Arc::new(self.inner) }
    }
}

/// Like [`tokio::spawn`], and the current [`RequestContext`] comes along.
///
/// A task spawned with `tokio::spawn` itself starts without a context: its fetches do not know who is calling.
///
/// ```no_run
/// # async fn research() {}
/// # async fn work() -> Result<(), tokio::task::JoinError> {
/// let handle = agentcore_identity::spawn(research());
/// handle.await
/// # }
/// ```
///
/// # Panics
///
/// Outside a Tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match RequestContext::current() {
        Some(context) => tokio::spawn(context.scope(future)),
        None => tokio::spawn(future),
    }
}

/// Carries a [`RequestContext`] by hand, where a future goes to something other than [`spawn`].
///
/// ```no_run
/// # async fn research() {}
/// # async fn work() {
/// use agentcore_identity::WithContext;
///
/// let mut tasks = tokio::task::JoinSet::new();
/// tasks.spawn(research().in_current_context());
/// # tasks.join_all().await;
/// # }
/// ```
pub trait WithContext: Future + Sized {
    /// This future, run in `context` wherever it is polled.
    fn in_context(self, context: RequestContext) -> impl Future<Output = Self::Output> {
        context.scope(self)
    }

    /// This future, run in the context that is current now, or in none if there is none.
    fn in_current_context(self) -> impl Future<Output = Self::Output> {
        let context = RequestContext::current();
        async move {
            match context {
                Some(context) => context.scope(self).await,
                None => self.await,
            }
        }
    }
}

impl<F: Future> WithContext for F {}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Option<String> {
        RequestContext::current().and_then(|context| context.session_id().map(str::to_owned))
    }

    fn context(id: &str) -> RequestContext {
        RequestContext::builder().session_id(id).build()
    }

    #[tokio::test]
    async fn scope_ends_with_its_future_and_nests() {
        assert_eq!(session(), None);
        context("outer")
            .scope(async {
                context("inner").scope(async { assert_eq!(session().as_deref(), Some("inner")) }).await;
                assert_eq!(session().as_deref(), Some("outer"));
            })
            .await;
        assert_eq!(session(), None);
    }

    #[tokio::test]
    async fn context_comes_along_when_spawned_and_when_carried() {
        context("s-1")
            .scope(async {
                assert_eq!(tokio::spawn(async { session() }).await.unwrap(), None);
                assert_eq!(spawn(async { session() }).await.unwrap().as_deref(), Some("s-1"));
                let carried = tokio::spawn(async { session() }.in_current_context());
                assert_eq!(carried.await.unwrap().as_deref(), Some("s-1"));
                let other = tokio::spawn(async { session() }.in_context(context("s-2")));
                assert_eq!(other.await.unwrap().as_deref(), Some("s-2"));
            })
            .await;
    }

    #[tokio::test]
    async fn spawning_without_a_context_works() {
        assert_eq!(spawn(async { session() }).await.unwrap(), None);
        assert_eq!(async { session() }.in_current_context().await, None);
    }

    #[test]
    fn a_jwt_stands_against_a_user_id() {
        let both = RequestContext::builder()
            .user(UserIdentifier::UserToken("a.b.c".into()))
            .user(UserIdentifier::UserId("ada".into()))
            .build();
        assert!(matches!(both.user(), Some(UserIdentifier::UserToken(_))));
        let replaced = RequestContext::builder()
            .user(UserIdentifier::UserId("ada".into()))
            .user(UserIdentifier::UserId("bob".into()))
            .build();
        assert!(matches!(replaced.user(), Some(UserIdentifier::UserId(id)) if id == "bob"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let context = RequestContext::builder()
            .workload_token("wat-secret")
            .user(UserIdentifier::UserToken("jwt-secret".into()))
            .build();
        context.workload_token();
        let text = format!("{context:?} {context:#?}");
        assert!(!text.contains("secret"), "{text}");
    }
}
