//! The three ways to an access token.

/// How a token is had: the `oauth2Flow` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A person consents in a browser: authorization code with PKCE.
    UserFederation,
    /// The workload's own: client credentials.
    M2m,
    /// From the user's JWT, without the person: token exchange or JWT authorization grant.
    OnBehalfOf,
}

impl Flow {
    pub(crate) const ALL: [Self; 3] = [Self::UserFederation, Self::M2m, Self::OnBehalfOf];

    /// The service's spelling.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::UserFederation => "USER_FEDERATION",
            Self::M2m => "M2M",
            Self::OnBehalfOf => "ON_BEHALF_OF_TOKEN_EXCHANGE",
        }
    }
}
