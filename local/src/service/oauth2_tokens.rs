//! Access tokens of OAuth2 providers: from the vault, by a grant, or by asking the user.

use std::sync::Arc;

use serde_json::json;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::{Input, Output, Service, credential_providers};
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::oauth2::{Flow, Owner, Progress, ProviderClient, TokenRequest, Turn};
use crate::store::{Change, Freshness, Oauth2Provider, Registration, StoredToken, TokenKey, WorkloadIdentity};
use crate::workload_token::{Claims, User, UserIdentifier, UserJwt};

const FLOW: &str = "oauth2Flow";
const RETURN_URL: &str = "resourceOauth2ReturnUrl";

/// A request of a workload that was let in.
struct Asked {
    claims: Claims,
    request: TokenRequest,
    provider: Oauth2Provider,
    force: bool,
}

/// Whether a kept token is to be renewed before it is handed out.
enum Renewal {
    /// It need not be, another call does it, or it failed a moment ago.
    NotNow,
    /// It is valid still, and it is this call's turn to renew it.
    Possible(Turn),
    Needed,
}

impl Service {
    pub(super) async fn get_resource_oauth2_token(self: &Arc<Self>, mut input: Input) -> Output {
        let token = input.secret("workloadIdentityToken", &limits::WORKLOAD_TOKEN)?;
        let request = TokenRequest::read(&mut input)?;
        let session = input.optional_text("sessionUri", &limits::SESSION_URI)?;
        let force = input.optional_boolean("forceAuthentication")?.unwrap_or_default();
        let claims = self.tokens.check(&token, self.clock.now())?;
        self.check_identity(&claims)?;
        let provider = self.oauth2_provider(&request.provider)?;
        let asked = Asked { claims, request, provider, force };
        match asked.request.flow {
            Flow::M2m => self.machine_token(asked).await.map(|token| answer(&token)),
            Flow::OnBehalfOf => self.token_on_behalf_of(asked).await.map(|token| answer(&token)),
            Flow::UserFederation => self.user_token(asked, session).await,
        }
    }

    pub(super) async fn complete_resource_token_auth(self: &Arc<Self>, mut input: Input) -> Output {
        let uri = input.text("sessionUri", &limits::SESSION_URI)?;
        let user = user_identifier(input.structure("userIdentifier")?)?;
        let confirmed = self.authorizations.confirm(&uri, &user, self.clock.now())?;
        let service = Arc::clone(self);
        let keep = async move {
            let key = confirmed.owner.key(&confirmed.request);
            let _turn = service.turns.wait(&key).await;
            match service.keep(&key, &confirmed.registration, confirmed.token).await {
                Ok(true) => service.authorizations.confirmed(&uri),
                Ok(false) => {
                    service.authorizations.fail(&uri, "What it was for has been deleted or changed meanwhile.");
                    let gone =
                        "Invalid or expired session: its provider or its workload identity was deleted or changed";
                    return Err(ServiceError::new(Code::AccessDenied, gone));
                }
                Err(error) => {
                    service.authorizations.fail(&uri, "The token could not be kept.");
                    return Err(error);
                }
            }
            Ok(json!({}))
        };
        self.background.run(keep).await
    }

    fn oauth2_provider(&self, name: &str) -> Result<Oauth2Provider, ServiceError> {
        self.store.view()?.get(name)?.ok_or_else(|| credential_providers::not_found(name))
    }

    /// Where a person goes to consent.
    pub(crate) fn authorization_url(&self, session_uri: &str) -> String {
        let query = Serializer::new(String::new()).append_pair("request_uri", session_uri).finish();
        format!("{}/oauth2/authorize?{query}", self.url)
    }

