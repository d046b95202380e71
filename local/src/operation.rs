//! The operations that are served, and the requests that lead to them.

use std::fmt;
use std::str::FromStr;

use hyper::{Method, StatusCode};

use crate::error::{Code, ServiceError};

/// An operation of AgentCore Identity that the local service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Hands a workload its access token.
    GetWorkloadAccessToken,
    /// Hands a workload an access token for the user of a JWT.
    GetWorkloadAccessTokenForJWT,
    /// Hands a workload an access token for a user id.
    GetWorkloadAccessTokenForUserId,
    /// Hands out the API key of a credential provider.
    GetResourceApiKey,
    /// Hands out an access token of an OAuth2 credential provider, or says where its user is to consent.
    GetResourceOauth2Token,
    /// Confirms who it was that consented.
    CompleteResourceTokenAuth,
    /// Of AWS STS: hands out a JWT that says who the caller is.
    GetWebIdentityToken,
    /// Creates an API key provider with its key.
    CreateApiKeyCredentialProvider,
    /// Describes an API key provider.
    GetApiKeyCredentialProvider,
    /// Replaces an API key provider's key.
    UpdateApiKeyCredentialProvider,
    /// Deletes an API key provider and its key.
    DeleteApiKeyCredentialProvider,
    /// Lists the API key providers.
    ListApiKeyCredentialProviders,
    /// Creates an OAuth2 provider with its client secret.
    CreateOauth2CredentialProvider,
    /// Describes an OAuth2 provider.
    GetOauth2CredentialProvider,
    /// Replaces an OAuth2 provider's configuration and client secret.
    UpdateOauth2CredentialProvider,
    /// Deletes an OAuth2 provider and its client secret.
    DeleteOauth2CredentialProvider,
    /// Lists the OAuth2 providers.
    ListOauth2CredentialProviders,
    /// Creates a workload identity.
    CreateWorkloadIdentity,
    /// Describes a workload identity.
    GetWorkloadIdentity,
    /// Replaces a workload identity's return URLs.
    UpdateWorkloadIdentity,
    /// Deletes a workload identity; its tokens die with it.
    DeleteWorkloadIdentity,
    /// Lists the workload identities.
    ListWorkloadIdentities,
    /// Describes the token vault.
    GetTokenVault,
    /// Adds tags to a provider or a workload identity.
    TagResource,
    /// Removes tags from a provider or a workload identity.
    UntagResource,
    /// Lists the tags of a provider or a workload identity.
    ListTagsForResource,
}

/// Which API an operation belongs to. The local service answers all on one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// `bedrock-agentcore`: what an agent calls.
    Data,
    /// `bedrock-agentcore-control`: what an administrator calls.
    Control,
    /// `sts`: the one operation of AWS STS that goes with them.
    Sts,
}

impl Plane {
    /// The name for which requests are signed, which is also what the names of IAM actions begin with.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Self::Data | Self::Control => "bedrock-agentcore",
            Self::Sts => "sts",
        }
    }
}

/// The paths of operations.
enum Path {
    /// Under `/identities/`, with this last part.
    Identities(&'static str),
    /// Under `/tags/`, with the ARN of a resource.
    Tags,
    /// None of its own: the body says which operation it is.
    Root,
}

const TAGS: &str = "/tags/";

impl Operation {
    /// Every operation that is served.
    pub const ALL: &'static [Self] = &[
        Self::GetWorkloadAccessToken,
        Self::GetWorkloadAccessTokenForJWT,
        Self::GetWorkloadAccessTokenForUserId,
        Self::GetResourceApiKey,
        Self::GetResourceOauth2Token,
        Self::CompleteResourceTokenAuth,
        Self::GetWebIdentityToken,
        Self::CreateApiKeyCredentialProvider,
        Self::GetApiKeyCredentialProvider,
        Self::UpdateApiKeyCredentialProvider,
        Self::DeleteApiKeyCredentialProvider,
        Self::ListApiKeyCredentialProviders,
        Self::CreateOauth2CredentialProvider,
        Self::GetOauth2CredentialProvider,
        Self::UpdateOauth2CredentialProvider,
        Self::DeleteOauth2CredentialProvider,
        Self::ListOauth2CredentialProviders,
        Self::CreateWorkloadIdentity,
        Self::GetWorkloadIdentity,
        Self::UpdateWorkloadIdentity,
        Self::DeleteWorkloadIdentity,
        Self::ListWorkloadIdentities,
        Self::GetTokenVault,
        Self::TagResource,
        Self::UntagResource,
        Self::ListTagsForResource,
    ];

