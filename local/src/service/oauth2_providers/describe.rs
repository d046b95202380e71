//! Answers about a provider. No secret is in them.

use serde_json::{Map, Value, json};

use crate::place::Place;
use crate::store::{
    ActorToken, AssertionAlgorithm, Claims, ClientAuthentication, Endpoints, Oauth2Provider, OnBehalfOf,
    OnBehalfOfGrant, PrivateKeyJwt, own_discovery_url,
};
use crate::vendor::Vendor;

/// What every answer has. `service` is the local service's own URL.
pub(super) fn describe(place: &Place, service: &str, provider: &Oauth2Provider) -> Value {
    json!({
        "name": provider.name,
        "credentialProviderArn": place.oauth2_provider_arn(&provider.name),
        "clientSecretArn": { "secretArn": place.client_secret_arn(&provider.name, &provider.secret_suffix) },
        "clientSecretSource": "MANAGED",
        "callbackUrl": provider.callback_url(service),
        "oauth2ProviderConfigOutput": { provider.vendor.config_member(): configuration(service, provider) },
        "status": "READY",
    })
}

pub(super) fn describe_in_full(place: &Place, service: &str, provider: &Oauth2Provider) -> Value {
    let mut output = describe(place, service, provider);
    output["credentialProviderVendor"] = provider.vendor.as_str().into();
    output["createdTime"] = provider.created.as_json();
    output["lastUpdatedTime"] = provider.updated.as_json();
    output
}

fn configuration(service: &str, provider: &Oauth2Provider) -> Value {
    let mut output = Map::new();
    output.insert("oauthDiscovery".into(), discovery(service, &provider.endpoints));
    if let Some(client_id) = &provider.client_id {
        output.insert("clientId".into(), client_id.as_str().into());
    }
    if provider.vendor == Vendor::Custom {
        if !lists_methods(&provider.endpoints) {
            output.insert("clientAuthenticationMethod".into(), provider.client_authentication.as_str().into());
        }
        if let ClientAuthentication::PrivateKeyJwt(config) = &provider.client_authentication {
            output.insert("privateKeyJwtConfig".into(), private_key_jwt(config));
        }
        if let Some(config) = &provider.on_behalf_of {
            output.insert("onBehalfOfTokenExchangeConfig".into(), on_behalf_of(config));
        }
    }
    output.into()
}

/// Whether the older form of the client authentication method was given. A request may not have both forms, and what is
/// answered can so be sent back.
fn lists_methods(endpoints: &Endpoints) -> bool {
    matches!(endpoints, Endpoints::Inline(metadata) if !metadata.token_endpoint_auth_methods.is_empty())
}

fn discovery(service: &str, endpoints: &Endpoints) -> Value {
    let metadata = match endpoints {
        Endpoints::Own => return json!({ "discoveryUrl": own_discovery_url(service) }),
        Endpoints::Discovery(url) => return json!({ "discoveryUrl": url }),
        Endpoints::Inline(metadata) => metadata,
    };
    let mut output = json!({
        "issuer": metadata.issuer,
        "authorizationEndpoint": metadata.authorization_endpoint,
        "tokenEndpoint": metadata.token_endpoint,
    });
    if !metadata.response_types.is_empty() {
        output["responseTypes"] = metadata.response_types.as_slice().into();
    }
    if lists_methods(endpoints) {
        output["tokenEndpointAuthMethods"] = metadata.token_endpoint_auth_methods.as_slice().into();
    }
    json!({ "authorizationServerMetadata": output })
}

fn private_key_jwt(config: &PrivateKeyJwt) -> Value {
    let mut output = json!({
        "privateKeySource": { "kmsKeySource": { "kmsKeyArn": config.kms_key_arn } },
        "signingAlgorithm": match config.algorithm {
            AssertionAlgorithm::Rs256 => "RS256",
            AssertionAlgorithm::Ps256 => "PS256",
            AssertionAlgorithm::Es256 => "ES256",
        },
    });
    let claims =
        [("additionalHeaderClaims", &config.header_claims), ("additionalPayloadClaims", &config.payload_claims)];
    for (member, Claims(claims)) in claims {
        if !claims.is_empty() {
            output[member] = json!(claims);
        }
    }
    output
}

fn on_behalf_of(config: &OnBehalfOf) -> Value {
    let mut output = match &config.grant {
        OnBehalfOfGrant::JwtAuthorizationGrant => json!({ "grantType": "JWT_AUTHORIZATION_GRANT" }),
        OnBehalfOfGrant::TokenExchange(actor) => {
            let mut exchange = json!({ "actorTokenContent": match actor {
                ActorToken::None => "NONE",
                ActorToken::M2m { .. } => "M2M",
                ActorToken::AwsIamIdToken => "AWS_IAM_ID_TOKEN_JWT",
            }});
            if let ActorToken::M2m { scopes } = actor
                && !scopes.is_empty()
            {
                exchange["actorTokenScopes"] = scopes.as_slice().into();
            }
            json!({ "grantType": "TOKEN_EXCHANGE", "tokenExchangeGrantTypeConfig": exchange })
        }
    };
    if config.without_client {
        output["onBehalfOfAuthenticationConfig"] = json!({ "clientAuthenticationMethod": "NO_CLIENT" });
    }
    output
}