    async fn machine_token(self: &Arc<Self>, asked: Asked) -> Result<Zeroizing<String>, ServiceError> {
        let key = asked.request.key(&asked.claims.workload, &asked.claims.identity, None);
        let kept = self.store.view()?.access_token(&key)?.filter(|_| !asked.force);
        let renewal = kept.as_ref().map_or(Renewal::Needed, |token| self.renewal(&key, token));
        let turn = match (renewal, kept) {
            (Renewal::NotNow, Some(token)) => return Ok(token.access_token),
            (Renewal::Possible(turn), _) => Some(turn),
            _ => None,
        };
        let service = Arc::clone(self);
        let fetch = async move {
            let _turn = match turn {
                Some(turn) => turn,
                None => service.turns.wait(&key).await,
            };
            if asked.force {
                service.discard(&key).await?;
            } else if let Some(token) = service.fresh(&key)? {
                return Ok(token.access_token);
            }
            let Asked { request, provider, .. } = asked;
            let registration = provider.registration();
            let fetched = match ProviderClient::new(&service, provider).await {
                Ok(client) => client.machine_token(&request).await,
                Err(failure) => Err(failure),
            };
            match fetched {
                // Without an end it could not be known when to fetch another.
                Ok(token) if token.expires.is_none() => Ok(token.access_token),
                Ok(token) => {
                    let access_token = token.access_token.clone();
                    service.keep(&key, &registration, token).await?;
                    Ok(access_token)
                }
                Err(failure) => match service.store.view()?.access_token(&key)? {
                    Some(token)
                        if failure.is_transient() && token.freshness(service.clock.now()) != Freshness::Ended =>
                    {
                        service.failed_renewals.note(&key, service.clock.now());
                        Ok(token.access_token)
                    }
                    _ => Err(failure.into_error(&request.provider)),
                },
            }
        };
        self.background.run(fetch).await
    }

    async fn token_on_behalf_of(self: &Arc<Self>, asked: Asked) -> Result<Zeroizing<String>, ServiceError> {
        let Asked { claims, request, provider, .. } = asked;
        let jwt = claims.user_jwt.ok_or_else(|| {
            let made = match claims.user {
                None => "without a user",
                Some(User::Id(_)) => "for a user id",
                Some(User::Jwt { .. }) => "from a JWT too long to be kept in it",
            };
            ServiceError::invalid_member(
                FLOW,
                format!(
                    "{} needs a workload access token made from a user's JWT, by GetWorkloadAccessTokenForJWT; this one was \
                     made {made}",
                    Flow::OnBehalfOf.as_str()
                ),
            )
        })?;
        let config = provider.on_behalf_of.clone().ok_or_else(|| {
            ServiceError::invalid_member(
                FLOW,
                format!(
                    "the credential provider {:?} has no onBehalfOfTokenExchangeConfig, without which it does not do {}",
                    request.provider,
                    Flow::OnBehalfOf.as_str()
                ),
            )
        })?;
        let token = match ProviderClient::new(self, provider).await {
            Ok(client) => client.on_behalf_of(&config, &jwt, &request).await,
            Err(failure) => Err(failure),
        };
        token.map(|token| token.access_token).map_err(|failure| failure.into_error(&request.provider))
    }

    async fn user_token(self: &Arc<Self>, asked: Asked, session: Option<String>) -> Output {
        let Asked { claims, request, provider, force } = asked;
        let user = claims.user.ok_or_else(|| {
            ServiceError::invalid_member(
                FLOW,
                format!(
                    "{} needs a workload access token made for a user, by GetWorkloadAccessTokenForJWT or …ForUserId; this \
                     one was made without",
                    Flow::UserFederation.as_str()
                ),
            )
        })?;
        request.check_size()?;
        check_return_url(&self.workload_identity(&claims.workload)?, request.return_url.as_deref())?;
        let owner = Owner { workload: claims.workload, identity: claims.identity, user };
        let key = owner.key(&request);
        let now = self.clock.now();
        if let Some(uri) = session {
            let progress = self.authorizations.poll(&uri, &owner, &request, now)?;
            if !force {
                let token = match progress {
                    Progress::Failed => None,
                    Progress::Waiting | Progress::Completed => self.kept(&key, &provider, &request).await?,
                };
                let status = if progress == Progress::Waiting { "IN_PROGRESS" } else { "FAILED" };
                return Ok(token.map_or_else(|| self.pending(&uri, status), |token| answer(&token)));
            }
            self.authorizations.fail(&uri, "The application began it anew.");
        }
        if force {
            let (service, key) = (Arc::clone(self), key.clone());
            let discard = async move {
                // A renewal under way would put the old grant back.
                let _turn = service.turns.wait(&key).await;
                service.discard(&key).await
            };
            self.background.run(discard).await?;
        } else if let Some(token) = self.kept(&key, &provider, &request).await? {
            return Ok(answer(&token));
        }
        let uri = self.authorizations.begin(owner, request, provider.registration(), now)?;
        Ok(self.pending(&uri, "IN_PROGRESS"))
    }

