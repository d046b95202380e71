mod configurations;
mod lifecycle;
mod mangled;
mod refusals;
mod vendors;

use serde_json::{Map, Value, json};

use crate::operation::Operation;
use crate::service::Service;
use crate::store::Oauth2Provider;
use crate::vendor::{KnownEndpoints, Vendor};

const CREATE: Operation = Operation::CreateOauth2CredentialProvider;
const GET: Operation = Operation::GetOauth2CredentialProvider;
const UPDATE: Operation = Operation::UpdateOauth2CredentialProvider;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const DISCOVERY: &str = "https://idp.example.com/.well-known/openid-configuration";

fn request(name: &str, vendor: Vendor, config: Value) -> Value {
    let mut union = Map::new();
    union.insert(vendor.config_member().to_owned(), config);
    json!({ "name": name, "credentialProviderVendor": vendor.as_str(), "oauth2ProviderConfigInput": union })
}

/// A configuration that the vendor takes.
fn config(vendor: Vendor) -> Value {
    let mut config = json!({ "clientId": "the-id", "clientSecret": "the-secret" });
    if vendor == Vendor::Custom {
        config["oauthDiscovery"] = json!({ "discoveryUrl": DISCOVERY });
    } else if vendor.profile().endpoints == KnownEndpoints::PerTenant {
        config["issuer"] = "https://tenant.example.com".into();
        config["authorizationEndpoint"] = "https://tenant.example.com/authorize".into();
        config["tokenEndpoint"] = "https://tenant.example.com/token".into();
    }
    config
}

/// A custom provider's request, with members of its configuration set, or taken out with null.
fn custom(changes: Value) -> Value {
    let mut config = config(Vendor::Custom);
    let Value::Object(changes) = changes else { panic!("{changes} is no object") };
    for (member, value) in changes {
        config[member] = value;
    }
    request("custom", Vendor::Custom, config)
}

fn private_key_jwt(algorithm: &str) -> Value {
    json!({
        "clientSecret": null,
        "clientAuthenticationMethod": "PRIVATE_KEY_JWT",
        "privateKeyJwtConfig": {
            "privateKeySource": { "kmsKeySource": { "kmsKeyArn": KEY } },
            "signingAlgorithm": algorithm,
            "additionalHeaderClaims": { "kid": "1" },
            "additionalPayloadClaims": { "aud": "https://idp.example.com" },
        },
    })
}

fn stored(service: &Service, name: &str) -> Oauth2Provider {
    service.store.view().unwrap().get(name).unwrap().unwrap()
}

fn client_secret(service: &Service, name: &str) -> Option<String> {
    service.store.view().unwrap().client_secret(name).unwrap().map(|secret| secret.to_string())
}
