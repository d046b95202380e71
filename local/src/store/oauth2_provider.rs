//! What is kept of an OAuth2 credential provider.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::records::{Record, Tagged, Tags};
use crate::clock::UnixMillis;
use crate::vendor::Vendor;

/// An OAuth2 credential provider. Its client secret is kept apart, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Oauth2Provider {
    pub(crate) name: String,
    pub(crate) vendor: Vendor,
    /// Only a custom provider that authenticates with [`ClientAuthentication::AwsIamIdToken`] can be without one.
    pub(crate) client_id: Option<String>,
    pub(crate) endpoints: Endpoints,
    pub(crate) client_authentication: ClientAuthentication,
    pub(crate) on_behalf_of: Option<OnBehalfOf>,
    /// The last part of the callback URL. It tells this provider from an earlier one of the same name.
    pub(crate) callback_id: String,
    pub(crate) secret_suffix: String,
    pub(crate) tags: Tags,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
}

/// Which client of which authorization server a provider was at one moment. What was granted to one is no other's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Registration {
    pub(crate) callback_id: String,
    client_id: Option<String>,
    endpoints: Endpoints,
}

impl Registration {
    pub(crate) fn new(callback_id: String, client_id: Option<String>, endpoints: Endpoints) -> Self {
        Self { callback_id, client_id, endpoints }
    }
}

/// Where the provider's authorization server is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Endpoints {
    /// The local service's own identity provider, at whatever port it listens this time.
    Own,
    /// The URL of a metadata document, as of `OpenID` Connect Discovery or RFC 8414.
    Discovery(String),
    Inline(ServerMetadata),
}

/// The metadata of an authorization server, as far as a client of it needs them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServerMetadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) response_types: Vec<String>,
    /// `client_secret_basic` or `client_secret_post`, or nothing if the server does not say.
    pub(crate) token_endpoint_auth_methods: Vec<String>,
}

/// How the service proves to the token endpoint which client it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum ClientAuthentication {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
    /// A client assertion (RFC 7523) that is the workload's own JWT from STS.
    AwsIamIdToken,
    PrivateKeyJwt(PrivateKeyJwt),
}

impl ClientAuthentication {
    /// The service's spelling.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Basic => "CLIENT_SECRET_BASIC",
            Self::Post => "CLIENT_SECRET_POST",
            Self::AwsIamIdToken => "AWS_IAM_ID_TOKEN_JWT",
            Self::PrivateKeyJwt(_) => "PRIVATE_KEY_JWT",
        }
    }
}

/// A client assertion (RFC 7523) signed with the client's own key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PrivateKeyJwt {
    pub(crate) kms_key_arn: String,
    pub(crate) algorithm: AssertionAlgorithm,
    pub(crate) header_claims: Claims,
    pub(crate) payload_claims: Claims,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AssertionAlgorithm {
    Rs256,
    Ps256,
    Es256,
}

/// Claims beyond the standard ones. The model calls their values sensitive, so they are not for a log.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How a token for a user is had without that user, from the user's own JWT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OnBehalfOf {
    pub(crate) grant: OnBehalfOfGrant,
    /// Neither client id nor client authentication goes with the exchange (`NO_CLIENT`).
    pub(crate) without_client: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum OnBehalfOfGrant {
    /// RFC 8693.
    TokenExchange(ActorToken),
    /// RFC 7523, the user's JWT as the `assertion`.
    JwtAuthorizationGrant,
}

/// The `actor_token` of a token exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum ActorToken {
    None,
    /// The client's own access token, by client credentials with these scopes.
    M2m {
        scopes: Vec<String>,
    },
    /// The workload's own JWT from STS.
    AwsIamIdToken,
}

impl Oauth2Provider {
    pub(crate) fn registration(&self) -> Registration {
        Registration::new(self.callback_id.clone(), self.client_id.clone(), self.endpoints.clone())
    }

    /// Where the authorization server sends the browser back to. `service` is the local service's own URL.
    pub(crate) fn callback_url(&self, service: &str) -> String {
        format!("{service}/oauth2/callback/{}", self.callback_id)
    }

    /// Whether its authorization server is the local service's own identity provider, whoever configured it so.
    pub(crate) fn is_own(&self, service: &str) -> bool {
        let issuer = own_issuer(service);
        match &self.endpoints {
            Endpoints::Own => true,
            Endpoints::Discovery(url) => {
                url.strip_prefix(&issuer).is_some_and(|rest| rest.starts_with("/.well-known/"))
                    // RFC 8414 puts the issuer's path at the end.
                    || *url == format!("{service}/.well-known/oauth-authorization-server/idp")
            }
            Endpoints::Inline(metadata) => metadata.issuer == issuer,
        }
    }
}

/// The issuer that the local service's own identity provider is.
fn own_issuer(service: &str) -> String {
    format!("{service}/idp")
}

/// Where the local service's own identity provider describes itself.
pub(crate) fn own_discovery_url(service: &str) -> String {
    format!("{}/.well-known/openid-configuration", own_issuer(service))
}

impl Tagged for Oauth2Provider {
    fn tags(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Record for Oauth2Provider {
    const TABLE: &'static str = "oauth2-providers";

    fn name(&self) -> &str {
        &self.name
    }
}
