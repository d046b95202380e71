//! Requests to the service over the AWS SDK, and what its refusals mean to the caller.

mod access_token;
mod attempts;
mod clients;
mod failure;
#[cfg(feature = "iam-access-token")]
mod web_identity;

use std::time::Duration;

use aws_config::SdkConfig;

pub(crate) use self::access_token::{Answer, Question};
pub(crate) use self::attempts::counted;
use self::clients::Clients;
pub(crate) use self::clients::current_runtime;
use self::failure::{Subject, failure, given};
use crate::cache::Fetched;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::{Error, UserIdentifier, jwt};

/// The futures of the AWS SDK are many kilobytes: fetches are boxed as a whole, as
/// [`FetchFuture`](crate::client::FetchFuture).
pub(crate) struct Service {
    clients: Clients,
}

impl Service {
    /// Without a configuration, that of the environment is loaded when it is first needed.
    pub(crate) fn new(config: Option<SdkConfig>) -> Self {
        Self { clients: Clients::new(config) }
    }

    /// Readies the AWS client, so that what is wrong with its configuration shows now.
    pub(crate) async fn connect(&self) -> Result<(), Error> {
        self.clients.get().await.map(drop)
    }

    pub(crate) async fn api_key(
        &self,
        workload_token: &Secret,
        provider: &str,
        fetched_token: bool,
    ) -> Result<Fetched, Error> {
        let request = self
            .clients
            .get()
            .await?
            .get_resource_api_key()
            .workload_identity_token(workload_token.expose())
            .resource_credential_provider_name(provider);
        let subject = Subject::Provider { name: provider, fetched_token, flow: None };
        let operation = Operation::GetResourceApiKey;
        let output = request.send().await.map_err(|error| failure(operation, subject, error))?;
        Ok(Fetched { secret: given(operation, subject, output.api_key)?, ends_in: None })
    }

    pub(crate) async fn workload_token(&self, name: &str, user: Option<&UserIdentifier>) -> Result<Fetched, Error> {
        let client = self.clients.get().await?;
        let operation = workload_token_operation(user);
        let subject = Subject::Workload { name };
        let token = match user {
            None => {
                let request = client.get_workload_access_token().workload_name(name);
                match request.send().await {
                    Ok(output) => output.workload_access_token,
                    Err(error) => return Err(failure(operation, subject, error)),
                }
            }
            Some(UserIdentifier::UserToken(token)) => {
                let request = client.get_workload_access_token_for_jwt().workload_name(name);
                match request.user_token(token.expose()).send().await {
                    Ok(output) => output.workload_access_token,
                    Err(error) => return Err(failure(operation, subject, error)),
                }
            }
            Some(UserIdentifier::UserId(id)) => {
                let request = client.get_workload_access_token_for_user_id().workload_name(name);
                match request.user_id(id).send().await {
                    Ok(output) => output.workload_access_token,
                    Err(error) => return Err(failure(operation, subject, error)),
                }
            }
        };
        Ok(Fetched { secret: given(operation, subject, token)?, ends_in: user.and_then(remaining_life) })
    }
}

pub(crate) fn workload_token_operation(user: Option<&UserIdentifier>) -> Operation {
    match user {
        None => Operation::GetWorkloadAccessToken,
        Some(UserIdentifier::UserToken(_)) => Operation::GetWorkloadAccessTokenForJwt,
        Some(UserIdentifier::UserId(_)) => Operation::GetWorkloadAccessTokenForUserId,
    }
}

/// A workload token made from a JWT ends no later than the JWT.
fn remaining_life(user: &UserIdentifier) -> Option<Duration> {
    let UserIdentifier::UserToken(token) = user else { return None };
    jwt::remaining_life(token.expose())
}

#[cfg(test)]
mod tests;
