//! The operations themselves, apart from how they arrive.

pub(crate) mod api_key_providers;
mod credential_providers;
mod input;
pub(crate) mod oauth2_providers;
mod oauth2_tokens;
mod paging;
mod tags;
mod token_vault;
pub(crate) mod workload_identities;
mod workload_tokens;

use std::sync::Arc;

use serde_json::Value;

use crate::background::Background;
use crate::calls::{CallLog, Subject};
use crate::clock::Clock;
use crate::credentials::SigningCredentials;
use crate::error::ServiceError;
use crate::faults::Faults;
use crate::idp::IdentityProvider;
use crate::jwt::{self, TrustedIssuers};
use crate::limits::{self, Text};
use crate::oauth2::{Authorizations, FailedRenewals, Providers, Turns};
use crate::operation::Operation;
use crate::place::Place;
use crate::quotas::RateQuotas;
use crate::store::Store;
use crate::sts::Sts;
use crate::workload_token::WorkloadTokens;

pub(crate) use input::Input;
pub(crate) use paging::Pages;

/// One AgentCore Identity: its resources, its clock and what was told it for tests.
pub(crate) struct Service {
    /// Where this machine reaches the service, as in `http://127.0.0.1:4566`.
    pub(crate) url: String,
    pub(crate) place: Place,
    pub(crate) store: Store,
    pub(crate) tokens: WorkloadTokens,
    pub(crate) pages: Pages,
    pub(crate) issuers: TrustedIssuers,
    /// The service's own identity provider.
    pub(crate) idp: IdentityProvider,
    pub(crate) sts: Sts,
    pub(crate) clock: Clock,
    pub(crate) calls: CallLog,
    pub(crate) faults: Faults,
    pub(crate) quotas: Option<RateQuotas>,
    pub(crate) providers: Providers,
    pub(crate) authorizations: Authorizations,
    pub(crate) turns: Turns,
    pub(crate) failed_renewals: FailedRenewals,
    pub(crate) background: Background,
}

/// What an operation answers: a JSON object, or nothing where the status is 204.
pub(crate) type Output = Result<Value, ServiceError>;

impl Service {
    pub(crate) fn credentials(&self) -> &SigningCredentials {
        self.store.credentials()
    }

