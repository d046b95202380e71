//! What each vendor is configured with.

use serde_json::{Value, json};

use super::{CREATE, DISCOVERY, GET, client_secret, config, request, stored};
use crate::service::tests::{github, ok, refused, service};
use crate::store::{Endpoints, OnBehalfOfGrant};
use crate::vendor::{KnownEndpoints, Vendor};

#[tokio::test]
async fn every_vendor_with_its_own_configuration() {
    for vendor in Vendor::ALL {
        let service = service();
        let created = ok(&service, CREATE, request("p", *vendor, config(*vendor))).await;
        let provider = stored(&service, "p");
        assert_eq!(created["callbackUrl"], format!("{}/oauth2/callback/{}", service.url, provider.callback_id));
        assert_eq!(client_secret(&service, "p").as_deref(), Some("the-secret"));
        let got = ok(&service, GET, json!({ "name": "p" })).await;
        assert_eq!(got["credentialProviderVendor"], vendor.as_str());
        for answer in [&created, &got] {
            let output = &answer["oauth2ProviderConfigOutput"][vendor.config_member()];
            assert_eq!(output["clientId"], "the-id", "{vendor}");
            assert!(!answer.to_string().contains("the-secret"), "{vendor}");
            let discovery = &output["oauthDiscovery"];
            match vendor.profile().endpoints {
                KnownEndpoints::At { token, .. } => {
                    let token = token.replace("{tenant}", "common");
                    assert_eq!(discovery["authorizationServerMetadata"]["tokenEndpoint"], token);
                }
                KnownEndpoints::PerTenant if *vendor == Vendor::Custom => {
                    assert_eq!(discovery["discoveryUrl"], DISCOVERY);
                }
                KnownEndpoints::PerTenant => {
                    let issuer = &discovery["authorizationServerMetadata"]["issuer"];
                    assert_eq!(issuer, "https://tenant.example.com");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_vendor_takes_no_other_s_configuration() {
    let service = service();
    for vendor in Vendor::ALL {
        for other in Vendor::ALL.iter().filter(|other| other.config_member() != vendor.config_member()) {
            let mut input = request("p", *other, config(*other));
            input["credentialProviderVendor"] = vendor.as_str().into();
            let (status, message) = refused(&service, CREATE, input).await;
            assert_eq!(status, 400);
            let (given, expected) = (other.config_member(), vendor.config_member());
            assert_eq!(
                message,
                format!(
                    "ValidationException: oauth2ProviderConfigInput: has {given}, but {vendor}, the \
                     credentialProviderVendor, is configured with {expected}"
                )
            );
        }
    }
}

#[tokio::test]
async fn a_union_has_one_member() {
    let service = service();
    let mut input = github("p");
    input["oauth2ProviderConfigInput"]["googleOauth2ProviderConfig"] = json!({});
    let (_, message) = refused(&service, CREATE, input.clone()).await;
    let found = "but has githubOauth2ProviderConfig and googleOauth2ProviderConfig";
    assert!(message.contains("oauth2ProviderConfigInput: must have exactly one of") && message.ends_with(found));
    input["oauth2ProviderConfigInput"] = json!({ "oktaOauth2ProviderConfig": {} });
    let (_, message) = refused(&service, CREATE, input).await;
    assert!(message.ends_with("but has none"), "{message}");
}

#[tokio::test]
async fn a_tenant_s_endpoints_must_be_named_and_others_may() {
    for vendor in Vendor::ALL.iter().filter(|vendor| vendor.config_member() == "includedOauth2ProviderConfig") {
        for member in ["issuer", "authorizationEndpoint", "tokenEndpoint"] {
            let service = service();
            let mut given = config(*vendor);
            given[member] = Value::Null;
            if vendor.profile().endpoints == KnownEndpoints::PerTenant {
                let (_, message) = refused(&service, CREATE, request("p", *vendor, given)).await;
                let expected = format!("includedOauth2ProviderConfig.{member}: is required: {vendor} is at another");
                assert!(message.contains(&expected), "{message}");
            } else {
                given[member] = "http://localhost:9000/own".into();
                let output = ok(&service, CREATE, request("p", *vendor, given)).await;
                let metadata = &output["oauth2ProviderConfigOutput"]["includedOauth2ProviderConfig"]["oauthDiscovery"];
                assert_eq!(metadata["authorizationServerMetadata"][member], "http://localhost:9000/own");
            }
        }
    }
}

#[tokio::test]
async fn a_tenant_of_microsoft_is_in_its_endpoints() {
    let service = service();
    let mut given = config(Vendor::Microsoft);
    given["tenantId"] = "contoso.onmicrosoft.com".into();
    ok(&service, CREATE, request("p", Vendor::Microsoft, given.clone())).await;
    let provider = stored(&service, "p");
    let Endpoints::Inline(metadata) = &provider.endpoints else { panic!("{provider:?}") };
    assert_eq!(metadata.issuer, "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0");
    assert_eq!(provider.on_behalf_of.unwrap().grant, OnBehalfOfGrant::JwtAuthorizationGrant);
    given["tenantId"] = "../evil".into();
    let (_, message) = refused(&service, CREATE, request("q", Vendor::Microsoft, given)).await;
    assert!(message.contains("microsoftOauth2ProviderConfig.tenantId: \"../evil\" holds '/'"), "{message}");
}
