//! A local service, a client that has its users asked for their consent, and the time that the test lets pass.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use agentcore_identity::{
    Error, IdentityClient, IdentityClientBuilder, PendingAuthorization, RequestContext, RequestContextBuilder,
};
use agentcore_identity_local::{LocalIdentity, Operation};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::time::{Requests, Time};
use crate::{WORKLOAD, user_id};

/// The OAuth2 credential provider of a [`Stage`], whose authorization server is the local service's own.
pub const PROVIDER: &str = "github";

/// Where nobody listens: tests take over from there what the browser brings back.
pub const CALLBACK: &str = "http://localhost:8081/callback";

/// How often the service is asked whether the user has consented.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// All that a test of a user's consent needs.
pub struct Stage {
    /// The service, with [`WORKLOAD`], [`CALLBACK`] and [`PROVIDER`].
    pub local: LocalIdentity,
    /// A client whose requests are sent once each, so that it is the library that bears their faults.
    pub client: IdentityClient,
    /// Stands still.
    pub time: Time,
    /// What the client is configured with.
    pub config: SdkConfig,
    links: mpsc::UnboundedSender<PendingAuthorization>,
    shown: Mutex<mpsc::UnboundedReceiver<PendingAuthorization>>,
}

impl Stage {
    /// With a client as it comes.
    pub async fn set() -> Self {
        Self::with_client(|builder| builder).await
    }

    /// With a client of these settings.
    ///
    /// # Panics
    ///
    /// When the local service does not start.
    pub async fn with_client(settings: impl FnOnce(IdentityClientBuilder) -> IdentityClientBuilder) -> Self {
        let builder = LocalIdentity::builder().workload_identity(WORKLOAD).return_url(WORKLOAD, CALLBACK);
        let local = builder.oauth2_provider(PROVIDER).start().await.expect("the local service starts");
        let requests = Requests::new();
        let config = local.sdk_config().into_builder().retry_config(RetryConfig::disabled());
        let config = config.http_client(requests.clone()).build();
        let client = settings(IdentityClient::builder().sdk_config(&config)).build();
        let (links, shown) = mpsc::unbounded_channel();
        Self { local, client, time: Time::stop(&requests), config, links, shown: Mutex::new(shown) }
    }

    /// Another client, which shares nothing with the first but the connections.
    #[must_use]
    pub fn client(&self, settings: impl FnOnce(IdentityClientBuilder) -> IdentityClientBuilder) -> IdentityClient {
        settings(IdentityClient::builder().sdk_config(&self.config)).build()
    }

    /// The context of a request of `user`, whose links come to [`link`](Self::link).
    #[must_use]
    pub fn user(&self, user: &str) -> RequestContext {
        self.context().user(user_id(user)).build()
    }

    /// The same, for nobody yet.
    pub fn context(&self) -> RequestContextBuilder {
        self.context_without_handler().on_auth_url(self.handler())
    }

    /// The same, and nobody is there to show a link to the user.
    pub fn context_without_handler(&self) -> RequestContextBuilder {
        RequestContext::builder().workload_name(WORKLOAD).client(self.client.clone()).callback_url(CALLBACK)
    }

    /// What brings links to [`link`](Self::link).
    pub fn handler(&self) -> impl Fn(PendingAuthorization) + Clone + Send + Sync + 'static {
        let links = self.links.clone();
        // When the stage is gone, nobody looks for the link.
        move |authorization| drop(links.send(authorization))
    }

    /// The next link that a handler was given.
    ///
    /// # Panics
    ///
    /// When there is none though all that can happen has happened.
    pub async fn link(&self) -> PendingAuthorization {
        self.time.settle().await;
        self.shown.lock().await.try_recv().expect("a handler is given a link")
    }

    /// Whether no handler was given a link that [`link`](Self::link) has not returned.
    pub async fn nobody_is_asked(&self) -> bool {
        self.time.settle().await;
        self.shown.lock().await.is_empty()
    }

    /// Begins a call and its wait.
    pub async fn begin<F>(&self, context: &RequestContext, call: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let call = tokio::spawn(context.scope(call));
        self.time.settle().await;
        call
    }

    /// What came of a call that needs no more time.
    ///
    /// # Panics
    ///
    /// When it still waits, or panicked.
    pub async fn outcome<T>(&self, call: JoinHandle<T>) -> T {
        self.time.settle().await;
        assert!(call.is_finished(), "the call still waits");
        call.await.expect("the call does not panic")
    }

    /// Consents as `user`, who is the one that the application asked, and has the application say so.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn consent(&self, authorization: &PendingAuthorization, user: &str) {
        self.local.consent(authorization.url(), user).await.expect("the pages lead back to the application");
        let completed = self.client.complete_authorization(authorization.session_uri(), user_id(user)).await;
        completed.expect("the session is that of the user");
    }

    /// From the first call to the token: `call`, which has its user asked, with their consent.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub async fn consented<T, F>(&self, user: &str, call: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let call = self.begin(&self.user(user), call).await;
        let authorization = self.link().await;
        self.consent(&authorization, user).await;
        self.time.pass(INTERVAL).await;
        self.outcome(call).await
    }

    /// How often the service was asked for an access token.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.local.call_count(Operation::GetResourceOauth2Token)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("local", &self.local).finish_non_exhaustive()
    }
}