    /// The environment variables that lead an AWS SDK here, but for the credentials.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let region = self.place.region();
        vec![
            ("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", self.url.clone()),
            ("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL", self.url.clone()),
            ("AWS_ENDPOINT_URL_STS", self.url.clone()),
            ("BEDROCK_AGENTCORE_DP_ENDPOINT", self.url.clone()),
            ("BEDROCK_AGENTCORE_CP_ENDPOINT", self.url.clone()),
            ("AWS_REGION", region.to_owned()),
            ("AWS_DEFAULT_REGION", region.to_owned()),
        ]
    }

    /// Carries out an operation.
    pub(crate) async fn call(self: &Arc<Self>, operation: Operation, input: Input) -> Output {
        match operation {
            Operation::GetWorkloadAccessToken => self.get_workload_access_token(input),
            Operation::GetWorkloadAccessTokenForJWT => self.get_workload_access_token_for_jwt(input),
            Operation::GetWorkloadAccessTokenForUserId => self.get_workload_access_token_for_user_id(input),
            Operation::GetResourceApiKey => self.get_resource_api_key(input),
            Operation::GetResourceOauth2Token => self.get_resource_oauth2_token(input).await,
            Operation::CompleteResourceTokenAuth => self.complete_resource_token_auth(input).await,
            Operation::GetWebIdentityToken => self.get_web_identity_token(input).await,
            Operation::CreateApiKeyCredentialProvider => self.create_api_key_provider(input).await,
            Operation::GetApiKeyCredentialProvider => self.get_api_key_provider(input),
            Operation::UpdateApiKeyCredentialProvider => self.update_api_key_provider(input).await,
            Operation::DeleteApiKeyCredentialProvider => self.delete_api_key_provider(input).await,
            Operation::ListApiKeyCredentialProviders => self.list_api_key_providers(input),
            Operation::CreateOauth2CredentialProvider => self.create_oauth2_provider(input).await,
            Operation::GetOauth2CredentialProvider => self.get_oauth2_provider(input),
            Operation::UpdateOauth2CredentialProvider => self.update_oauth2_provider(input).await,
            Operation::DeleteOauth2CredentialProvider => self.delete_oauth2_provider(input).await,
            Operation::ListOauth2CredentialProviders => self.list_oauth2_providers(input),
            Operation::CreateWorkloadIdentity => self.create_workload_identity(input).await,
            Operation::GetWorkloadIdentity => self.get_workload_identity(input),
            Operation::UpdateWorkloadIdentity => self.update_workload_identity(input).await,
            Operation::DeleteWorkloadIdentity => self.delete_workload_identity(input).await,
            Operation::ListWorkloadIdentities => self.list_workload_identities(input),
            Operation::GetTokenVault => self.get_token_vault(input),
            Operation::TagResource => self.tag_resource(input).await,
            Operation::UntagResource => self.untag_resource(input).await,
            Operation::ListTagsForResource => self.list_tags(input),
        }
    }

    /// Whom a call concerns, for the log. Only values that the service would accept get there.
    pub(crate) fn subject(&self, operation: Operation, input: &Input) -> Subject {
        let valid = |member: &str, rule: &Text| input.peek(member).filter(|text| rule.admits(text)).map(str::to_owned);
        match operation {
            Operation::GetWorkloadAccessToken
            | Operation::GetWorkloadAccessTokenForUserId
            | Operation::GetWorkloadAccessTokenForJWT => Subject {
                workload: valid("workloadName", &limits::WORKLOAD_NAME),
                user: match operation {
                    Operation::GetWorkloadAccessTokenForUserId => valid("userId", &limits::USER_ID),
                    Operation::GetWorkloadAccessTokenForJWT => input
                        .peek("userToken")
                        .and_then(jwt::unverified_subject)
                        .filter(|sub| limits::USER_ID.admits(sub)),
                    _ => None,
                },
                provider: None,
            },
            Operation::GetResourceApiKey | Operation::GetResourceOauth2Token => {
                let claims = input.peek("workloadIdentityToken").and_then(|token| self.tokens.read(token));
                Subject {
                    user: claims
                        .as_ref()
                        .and_then(|claims| Some(claims.user.as_ref()?.name()))
                        .filter(|name| limits::USER_ID.admits(name))
                        .map(str::to_owned),
                    workload: claims.map(|claims| claims.workload),
                    provider: valid("resourceCredentialProviderName", &limits::PROVIDER_NAME),
                }
            }
            Operation::CompleteResourceTokenAuth => {
                let about = input.peek("sessionUri").and_then(|uri| self.authorizations.subject(uri));
                let (workload, provider) = about.unzip();
                let claimed = |member: &str| input.peek_in("userIdentifier", member);
                let user = claimed("userId").map(str::to_owned);
                let user = user.or_else(|| claimed("userToken").and_then(jwt::unverified_subject));
                Subject { workload, user: user.filter(|user| limits::USER_ID.admits(user)), provider }
            }
            Operation::CreateApiKeyCredentialProvider
            | Operation::GetApiKeyCredentialProvider
            | Operation::UpdateApiKeyCredentialProvider
            | Operation::DeleteApiKeyCredentialProvider
            | Operation::CreateOauth2CredentialProvider
            | Operation::GetOauth2CredentialProvider
            | Operation::UpdateOauth2CredentialProvider
            | Operation::DeleteOauth2CredentialProvider => {
                Subject { provider: valid("name", &limits::PROVIDER_NAME), ..Subject::default() }
            }
            Operation::CreateWorkloadIdentity
            | Operation::GetWorkloadIdentity
            | Operation::UpdateWorkloadIdentity
            | Operation::DeleteWorkloadIdentity => {
                Subject { workload: valid("name", &limits::WORKLOAD_NAME), ..Subject::default() }
            }
            _ => Subject::default(),
        }
    }
}

#[cfg(test)]
mod tests;
