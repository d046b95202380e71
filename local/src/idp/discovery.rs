//! How the identity provider describes itself.

use hyper::StatusCode;
use serde_json::json;

use super::{AUTHORIZE, JWKS, REVOKE, TOKEN, USERINFO, grants};
use crate::service::Service;
use crate::web::{Reply, reply};

/// `OpenID` Connect Discovery 1.0.
pub(super) const OPENID: &str = "/idp/.well-known/openid-configuration";
/// Where RFC 8414 has the metadata of an issuer with a path …
pub(super) const BESIDE_ISSUER: &str = "/.well-known/oauth-authorization-server/idp";
/// … and where many look for it.
pub(super) const BELOW_ISSUER: &str = "/idp/.well-known/oauth-authorization-server";

pub(super) fn metadata(service: &Service) -> Reply {
    let at = |path: &str| format!("{}{path}", service.url);
    let authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    reply::json(
        StatusCode::OK,
        &json!({
            "issuer": service.idp.issuer(),
            "authorization_endpoint": at(AUTHORIZE),
            "token_endpoint": at(TOKEN),
            "revocation_endpoint": at(REVOKE),
            "userinfo_endpoint": at(USERINFO),
            "jwks_uri": at(JWKS),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": grants::ALL,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": authentication,
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "ES384"],
            "revocation_endpoint_auth_methods_supported": authentication,
            "authorization_response_iss_parameter_supported": true,
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "preferred_username"],
        }),
    )
}
