use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::authorize::authorize;
use super::handler::{AuthUrlHandler, Handler, HandlerOutcome};
use super::poll::DynTokenPoller;
use super::query::Query;
use super::{AuthFlow, Parameters, PendingAuthorization, TokenPoller};
use crate::secret::Secret;
use crate::{AccessToken, Error, IdentityClient, RequestContext};

/// A request for an OAuth2 access token, sent when it is awaited.
///
/// Made by [`IdentityClient::access_token`]. Calls of one caller that want the same share one request to the service,
/// and those that wait for the same user share one link and one poll; the wait ends with the last of them.
///
/// # Errors
///
/// - [`Error::InvalidRequest`] when an argument is missing or is not what the service takes; for
///   [`AuthFlow::UserFederation`] when the call is made for no user; and for [`AuthFlow::OnBehalfOfTokenExchange`] when
///   the caller's workload access token is not made from a user's JWT.
/// - [`Error::AuthorizationRequired`] when a user has to consent and there is no handler of links.
/// - [`Error::AuthorizationFailed`] when the user declines, or the handler fails.
/// - [`Error::AuthorizationTimedOut`] when the user does not consent in time: see [`Polling`](crate::Polling).
/// - Those of [`IdentityClient::api_key`]. While a user is waited for, [retryable](Error::is_retryable) ones end
///   nothing.
///
/// ```no_run
/// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
/// use agentcore_identity::AuthFlow;
///
/// let token = client
///     .access_token("github")
///     .scopes(["repo"])
///     .auth_flow(AuthFlow::UserFederation)
///     .callback_url("https://app.example/oauth2/callback")
///     .on_auth_url(|authorization| println!("open {}", authorization.url()))
///     .await?;
/// # let _ = token; Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a request is sent when it is awaited"]
pub struct AccessTokenRequest<'a> {
    client: Option<IdentityClient>,
    parameters: Parameters,
    handler: Option<AuthUrlHandler<'a>>,
    poller: Option<Arc<dyn DynTokenPoller>>,
}

impl<'a> AccessTokenRequest<'a> {
    pub(crate) fn new(client: Option<IdentityClient>, provider: &str) -> Self {
        let parameters = Parameters { provider: provider.to_owned(), ..Parameters::default() };
        Self { client, parameters, handler: None, poller: None }
    }

    /// What the token has to allow, 1 to 128 characters each, in place of what was said before. None by default.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.parameters.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// How the token is come by. There is no default.
    pub fn auth_flow(mut self, flow: AuthFlow) -> Self {
        self.parameters.flow = Some(flow);
        self
    }

    /// The resources the token is for (RFC 8707), 1 to 2048 characters each, in place of what was said before.
    pub fn resources<S: Into<String>>(mut self, resources: impl IntoIterator<Item = S>) -> Self {
        self.parameters.resources = resources.into_iter().map(Into::into).collect();
        self
    }

    /// The audiences the token is for, 1 to 2048 characters each, in place of what was said before.
    pub fn audiences<S: Into<String>>(mut self, audiences: impl IntoIterator<Item = S>) -> Self {
        self.parameters.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Where the service sends the browser after the user's consent, 1 to 2048 characters: one of the workload
    /// identity's `allowedResourceOauth2ReturnUrls`. It comes before that of the
    /// [`RequestContext`](crate::RequestContext).
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.parameters.callback_url = Some(url.into());
        self
    }

    /// Whether the user is asked again although there is a token: it is discarded. `false` by default.
    pub fn force_authentication(mut self, force: bool) -> Self {
        self.parameters.force_authentication = force;
        self
    }

    /// What the browser brings back to the callback URL as `state`, 1 to 4096 characters.
    pub fn custom_state(mut self, state: impl Into<String>) -> Self {
        self.parameters.custom_state = Some(state.into());
        self
    }