    /// The name that the service model gives it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetWorkloadAccessToken => "GetWorkloadAccessToken",
            Self::GetWorkloadAccessTokenForJWT => "GetWorkloadAccessTokenForJWT",
            Self::GetWorkloadAccessTokenForUserId => "GetWorkloadAccessTokenForUserId",
            Self::GetResourceApiKey => "GetResourceApiKey",
            Self::GetResourceOauth2Token => "GetResourceOauth2Token",
            Self::CompleteResourceTokenAuth => "CompleteResourceTokenAuth",
            Self::GetWebIdentityToken => "GetWebIdentityToken",
            Self::CreateApiKeyCredentialProvider => "CreateApiKeyCredentialProvider",
            Self::GetApiKeyCredentialProvider => "GetApiKeyCredentialProvider",
            Self::UpdateApiKeyCredentialProvider => "UpdateApiKeyCredentialProvider",
            Self::DeleteApiKeyCredentialProvider => "DeleteApiKeyCredentialProvider",
            Self::ListApiKeyCredentialProviders => "ListApiKeyCredentialProviders",
            Self::CreateOauth2CredentialProvider => "CreateOauth2CredentialProvider",
            Self::GetOauth2CredentialProvider => "GetOauth2CredentialProvider",
            Self::UpdateOauth2CredentialProvider => "UpdateOauth2CredentialProvider",
            Self::DeleteOauth2CredentialProvider => "DeleteOauth2CredentialProvider",
            Self::ListOauth2CredentialProviders => "ListOauth2CredentialProviders",
            Self::CreateWorkloadIdentity => "CreateWorkloadIdentity",
            Self::GetWorkloadIdentity => "GetWorkloadIdentity",
            Self::UpdateWorkloadIdentity => "UpdateWorkloadIdentity",
            Self::DeleteWorkloadIdentity => "DeleteWorkloadIdentity",
            Self::ListWorkloadIdentities => "ListWorkloadIdentities",
            Self::GetTokenVault => "GetTokenVault",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::ListTagsForResource => "ListTagsForResource",
        }
    }

    /// The API it belongs to.
    #[must_use]
    pub fn plane(self) -> Plane {
        match self {
            Self::GetWorkloadAccessToken
            | Self::GetWorkloadAccessTokenForJWT
            | Self::GetWorkloadAccessTokenForUserId
            | Self::GetResourceApiKey
            | Self::GetResourceOauth2Token
            | Self::CompleteResourceTokenAuth => Plane::Data,
            Self::GetWebIdentityToken => Plane::Sts,
            _ => Plane::Control,
        }
    }

    pub(crate) fn success(self) -> StatusCode {
        match self {
            Self::CreateApiKeyCredentialProvider
            | Self::CreateOauth2CredentialProvider
            | Self::CreateWorkloadIdentity => StatusCode::CREATED,
            Self::DeleteApiKeyCredentialProvider
            | Self::DeleteOauth2CredentialProvider
            | Self::DeleteWorkloadIdentity
            | Self::TagResource
            | Self::UntagResource => StatusCode::NO_CONTENT,
            _ => StatusCode::OK,
        }
    }

    fn method(self) -> Method {
        match self {
            Self::ListTagsForResource => Method::GET,
            Self::UntagResource => Method::DELETE,
            _ => Method::POST,
        }
    }

    fn path(self) -> Path {
        match self {
            Self::GetResourceApiKey => Path::Identities("api-key"),
            Self::GetResourceOauth2Token => Path::Identities("oauth2/token"),
            Self::GetTokenVault => Path::Identities("get-token-vault"),
            Self::TagResource | Self::UntagResource | Self::ListTagsForResource => Path::Tags,
            Self::GetWebIdentityToken => Path::Root,
            named => Path::Identities(named.as_str()),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.as_str() == name)
            .ok_or_else(|| UnknownOperation { name: name.chars().take(64).collect() })
    }
}

/// A name that is no operation of the local service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not served; operations are {}", names())]
pub struct UnknownOperation {
    name: String,
}

fn names() -> String {
    Operation::ALL.iter().map(|operation| operation.as_str()).collect::<Vec<_>>().join(", ")
}

/// Where a request leads: the operation, and for tags the still encoded ARN of the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) operation: Operation,
    pub(crate) resource: Option<&'a str>,
}

impl<'a> Route<'a> {
    pub(crate) fn find(method: &Method, path: &'a str) -> Result<Self, ServiceError> {
        let resource = path.strip_prefix(TAGS);
        let identities = path.strip_prefix("/identities/");
        let mut here = Operation::ALL.iter().copied().filter(|operation| match operation.path() {
            Path::Identities(path) => identities == Some(path),
            Path::Tags => resource.is_some_and(|arn| !arn.is_empty()),
            Path::Root => false,
        });
        here.find(|operation| operation.method() == *method)
            .map(|operation| Self { operation, resource })
            .ok_or_else(|| unknown(method, path))
    }
}

fn unknown(method: &Method, path: &str) -> ServiceError {
    let path: String = path.chars().take(128).collect();
    ServiceError::new(
        Code::UnknownOperation,
        format!(
            "{method} {path:?} is no operation of the local AgentCore Identity. \
             It serves POST /identities/<operation> and /tags/<ARN> as the service model spells them, for: {}.",
            names()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        let error = "SetTokenVaultCMK".parse::<Operation>().unwrap_err().to_string();
        assert!(error.contains("\"SetTokenVaultCMK\" is not served"), "{error}");
    }

    #[test]
    fn every_operation_has_its_own_route() {
        for operation in Operation::ALL {
            let (path, resource) = match operation.path() {
                Path::Identities(name) => (format!("/identities/{name}"), None),
                Path::Tags => ("/tags/arn%3Aaws".to_owned(), Some("arn%3Aaws")),
                Path::Root => continue,
            };
            let route = Route::find(&operation.method(), &path).unwrap();
            assert_eq!(route, Route { operation: *operation, resource });
        }
    }

    #[test]
    fn what_is_not_served_is_named() {
        for (method, path) in [
            (Method::GET, "/identities/api-key"),
            (Method::POST, "/identities/set-token-vault-cmk"),
            (Method::POST, "/tags/"),
            (Method::POST, "/"),
            (Method::PUT, "/tags/arn"),
        ] {
            let error = Route::find(&method, path).unwrap_err();
            assert_eq!((error.code(), error.status()), ("UnknownOperationException", 404));
            assert!(error.message().starts_with(&format!("{method} {path:?} is no operation")), "{error}");
            assert!(error.message().contains("GetResourceApiKey"), "{error}");
        }
    }
}
