//! The configuration of a provider, read from the union that its vendor goes with.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::error::ServiceError;
use crate::limits;
use crate::place::Place;
use crate::service::Input;
use crate::store::{
    ActorToken, AssertionAlgorithm, Claims, ClientAuthentication, Endpoints, OnBehalfOf, OnBehalfOfGrant,
    PrivateKeyJwt, ServerMetadata,
};
use crate::vendor::{KnownEndpoints, Profile, Vendor};

const MEMBER: &str = "oauth2ProviderConfigInput";

/// What a request says of a provider, checked.
pub(crate) struct Configuration {
    pub(crate) vendor: Vendor,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Zeroizing<String>>,
    pub(crate) endpoints: Endpoints,
    pub(crate) client_authentication: ClientAuthentication,
    pub(crate) on_behalf_of: Option<OnBehalfOf>,
}

impl Configuration {
    pub(super) fn read(input: &mut Input, place: &Place) -> Result<Self, ServiceError> {
        let vendors: Vec<(&str, Vendor)> = Vendor::ALL.iter().map(|vendor| (vendor.as_str(), *vendor)).collect();
        let vendor = input.choice("credentialProviderVendor", &vendors)?;
        let mut union = input.structure(MEMBER)?;
        let mut members: Vec<&str> = Vendor::ALL.iter().map(|vendor| vendor.config_member()).collect();
        members.sort_unstable();
        members.dedup();
        let given = union.variant(&members)?;
        let expected = vendor.config_member();
        if given != expected {
            return Err(input.invalid(
                MEMBER,
                format!("has {given}, but {vendor}, the credentialProviderVendor, is configured with {expected}"),
            ));
        }
        let config = union.structure(given)?;
        if vendor == Vendor::Custom { custom(config, place) } else { of_vendor(config, vendor) }
    }
}

/// A client secret that lives in AWS Secrets Manager is out of reach here.
fn managed_secret(config: &mut Input) -> Result<Option<Zeroizing<String>>, ServiceError> {
    const MANAGED_ONLY: &str = "the local service keeps only MANAGED secrets; send the secret itself as clientSecret";
    if !config.optional_choice("clientSecretSource", &[("MANAGED", true), ("EXTERNAL", false)])?.unwrap_or(true) {
        return Err(config.invalid("clientSecretSource", MANAGED_ONLY));
    }
    if config.has("clientSecretConfig") {
        return Err(config.invalid("clientSecretConfig", MANAGED_ONLY));
    }
    let secret = config.optional_text("clientSecret", &limits::CLIENT_SECRET)?.map(Zeroizing::new);
    Ok(secret.filter(|secret| !secret.is_empty()))
}

fn of_vendor(mut config: Input, vendor: Vendor) -> Result<Configuration, ServiceError> {
    let Profile { endpoints, basic_authentication, .. } = vendor.profile();
    let client_id = config.text("clientId", &limits::CLIENT_ID)?;
    let client_secret = managed_secret(&mut config)?.ok_or_else(|| config.required("clientSecret"))?;
    let tenant = match vendor {
        Vendor::Microsoft => config.optional_text("tenantId", &limits::TENANT_ID)?,
        _ => None,
    };
    let tenant = tenant.as_deref().unwrap_or("common");
    let known = match endpoints {
        KnownEndpoints::At { issuer, authorization, token } => {
            [issuer, authorization, token].map(|url| Some(url.replace("{tenant}", tenant)))
        }
        KnownEndpoints::PerTenant => [None, None, None],
    };
    let has_own = vendor.config_member() == Vendor::Okta.config_member();
    let mut endpoint = |member: &str, known: Option<String>| -> Result<String, ServiceError> {
        let own = if has_own { config.optional_text(member, &limits::ENDPOINT_URL)? } else { None };
        own.or(known).ok_or_else(|| {
            config.invalid(member, format!("is required: {vendor} is at another place for each of its customers"))
        })
    };
    let [issuer, authorization, token] = known;
    let metadata = ServerMetadata {
        issuer: endpoint("issuer", issuer)?,
        authorization_endpoint: endpoint("authorizationEndpoint", authorization)?,
        token_endpoint: endpoint("tokenEndpoint", token)?,
        response_types: vec!["code".to_owned()],
        token_endpoint_auth_methods: Vec::new(),
    };
    let on_behalf_of = match vendor {
        Vendor::Microsoft => Some(OnBehalfOf { grant: OnBehalfOfGrant::JwtAuthorizationGrant, without_client: false }),
        _ => None,
    };
    Ok(Configuration {
        vendor,
        client_id: Some(client_id),
        client_secret: Some(client_secret),
        endpoints: Endpoints::Inline(metadata),
        client_authentication: if basic_authentication {
            ClientAuthentication::Basic
        } else {
            ClientAuthentication::Post
        },
        on_behalf_of,
    })
}

