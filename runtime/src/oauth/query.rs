//! A request with everything that answers it, so that it can be asked from any task.

use std::sync::Arc;

use super::{Parameters, PendingAuthorization};
use crate::cache::{Fetched, KeyRef, Kind, Origin};
use crate::caller::{Caller, TokenOrigin};
use crate::client::{Fetch, FetchFuture};
use crate::digest::Digest;
use crate::error::Cause;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::service::{Answer, Question};
use crate::{AuthFlow, Error, IdentityClient, RequestContext, UserIdentifier};

const OPERATION: Operation = Operation::GetResourceOauth2Token;

pub(super) struct Query {
    pub(super) client: IdentityClient,
    pub(super) context: Option<RequestContext>,
    pub(super) parameters: Parameters,
    pub(super) flow: AuthFlow,
    digest: Digest,
}

impl Query {
    /// The callback URL is the request's own, else the context's.
    pub(super) fn new(
        client: IdentityClient,
        context: Option<RequestContext>,
        mut parameters: Parameters,
    ) -> Result<Self, Error> {
        let flow = parameters.flow()?;
        if parameters.callback_url.is_none() {
            parameters.callback_url = context.as_ref().and_then(RequestContext::callback_url).map(str::to_owned);
        }
        Ok(Self { client, context, flow, digest: parameters.token_digest(), parameters })
    }

    pub(super) fn caller(&self) -> Result<Caller<'_>, Error> {
        Caller::resolve(self.context.as_ref(), || self.client.ambient())
    }

    /// Whom the workload access token is made for, as far as that was said.
    pub(super) fn user(&self) -> Result<Option<UserIdentifier>, Error> {
        Ok(match self.caller()?.origin {
            TokenOrigin::Given(_) => self.context.as_ref().and_then(RequestContext::user).cloned(),
            TokenOrigin::Fetched { user, .. } => user.cloned(),
        })
    }

    fn key<'a>(&'a self, caller: &'a Caller<'_>) -> KeyRef<'a> {
        KeyRef {
            caller: &caller.id,
            kind: Kind::AccessToken,
            provider: &self.parameters.provider,
            parameters: Some(self.digest),
        }
    }

    /// The token that the cache has. A forced request takes none.
    pub(super) fn kept(self: &Arc<Self>) -> Result<Option<Secret>, Error> {
        if self.parameters.force_authentication {
            return Ok(None);
        }
        let caller = self.caller()?;
        Ok(self.client.kept(OPERATION, self.key(&caller), self.question(None)))
    }

    pub(super) fn forget(&self, rejected: &Secret) -> Result<(), Error> {
        self.client.cache().forget(self.key(&self.caller()?), rejected);
        Ok(())
    }

    /// Keeps a token that did not come through the cache, in place of what is there.
    pub(super) fn keep(&self, secret: Secret) -> Result<Secret, Error> {
        self.client.cache().put(self.key(&self.caller()?), Fetched::token(secret.clone()));
        Ok(secret)
    }

    /// Refuses what the service would refuse.
    pub(super) fn validate(&self) -> Result<(), Error> {
        self.parameters.validate()?;
        let caller = self.caller()?;
        caller.origin.validate()?;
        let TokenOrigin::Fetched { user, .. } = caller.origin else { return Ok(()) };
        if self.flow == AuthFlow::UserFederation && user.is_none() {
            return Err(Error::invalid_request(
                "USER_FEDERATION is for a user, and this call is made for none: build the RequestContext with one \
                 (.user(UserIdentifier::…))",
            ));
        }
        if self.flow == AuthFlow::OnBehalfOfTokenExchange {
            let found = match user {
                Some(UserIdentifier::UserToken(_)) => return Ok(()),
                Some(UserIdentifier::UserId(_)) => "a user id",
                None => "no user",
            };
            return Err(Error::invalid_request(format!(
                "ON_BEHALF_OF_TOKEN_EXCHANGE exchanges the JWT that the workload access token was made from, and \
                 the token of this call is made from {found}: build the RequestContext with the user's JWT \
                 (.user(UserIdentifier::UserToken(…)))"
            )));
        }
        Ok(())
    }

    /// A token in one call, shared by all who want it now.
    pub(super) async fn fetch(self: &Arc<Self>) -> Result<Secret, Error> {
        let caller = self.caller()?;
        self.client.through_cache(OPERATION, self.key(&caller), self.question(None)).await.0
    }

    /// The same, when `rejected` will not do.
    pub(super) async fn replace(self: &Arc<Self>, rejected: &Secret) -> Result<Secret, Error> {
        let caller = self.caller()?;
        self.client.replacement(OPERATION, self.key(&caller), self.question(None), rejected).await
    }

    /// A token, which is kept, or [`Error::AuthorizationRequired`] with an authorization of this request's own.
    pub(super) async fn begin(self: &Arc<Self>, custom_state: Option<&str>) -> Result<Secret, Error> {
        let question = self.question(custom_state);
        if !self.parameters.force_authentication {
            let caller = self.caller()?;
            match self.client.through_cache(OPERATION, self.key(&caller), &question).await {
                // Of a request for the same token with another callback, or of a renewal.
                (Err(Error::AuthorizationRequired(_)), Origin::Shared) => {}
                (answer, _) => return answer,
            }
        }
        let fetched = self.client.past_cache(OPERATION, &self.parameters.provider, question()).await?;
        self.keep(fetched.secret)
    }

    /// How the service is asked, from any task.
    fn question(self: &Arc<Self>, custom_state: Option<&str>) -> impl Fetch {
        move || {
            let (query, custom_state) = (Arc::clone(self), custom_state.map(str::to_owned));
            Box::pin(async move { query.ask_for_token(custom_state.as_deref()).await }) as FetchFuture
        }
    }

    async fn ask_for_token(&self, custom_state: Option<&str>) -> Result<Fetched, Error> {
        match self.ask(custom_state, None).await? {
            Answer::Token(fetched) => Ok(fetched),
            Answer::Pending { url, session_uri } => {
                let pending = PendingAuthorization::new(&self.parameters.provider, url, session_uri);
                Err(Error::AuthorizationRequired(pending))
            }
            Answer::InProgress | Answer::Failed => Err(self.failed()),
        }
    }

    /// The token of an authorization that has begun, if the user has consented.
    pub(super) async fn ask_again(
        &self,
        custom_state: Option<&str>,
        pending: &PendingAuthorization,
    ) -> Result<Option<Secret>, Error> {
        match self.ask(custom_state, Some(pending.session_uri())).await? {
            Answer::Token(fetched) => Ok(Some(fetched.secret)),
            Answer::Pending { .. } | Answer::InProgress => Ok(None),
            Answer::Failed => Err(self.failed()),
        }
    }

    async fn ask(&self, custom_state: Option<&str>, session_uri: Option<&str>) -> Result<Answer, Error> {
        let (client, parameters) = (&self.client, &self.parameters);
        let question = Question {
            parameters,
            flow: self.flow,
            custom_state,
            session_uri,
            // With a session it would start over.
            force_authentication: parameters.force_authentication && session_uri.is_none(),
        };
        let ask = |token, fetched| async move { client.service().access_token(&token, question, fetched).await };
        client.with_workload_token(self.context.as_ref(), ask).await
    }

    fn failed(&self) -> Error {
        Error::authorization_failed(
            format!(
                "the authorization for the credential provider `{}` failed: the user declined or let the link \
                 expire, or the provider refused. Call again for a new link",
                self.parameters.provider
            ),
            Cause::default(),
        )
    }
}