    /// Parameters for the provider's authorization endpoint beside the standard ones, in place of what was said before:
    /// keys of 1 to 256 of `[a-zA-Z0-9-_.]`, values of 1 to 2048 characters.
    pub fn custom_parameters<K: Into<String>, V: Into<String>>(
        mut self,
        parameters: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.parameters.custom_parameters =
            parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// What to do when the user has to consent: a function, an async one, or a closure that may return a future. It
    /// takes the [`PendingAuthorization`], gets its link to the user, and returns nothing or a `Result<(), E>`. It is
    /// awaited before the wait for the user begins; if it fails, so does the call.
    ///
    /// Of calls that wait for the same user, the handler of the one that began is run, in its own future. If that call
    /// is dropped meanwhile, or set aside and not polled for a second, it is the turn of another one's.
    ///
    /// It comes before that of the [`RequestContext`](crate::RequestContext), which comes before that of the client.
    /// Without any, the call fails with [`Error::AuthorizationRequired`].
    pub fn on_auth_url<'h, F, R, Kind>(self, handler: F) -> AccessTokenRequest<'h>
    where
        F: Fn(PendingAuthorization) -> R + Send + Sync + 'h,
        R: HandlerOutcome<Kind> + 'h,
        Kind: 'static,
    {
        let Self { client, parameters, poller, handler: _ } = self;
        AccessTokenRequest { client, parameters, poller, handler: Some(AuthUrlHandler::new(handler)) }
    }

    /// Waits for the user in another way than by asking every few seconds.
    pub fn token_poller(mut self, poller: impl TokenPoller + 'static) -> Self {
        self.poller = Some(Arc::new(poller));
        self
    }

    async fn send(self) -> Result<Secret, Error> {
        let (query, handler) = self.prepared()?;
        if let Some(secret) = query.kept()? {
            return Ok(secret);
        }
        query.validate()?;
        match query.flow {
            AuthFlow::UserFederation => authorize(&query, handler.as_ref(), self.poller).await,
            AuthFlow::M2m | AuthFlow::OnBehalfOfTokenExchange => query.fetch().await,
        }
    }

    /// The query that answers it, and the handler for a user's consent: the request's own, the context's or the
    /// client's.
    fn prepared(&self) -> Result<(Arc<Query>, Option<Handler<'a>>), Error> {
        let context = RequestContext::current();
        let client = self.client.clone().unwrap_or_else(IdentityClient::current);
        let common = || {
            let of_context = context.as_ref().and_then(RequestContext::auth_url_handler);
            of_context.or(client.auth_url_handler()).cloned().map(Handler::Common)
        };
        let handler = self.handler.clone().map(Handler::Own).or_else(common);
        let query = Query::new(client, context, self.parameters.clone())?;
        Ok((Arc::new(query), handler))
    }

    /// A different token than `rejected`, if the service has one by now or a user's consent brings one. A user is asked
    /// only where there is a handler of links.
    pub(crate) async fn renew(self, rejected: &AccessToken) -> Option<AccessToken> {
        let AccessToken(rejected) = rejected;
        let answer = self.replace(rejected).await.ok()?;
        (!answer.same_as(rejected)).then_some(AccessToken(answer))
    }

    async fn replace(mut self, rejected: &Secret) -> Result<Secret, Error> {
        self.parameters.force_authentication = false;
        let (query, handler) = self.prepared()?;
        query.validate()?;
        if query.flow != AuthFlow::UserFederation {
            return query.replace(rejected).await;
        }
        query.forget(rejected)?;
        let answer = self.clone().send().await?;
        if !answer.same_as(rejected) {
            return Ok(answer);
        }
        query.forget(rejected)?;
        // Another call that noticed may have had the user asked again meanwhile.
        if let Some(kept) = query.kept()? {
            return Ok(kept);
        }
        // The service discards its token when it is asked to force, and there is nobody to give the link to.
        if handler.is_none() {
            return Ok(answer);
        }
        self.force_authentication(true).send().await
    }
}

impl<'a> IntoFuture for AccessTokenRequest<'a> {
    type Output = Result<AccessToken, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await.map(AccessToken) })
    }
}

impl fmt::Debug for AccessTokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenRequest")
            .field("provider", &self.parameters.provider)
            .field("flow", &self.parameters.flow)
            .field("scopes", &self.parameters.scopes)
            .finish_non_exhaustive()
    }
}
