//! The control plane of the local service, without its SDK.

use std::time::SystemTime;

use agentcore_identity_local::LocalIdentity;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::WORKLOAD;
use crate::http::send;

/// Lets the service send browsers to this URL and to no other when users of [`WORKLOAD`] have consented.
pub async fn allow_return_url_alone(local: &LocalIdentity, url: &str) {
    let identity = json!({ "name": WORKLOAD, "allowedResourceOauth2ReturnUrls": [url] });
    call(local, "UpdateWorkloadIdentity", identity).await;
}

/// Makes an OAuth2 credential provider whose authorization server is at `url`.
pub async fn oauth2_provider_at(local: &LocalIdentity, name: &str, url: &str) {
    let metadata = json!({
        "issuer": url,
        "authorizationEndpoint": format!("{url}/authorize"),
        "tokenEndpoint": format!("{url}/token"),
        "responseTypes": ["code"],
    });
    let config = json!({
        "oauthDiscovery": { "authorizationServerMetadata": metadata },
        "clientId": "client-of-the-agent",
        "clientSecret": CLIENT_SECRET,
    });
    let provider = json!({
        "name": name,
        "credentialProviderVendor": "CustomOauth2",
        "oauth2ProviderConfigInput": { "customOauth2ProviderConfig": config },
    });
    call(local, "CreateOauth2CredentialProvider", provider).await;
}

/// The client secret of [`oauth2_provider_at`].
pub const CLIENT_SECRET: &str = "client-secret-0123456789";

/// # Panics
///
/// When the service refuses.
async fn call(local: &LocalIdentity, operation: &str, input: Value) {
    let (url, body) = (format!("{}/identities/{operation}", local.endpoint_url()), input.to_string());
    let authority = local.endpoint_url().trim_start_matches("http://");
    let identity = Credentials::new(local.access_key_id(), local.secret_access_key(), None, None, "tests").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(local.region())
        .name("bedrock-agentcore")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("nothing is missing")
        .into();
    let headers = [("host", authority), ("content-type", "application/json")];
    let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let signed = sign(signable.expect("a request"), &parameters).expect("a signature");
    let (instructions, _) = signed.into_parts();
    let mut request = Request::post(format!("/identities/{operation}"));
    for (name, value) in headers.into_iter().chain(instructions.headers()) {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");

    let answer = send(authority, request).await;
    assert!(answer.status().is_success(), "{operation}: {} {}", answer.status(), answer.body());
}
