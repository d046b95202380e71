//! Requests to the service over the AWS SDK, and what its refusals mean to the caller.

mod clients;
mod failure;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_bedrockagentcore::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_bedrockagentcore::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_bedrockagentcore::error::BoxError;

use self::clients::Clients;
use self::failure::{Subject, failure};
use crate::cache::Fetched;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::{Error, UserIdentifier, jwt};

pub(crate) struct Service {
    clients: Clients,
}

/// How many times a request was sent, the AWS SDK's retries included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<AtomicU32>);

impl Attempts {
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
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
        attempts: &Attempts,
    ) -> Result<Fetched, Error> {
        let subject = Subject::Provider { name: provider, fetched_token };
        let output = self
            .clients
            .get()
            .await?
            .get_resource_api_key()
            .workload_identity_token(workload_token.expose())
            .resource_credential_provider_name(provider)
            .customize()
            .interceptor(attempts.clone())
            .send()
            .await
            .map_err(|error| failure(Operation::GetResourceApiKey, subject, error))?;
        Ok(Fetched { secret: Secret::new(output.api_key), ends_in: None })
    }

    pub(crate) async fn workload_token(
        &self,
        name: &str,
        user: Option<&UserIdentifier>,
        attempts: &Attempts,
    ) -> Result<Fetched, Error> {
        let client = self.clients.get().await?;
        let operation = workload_token_operation(user);
        let subject = Subject::Workload { name };
        let token = match user {
            None => client
                .get_workload_access_token()
                .workload_name(name)
                .customize()
                .interceptor(attempts.clone())
                .send()
                .await
                .map(|output| output.workload_access_token)
                .map_err(|error| failure(operation, subject, error)),
            Some(UserIdentifier::UserToken(token)) => client
                .get_workload_access_token_for_jwt()
                .workload_name(name)
                .user_token(token.expose())
                .customize()
                .interceptor(attempts.clone())
                .send()
                .await
                .map(|output| output.workload_access_token)
                .map_err(|error| failure(operation, subject, error)),
            Some(UserIdentifier::UserId(id)) => client
                .get_workload_access_token_for_user_id()
                .workload_name(name)
                .user_id(id)
                .customize()
                .interceptor(attempts.clone())
                .send()
                .await
                .map(|output| output.workload_access_token)
                .map_err(|error| failure(operation, subject, error)),
        }?;
        Ok(Fetched { secret: Secret::new(token), ends_in: user.and_then(remaining_life) })
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
    let end = jwt::expiry(token.expose())?;
    Some(end.duration_since(SystemTime::now()).unwrap_or_default())
}
