//! Access tokens, and the authorizations that some of them take.

use std::collections::HashMap;

use aws_sdk_bedrockagentcore::types::{Oauth2FlowType, SessionStatus, UserIdentifier as Identifier};
use tracing::instrument::{WithDispatch, WithSubscriber as _};
use tracing::subscriber::NoSubscriber;

use super::Service;
use super::failure::{Subject, failure, given};
use crate::cache::Fetched;
use crate::error::Cause;
use crate::oauth::Parameters;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::{AuthFlow, Error, UserIdentifier};

/// What the service is asked for an access token.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) flow: AuthFlow,
    pub(crate) custom_state: Option<&'a str>,
    /// Of the authorization that the token is to come from.
    pub(crate) session_uri: Option<&'a str>,
    pub(crate) force_authentication: bool,
}

pub(crate) enum Answer {
    Token(Fetched),
    /// An authorization has begun.
    Pending {
        url: String,
        session_uri: String,
    },
    /// The user has not consented yet.
    InProgress,
    /// The authorization is over.
    Failed,
}

impl Service {
    pub(crate) async fn access_token(
        &self,
        workload_token: &Secret,
        question: Question<'_>,
        fetched_token: bool,
    ) -> Result<Answer, Error> {
        let Question { parameters, flow, custom_state, session_uri, force_authentication } = question;
        let several = |values: &[String]| (!values.is_empty()).then(|| values.to_vec());
        let custom_parameters: HashMap<_, _> = parameters.custom_parameters.iter().cloned().collect();
        let request = self
            .clients
            .get()
            .await?
            .get_resource_oauth2_token()
            .workload_identity_token(workload_token.expose())
            .resource_credential_provider_name(&parameters.provider)
            .set_scopes(Some(parameters.scopes.clone()))
            .oauth2_flow(flow_type(flow))
            .set_session_uri(session_uri.map(str::to_owned))
            .set_resource_oauth2_return_url(parameters.callback_url.clone())
            .set_force_authentication(force_authentication.then_some(true))
            .set_custom_parameters((!custom_parameters.is_empty()).then_some(custom_parameters))
            .set_custom_state(custom_state.map(str::to_owned))
            .set_resources(several(&parameters.resources))
            .set_audiences(several(&parameters.audiences));
        let operation = Operation::GetResourceOauth2Token;
        let subject = Subject::Provider { name: &parameters.provider, fetched_token, flow: Some(flow) };
        // Boxed, or each of the two ways to await it would hold it once more.
        let answer = Box::pin(request.send());
        let answer = if flow == AuthFlow::UserFederation { unlogged(answer).await } else { answer.await };
        let output = answer.map_err(|error| failure(operation, subject, error))?;
        if let Some(token) = output.access_token {
            return Ok(Answer::Token(Fetched::token(given(operation, subject, token)?)));
        }
        if output.session_status == Some(SessionStatus::Failed) {
            return Ok(Answer::Failed);
        }
        match (output.authorization_url, output.session_uri, session_uri) {
            (_, _, Some(_)) => Ok(Answer::InProgress),
            (Some(url), Some(session_uri), None) => Ok(Answer::Pending { url, session_uri }),
            _ => Err(Error::Unavailable {
                operation: operation.name(),
                reason: "its answer has neither a token nor a link for the user".into(),
                cause: Cause::default(),
            }),
        }
    }

    pub(crate) async fn complete_authorization(&self, session_uri: &str, user: &UserIdentifier) -> Result<(), Error> {
        let identifier = match user {
            UserIdentifier::UserToken(token) => Identifier::UserToken(token.expose().to_owned()),
            UserIdentifier::UserId(id) => Identifier::UserId(id.clone()),
        };
        let request = self
            .clients
            .get()
            .await?
            .complete_resource_token_auth()
            .session_uri(session_uri)
            .user_identifier(identifier);
        let subject = Subject::Session { verified_user: matches!(user, UserIdentifier::UserToken(_)) };
        match unlogged(Box::pin(request.send())).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(Operation::CompleteResourceTokenAuth, subject, error)),
        }
    }
}

/// The AWS SDK's own log has inputs and outputs, and hides the secrets in them but for the session URI.
fn unlogged<F: Future>(call: F) -> WithDispatch<F> {
    call.with_subscriber(NoSubscriber::default())
}

fn flow_type(flow: AuthFlow) -> Oauth2FlowType {
    match flow {
        AuthFlow::M2m => Oauth2FlowType::M2M,
        AuthFlow::UserFederation => Oauth2FlowType::UserFederation,
        AuthFlow::OnBehalfOfTokenExchange => Oauth2FlowType::OnBehalfOfTokenExchange,
    }
}
