//! A request with everything that answers it, so that it can be asked from any task.

use std::sync::Arc;

use super::{Parameters, PendingAuthorization};
use crate::cache::{Fetched, KeyRef, Kind, Origin};
use crate::caller::{Caller, TokenOrigin};
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
    pub(super) async fn cached(&self) -> Result<Option<Secret>, Error> {
        if self.parameters.force_authentication {
            return Ok(None);
        }
        Ok(self.client.cache().get(&self.key(&self.caller()?)).await)
    }

    pub(super) async fn forget(&self, rejected: &Secret) -> Result<(), Error> {
        self.client.cache().forget(self.key(&self.caller()?), rejected).await;
        Ok(())
    }

    /// Keeps a token that did not come through the cache, in place of what is there.
    pub(super) async fn keep(&self, fetched: Fetched) -> Result<Secret, Error> {
        let caller = self.caller()?;
        let (key, cache) = (self.key(&caller), self.client.cache());
        let secret = fetched.secret.clone();
        if let Some(former) = cache.get(&key).await {
            cache.forget(key, &former).await;
        }
        let (_, _) = cache.get_or_fetch(key, std::future::ready(Ok(fetched))).await;
        Ok(secret)
    }

    /// Refuses what the service would refuse.
    pub(super) fn validate(&self) -> Result<(), Error> {
        self.parameters.validate()?;
        let caller = self.caller()?;
        caller.origin.validate()?;
        if let (AuthFlow::OnBehalfOfTokenExchange, TokenOrigin::Fetched { user, .. }) = (self.flow, &caller.origin) {
            let found = match user {
                Some(UserIdentifier::UserToken(_)) => return Ok(()),
                Some(UserIdentifier::UserId(_)) => "a user id",
                None => "no user",
            };
            return Err(Error::invalid_request(format!(
                "ON_BEHALF_OF_TOKEN_EXCHANGE exchanges the JWT that the workload access token was made from, and this \
                 call's is made from {found}: build the RequestContext with the user's JWT \
                 (.user(UserIdentifier::UserToken(…)))"
            )));
        }
        Ok(())
    }

    /// A token in one call, shared by all who want it now.
    pub(super) async fn fetch(self: &Arc<Self>) -> Result<(Secret, Origin), Error> {
        let query = Arc::clone(self);
        let fetch = Box::pin(async move {
            let caller = query.caller()?;
            let ask = Box::pin(query.ask_for_token(&caller, None));
            let (answer, origin) = query.client.through_cache(OPERATION, query.key(&caller), ask).await;
            answer.map(|secret| (secret, origin))
        });
        self.client.in_task(fetch).await
    }

    /// A token, or [`Error::AuthorizationRequired`], in one call that nobody shares.
    pub(super) async fn begin(&self, custom_state: Option<&str>) -> Result<Fetched, Error> {
        let caller = self.caller()?;
        let ask = Box::pin(async { (self.ask_for_token(&caller, custom_state).await, Origin::Service) });
        self.client.traced(OPERATION, &self.parameters.provider, ask).await.0
    }

    async fn ask_for_token(&self, caller: &Caller<'_>, custom_state: Option<&str>) -> Result<Fetched, Error> {
        match self.ask(caller, custom_state, None).await? {
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
    ) -> Result<Option<Fetched>, Error> {
        match self.ask(&self.caller()?, custom_state, Some(pending.session_uri())).await? {
            Answer::Token(fetched) => Ok(Some(fetched)),
            Answer::Pending { .. } | Answer::InProgress => Ok(None),
            Answer::Failed => Err(self.failed()),
        }
    }

    async fn ask(
        &self,
        caller: &Caller<'_>,
        custom_state: Option<&str>,
        session_uri: Option<&str>,
    ) -> Result<Answer, Error> {
        let (client, parameters) = (&self.client, &self.parameters);
        let question = Question {
            parameters,
            flow: self.flow,
            custom_state,
            session_uri,
            // With a session it would start over.
            force_authentication: parameters.force_authentication && session_uri.is_none(),
        };
        let token = client.token_of(caller).await?;
        match client.service().access_token(&token.secret, question, token.fetched).await {
            Err(Error::WorkloadTokenRejected { fetched: true, .. }) => {
                let token = client.another_token_of(caller, &token).await?;
                client.service().access_token(&token.secret, question, token.fetched).await
            }
            answer => answer,
        }
    }

    fn failed(&self) -> Error {
        Error::authorization_failed(
            format!(
                "the authorization for the credential provider `{}` failed: the user declined, or the provider refused. \
                 Call again for a new link",
                self.parameters.provider
            ),
            Cause::default(),
        )
    }
}