fn custom(mut config: Input, place: &Place) -> Result<Configuration, ServiceError> {
    const DIRECT_ONLY: &str = "the local service connects to a provider directly, through no VPC, and trusts the public \
                               certificate authorities; leave this out";
    for member in ["privateEndpoint", "privateEndpointOverrides", "certificateConfigurations"] {
        if config.has(member) {
            return Err(config.invalid(member, DIRECT_ONLY));
        }
    }
    let endpoints = discovery(&mut config)?;
    let client_id = config.optional_text("clientId", &limits::CUSTOM_CLIENT_ID)?.filter(|id| !id.is_empty());
    let client_secret = managed_secret(&mut config)?;
    let client_authentication = authentication(&mut config, &endpoints, place)?;
    let (needs_id, needs_secret) = match client_authentication {
        ClientAuthentication::Basic | ClientAuthentication::Post => (true, true),
        ClientAuthentication::PrivateKeyJwt(_) => (true, false),
        ClientAuthentication::AwsIamIdToken => (false, false),
    };
    let missing = |member| {
        let method = client_authentication.as_str();
        config.invalid(member, format!("is required for the client authentication {method}"))
    };
    if needs_id && client_id.is_none() {
        return Err(missing("clientId"));
    }
    if needs_secret && client_secret.is_none() {
        return Err(missing("clientSecret"));
    }
    let on_behalf_of = on_behalf_of(&mut config)?;
    Ok(Configuration {
        vendor: Vendor::Custom,
        client_id,
        client_secret,
        endpoints,
        client_authentication,
        on_behalf_of,
    })
}

fn discovery(config: &mut Input) -> Result<Endpoints, ServiceError> {
    const DISCOVERY_URL: &str = "discoveryUrl";
    const METADATA: &str = "authorizationServerMetadata";
    let mut union = config.structure("oauthDiscovery")?;
    if union.variant(&[DISCOVERY_URL, METADATA])? == DISCOVERY_URL {
        return union.text(DISCOVERY_URL, &limits::DISCOVERY_URL).map(Endpoints::Discovery);
    }
    let mut metadata = union.structure(METADATA)?;
    let methods = metadata.optional_list("tokenEndpointAuthMethods", &limits::TOKEN_AUTH_METHOD)?;
    if let Some(methods) = &methods {
        metadata.check_size("tokenEndpointAuthMethods", methods.len(), &limits::TOKEN_AUTH_METHODS)?;
    }
    Ok(Endpoints::Inline(ServerMetadata {
        issuer: metadata.text("issuer", &limits::ENDPOINT_URL)?,
        authorization_endpoint: metadata.text("authorizationEndpoint", &limits::ENDPOINT_URL)?,
        token_endpoint: metadata.text("tokenEndpoint", &limits::ENDPOINT_URL)?,
        response_types: metadata.optional_list("responseTypes", &limits::ANY)?.unwrap_or_default(),
        token_endpoint_auth_methods: methods.unwrap_or_default(),
    }))
}

#[derive(Clone, Copy)]
enum Method {
    Basic,
    Post,
    AwsIamIdToken,
    PrivateKeyJwt,
}

fn authentication(
    config: &mut Input,
    endpoints: &Endpoints,
    place: &Place,
) -> Result<ClientAuthentication, ServiceError> {
    const MEMBER: &str = "clientAuthenticationMethod";
    let listed = match endpoints {
        Endpoints::Inline(metadata) => metadata.token_endpoint_auth_methods.as_slice(),
        _ => &[],
    };
    let method = config.optional_choice(
        MEMBER,
        &[
            ("CLIENT_SECRET_BASIC", Method::Basic),
            ("CLIENT_SECRET_POST", Method::Post),
            ("AWS_IAM_ID_TOKEN_JWT", Method::AwsIamIdToken),
            ("PRIVATE_KEY_JWT", Method::PrivateKeyJwt),
        ],
    )?;
    if method.is_some() && !listed.is_empty() {
        return Err(config
            .invalid(MEMBER, "cannot go together with tokenEndpointAuthMethods, its older form; leave that one out"));
    }
    let method = method.unwrap_or_else(|| match listed {
        [only] if only == "client_secret_post" => Method::Post,
        _ => Method::Basic,
    });
    if let Method::PrivateKeyJwt = method {
        return private_key_jwt(config.structure("privateKeyJwtConfig")?, place);
    }
    if config.has("privateKeyJwtConfig") {
        return Err(config.invalid("privateKeyJwtConfig", format!("goes with the {MEMBER} PRIVATE_KEY_JWT only")));
    }
    Ok(match method {
        Method::Post => ClientAuthentication::Post,
        Method::AwsIamIdToken => ClientAuthentication::AwsIamIdToken,
        _ => ClientAuthentication::Basic,
    })
}