    fn pending(&self, uri: &str, status: &str) -> serde_json::Value {
        let mut pending = json!({ "sessionUri": uri, "sessionStatus": status });
        if status == "IN_PROGRESS" {
            pending["authorizationUrl"] = self.authorization_url(uri).into();
        }
        pending
    }

    /// The token in the vault, renewed if it is near its end.
    async fn kept(
        self: &Arc<Self>,
        key: &TokenKey,
        provider: &Oauth2Provider,
        request: &TokenRequest,
    ) -> Result<Option<Zeroizing<String>>, ServiceError> {
        let Some(token) = self.store.view()?.access_token(key)? else { return Ok(None) };
        let turn = match self.renewal(key, &token) {
            Renewal::NotNow => return Ok(Some(token.access_token)),
            Renewal::Possible(turn) => Some(turn),
            Renewal::Needed => None,
        };
        let service = Arc::clone(self);
        let (key, provider, request) = (key.clone(), provider.clone(), request.clone());
        let renew = async move {
            let _turn = match turn {
                Some(turn) => turn,
                None => service.turns.wait(&key).await,
            };
            service.renewed(&key, provider, &request).await
        };
        self.background.run(renew).await
    }

    /// A token that is valid still need not wait for a server that is slow or down.
    fn renewal(&self, key: &TokenKey, token: &StoredToken) -> Renewal {
        let now = self.clock.now();
        match token.freshness(now) {
            Freshness::Fresh => Renewal::NotNow,
            Freshness::Ended => Renewal::Needed,
            Freshness::Ending if self.failed_renewals.are_recent(key, now) => Renewal::NotNow,
            Freshness::Ending => self.turns.take(key).map_or(Renewal::NotNow, Renewal::Possible),
        }
    }

    /// For whose turn it is.
    async fn renewed(
        self: &Arc<Self>,
        key: &TokenKey,
        provider: Oauth2Provider,
        request: &TokenRequest,
    ) -> Result<Option<Zeroizing<String>>, ServiceError> {
        // It may have been renewed, or discarded, while others had their turn.
        let Some(token) = self.store.view()?.access_token(key)? else { return Ok(None) };
        let freshness = token.freshness(self.clock.now());
        if freshness == Freshness::Fresh {
            return Ok(Some(token.access_token));
        }
        let Some(refresh_token) = &token.refresh_token else {
            if freshness == Freshness::Ending {
                return Ok(Some(token.access_token));
            }
            self.discard(key).await?;
            return Ok(None);
        };
        let registration = provider.registration();
        let renewed = match ProviderClient::new(self, provider).await {
            Ok(client) => client.refresh(refresh_token, request).await,
            Err(failure) => Err(failure),
        };
        match renewed {
            Ok(renewed) => {
                let access_token = renewed.access_token.clone();
                self.keep(key, &registration, renewed).await?;
                Ok(Some(access_token))
            }
            Err(failure) if failure.ends_the_grant() => {
                tracing::info!(provider = request.provider, %failure, "a refresh token was refused; the user is asked again");
                self.discard(key).await?;
                Ok(None)
            }
            Err(failure) if freshness == Freshness::Ending => {
                tracing::warn!(provider = request.provider, %failure, "a token was not renewed; it is valid still");
                self.failed_renewals.note(key, self.clock.now());
                Ok(Some(token.access_token))
            }
            Err(failure) => Err(failure.into_error(&request.provider)),
        }
    }

