//! OAuth2 as a client: the flows that lead to an access token, and the pages on which people find themselves in between.

mod assertion;
mod authorizations;
pub(crate) mod browser;
mod client;
mod encoding;
mod failure;
mod flow;
mod id_token;
mod on_behalf_of;
mod outgoing;
mod pages;
mod request;
mod server;
mod token_response;
mod turns;

pub(crate) use authorizations::{Authorizations, OpenAuthorization, Owner, Progress, SESSION_URI_PREFIX};
pub(crate) use client::ProviderClient;
pub(crate) use failure::Failure;
pub(crate) use flow::Flow;
pub(crate) use request::TokenRequest;
pub(crate) use turns::Turns;

use std::sync::Arc;

use assertion::AssertionSigner;
use client::Authentication;
use outgoing::Outgoing;
use server::AuthorizationServers;

use crate::clock::UnixMillis;
use crate::store::{ClientAuthentication, Oauth2Provider, Store};

/// What is needed to speak to the providers.
pub(crate) struct Providers {
    outgoing: Arc<Outgoing>,
    servers: AuthorizationServers,
    /// The URL of this service.
    own: String,
}

impl Providers {
    pub(crate) fn new(own: &str) -> Self {
        Self { outgoing: Arc::new(Outgoing::new(own)), servers: AuthorizationServers::default(), own: own.to_owned() }
    }

    /// A client for `provider`, with the secret or the key that the store has for it.
    pub(crate) async fn client(
        &self,
        provider: Oauth2Provider,
        store: &Store,
        now: UnixMillis,
    ) -> Result<ProviderClient, Failure> {
        let secret = store.view()?.client_secret(&provider.name)?;
        let key = match &provider.client_authentication {
            ClientAuthentication::PrivateKeyJwt(config) => store.view()?.signing_key(&config.kms_key_arn)?,
            _ => None,
        };
        let server = self.servers.of(&provider, &self.outgoing, &self.own, now).await?;
        let authentication = match (&provider.client_authentication, secret) {
            (ClientAuthentication::Basic, Some(secret)) => Authentication::Basic(secret),
            (ClientAuthentication::Post, Some(secret)) => Authentication::Post(secret),
            (ClientAuthentication::Basic | ClientAuthentication::Post, None) => Authentication::Public,
            (ClientAuthentication::PrivateKeyJwt(config), _) => {
                let id = provider.client_id.as_deref().unwrap_or_default();
                let key = key.unwrap_or_default();
                Authentication::Assertion(AssertionSigner::new(config, &key, id, &server.token_endpoint, now)?)
            }
            (ClientAuthentication::AwsIamIdToken, _) => {
                return Err(Failure::Unusable(
                    "client authentication by AWS_IAM_ID_TOKEN_JWT is not served here".to_owned(),
                ));
            }
        };
        Ok(ProviderClient {
            outgoing: Arc::clone(&self.outgoing),
            server,
            profile: provider.vendor.profile(),
            callback_url: provider.callback_url(&self.own),
            provider,
            authentication,
            now,
        })
    }
}