fn private_key_jwt(mut config: Input, place: &Place) -> Result<ClientAuthentication, ServiceError> {
    let mut source = config.structure("privateKeySource")?;
    let mut source = source.structure(source.variant(&["kmsKeySource"])?)?;
    let kms_key_arn = source.text("kmsKeyArn", &limits::KMS_KEY_ARN)?;
    if kms_key_arn.split(':').nth(3) != Some(place.region()) {
        let problem = format!("{kms_key_arn:?} is in another Region than the provider, which is in {}", place.region());
        return Err(source.invalid("kmsKeyArn", problem));
    }
    let algorithm = config.choice(
        "signingAlgorithm",
        &[
            ("RS256", AssertionAlgorithm::Rs256),
            ("PS256", AssertionAlgorithm::Ps256),
            ("ES256", AssertionAlgorithm::Es256),
        ],
    )?;
    let header_claims = claims(&mut config, "additionalHeaderClaims", &["alg", "typ"])?;
    let payload_claims = claims(&mut config, "additionalPayloadClaims", &["iss", "sub", "jti", "exp", "iat", "nbf"])?;
    Ok(ClientAuthentication::PrivateKeyJwt(PrivateKeyJwt { kms_key_arn, algorithm, header_claims, payload_claims }))
}

fn claims(config: &mut Input, member: &str, reserved: &[&str]) -> Result<Claims, ServiceError> {
    let claims: Option<BTreeMap<String, String>> =
        config.optional_map(member, &limits::CLAIM_NAME, &limits::CLAIM_VALUE)?;
    let Some(claims) = claims else { return Ok(Claims::default()) };
    config.check_size(member, claims.len(), &limits::ADDITIONAL_CLAIMS)?;
    match reserved.iter().find(|name| claims.contains_key(**name)) {
        Some(name) => Err(config.invalid(member, format!("{name:?} is set by the service and cannot be added"))),
        None => Ok(Claims(claims)),
    }
}

fn on_behalf_of(config: &mut Input) -> Result<Option<OnBehalfOf>, ServiceError> {
    const EXCHANGE: &str = "tokenExchangeGrantTypeConfig";
    let Some(mut config) = config.optional_structure("onBehalfOfTokenExchangeConfig")? else { return Ok(None) };
    let is_exchange = config.choice("grantType", &[("TOKEN_EXCHANGE", true), ("JWT_AUTHORIZATION_GRANT", false)])?;
    let exchange = config.optional_structure(EXCHANGE)?;
    let grant = match (is_exchange, exchange) {
        (true, exchange) => OnBehalfOfGrant::TokenExchange(exchange.map_or(Ok(ActorToken::None), actor_token)?),
        (false, None) => OnBehalfOfGrant::JwtAuthorizationGrant,
        (false, Some(_)) => return Err(config.invalid(EXCHANGE, "goes with the grantType TOKEN_EXCHANGE only")),
    };
    let without_client = match config.optional_structure("onBehalfOfAuthenticationConfig")? {
        Some(mut config) => config.choice("clientAuthenticationMethod", &[("NO_CLIENT", true)])?,
        None => false,
    };
    Ok(Some(OnBehalfOf { grant, without_client }))
}

fn actor_token(mut config: Input) -> Result<ActorToken, ServiceError> {
    const SCOPES: &str = "actorTokenScopes";
    let scopes = config.optional_list(SCOPES, &limits::SCOPE)?;
    let none = ActorToken::None;
    let (machine, iam) = (ActorToken::M2m { scopes: Vec::new() }, ActorToken::AwsIamIdToken);
    let content = config
        .choice("actorTokenContent", &[("NONE", &none), ("M2M", &machine), ("AWS_IAM_ID_TOKEN_JWT", &iam)])?
        .clone();
    match (content, scopes) {
        (ActorToken::M2m { .. }, scopes) => Ok(ActorToken::M2m { scopes: scopes.unwrap_or_default() }),
        (content, None) => Ok(content),
        (_, Some(_)) => Err(config.invalid(SCOPES, "goes with the actorTokenContent M2M only")),
    }
}