    fn fresh(&self, key: &TokenKey) -> Result<Option<StoredToken>, ServiceError> {
        let now = self.clock.now();
        Ok(self.store.view()?.access_token(key)?.filter(|token| token.freshness(now) == Freshness::Fresh))
    }

    /// Puts a token into the vault. `false` if what it is for is not there any more, or is another client.
    async fn keep(
        &self,
        key: &TokenKey,
        registration: &Registration,
        token: StoredToken,
    ) -> Result<bool, ServiceError> {
        let (key, registration) = (key.clone(), registration.clone());
        self.store
            .change(move |change| {
                let there = is_there(change, &key, &registration)?;
                if there {
                    change.put_access_token(&key, &token)?;
                }
                Ok(there)
            })
            .await
    }

    async fn discard(&self, key: &TokenKey) -> Result<(), ServiceError> {
        let key = key.clone();
        self.store.change(move |change| Ok(change.remove_access_token(&key).map(drop)?)).await
    }

    /// Has the providers' tokens in the vault revoked there. They stay in the vault, as the service cannot know of it.
    pub(crate) async fn revoke_tokens(self: &Arc<Self>, name: &str) -> Result<(), ServiceError> {
        let client = ProviderClient::new(self, self.oauth2_provider(name)?).await;
        let client = client.map_err(|failure| failure.into_error(name))?;
        for token in self.store.view()?.access_tokens(name)? {
            if !client.revoke(&token).await.map_err(|failure| failure.into_error(name))? {
                return Err(ServiceError::invalid_member(
                    "name",
                    format!("the authorization server of {name:?} names no revocation_endpoint in its metadata"),
                ));
            }
        }
        Ok(())
    }
}

fn is_there(change: &Change<'_>, key: &TokenKey, registration: &Registration) -> Result<bool, ServiceError> {
    let provider: Option<Oauth2Provider> = change.get(&key.provider)?;
    if provider.is_none_or(|provider| provider.registration() != *registration) {
        return Ok(false);
    }
    let identity: Option<WorkloadIdentity> = change.get(&key.workload)?;
    Ok(identity.is_some_and(|identity| identity.id == key.identity))
}

/// The service does not begin a consent that it could not lead back to the application.
fn check_return_url(identity: &WorkloadIdentity, return_url: Option<&str>) -> Result<(), ServiceError> {
    let Some(return_url) = return_url else {
        let problem = if identity.return_urls.is_empty() {
            "You must register and use at least one ResourceOauth2ReturnUrl on your workload identity to use this flow"
        } else {
            "You must provide a ResourceOauth2ReturnUrl to proceed with this flow"
        };
        return Err(ServiceError::invalid_member(RETURN_URL, problem));
    };
    if identity.return_urls.iter().any(|allowed| allowed == return_url) {
        return limits::USED_RETURN_URL.check(RETURN_URL, return_url);
    }
    Err(ServiceError::invalid_member(
        RETURN_URL,
        format!(
            "{} is not among the allowedResourceOauth2ReturnUrls of the workload identity {:?}; it must be one of them, \
             character for character",
            limits::quoted(return_url),
            identity.name
        ),
    ))
}

fn user_identifier(mut input: Input) -> Result<UserIdentifier, ServiceError> {
    if input.variant(&["userToken", "userId"])? == "userToken" {
        let token = input.secret("userToken", &limits::USER_TOKEN)?;
        return Ok(UserIdentifier::Jwt(UserJwt::new(&token)));
    }
    input.text("userId", &limits::USER_ID).map(UserIdentifier::Id)
}

fn answer(token: &str) -> serde_json::Value {
    json!({ "accessToken": token })
}
