//! Tokens for a user without that user: RFC 8693 and RFC 7523.

use super::TokenRequest;
use super::client::ProviderClient;
use super::failure::Failure;
use crate::store::{ActorToken, OnBehalfOf, OnBehalfOfGrant, StoredToken};
use crate::workload_token::UserJwt;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What the service model calls the user's JWT.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

impl ProviderClient {
    /// Exchanges the user's JWT for a token of that user's.
    pub(crate) async fn on_behalf_of(
        &self,
        config: &OnBehalfOf,
        jwt: &UserJwt,
        request: &TokenRequest,
    ) -> Result<StoredToken, Failure> {
        let mut parameters: Vec<(&str, String)> = match &config.grant {
            OnBehalfOfGrant::TokenExchange(actor) => {
                let mut parameters = vec![
                    ("grant_type", TOKEN_EXCHANGE.to_owned()),
                    ("subject_token", jwt.expose().to_owned()),
                    ("subject_token_type", ACCESS_TOKEN.to_owned()),
                ];
                parameters.extend(self.actor(actor).await?);
                parameters
            }
            OnBehalfOfGrant::JwtAuthorizationGrant => {
                vec![("grant_type", JWT_BEARER.to_owned()), ("assertion", jwt.expose().to_owned())]
            }
        };
        parameters.extend(self.scope(&request.scopes).map(|scope| ("scope", scope.to_string())));
        parameters.extend(request.parameters().map(|(name, value)| (name, value.to_owned())));
        let vendor = self.profile.on_behalf_of_parameters.iter().filter(|(name, _)| !request.names(name));
        parameters.extend(vendor.map(|(name, value)| (*name, (*value).to_owned())));
        self.extension_grant(!config.without_client, parameters).await
    }

    async fn actor(&self, actor: &ActorToken) -> Result<Vec<(&'static str, String)>, Failure> {
        let (token, kind) = match actor {
            ActorToken::None => return Ok(Vec::new()),
            ActorToken::M2m { scopes } => {
                let own = self.client_credentials(self.scope(scopes), Vec::new()).await?;
                (own.access_token.to_string(), ACCESS_TOKEN)
            }
            ActorToken::AwsIamIdToken => (self.aws_identity().await?, JWT),
        };
        Ok(vec![("actor_token", token), ("actor_token_type", kind.to_owned())])
    }
}
