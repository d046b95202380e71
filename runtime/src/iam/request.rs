use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::{Claims, SigningAlgorithm};
use crate::{AccessToken, Error, IdentityClient};

/// A request for a JWT that AWS STS signs, sent when it is awaited.
///
/// Made by [`IdentityClient::iam_access_token`]. The token is kept until a minute before its end, for the whole
/// process: it does not depend on who is calling.
///
/// # Errors
///
/// [`Error::FederationDisabled`] while the AWS account issues no JWTs, [`Error::InvalidRequest`] when an argument is
/// not what AWS STS takes, and those that any request to AWS may end with.
///
/// ```no_run
/// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
/// use agentcore_identity::SigningAlgorithm;
///
/// let token = client
///     .iam_access_token(["https://api.example"])
///     .signing_algorithm(SigningAlgorithm::Rs256)
///     .duration_seconds(900)
///     .tags([("team", "search")])
///     .await?;
/// # let _ = token; Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a request is sent when it is awaited"]
pub struct IamAccessTokenRequest {
    client: Option<IdentityClient>,
    claims: Claims,
}

impl IamAccessTokenRequest {
    pub(crate) fn new(client: Option<IdentityClient>) -> Self {
        Self { client, claims: Claims::default() }
    }

    /// Who is to accept the token: 1 to 10, of 1 to 1000 characters each, in place of what was said before.
    pub fn audience<S: Into<String>>(mut self, audience: impl IntoIterator<Item = S>) -> Self {
        self.claims.audience = audience.into_iter().map(Into::into).collect();
        self
    }

    /// What it is signed with: `ES384` by default.
    pub fn signing_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.claims.signing_algorithm = algorithm;
        self
    }

    /// How long it is good for: 60 to 3600 seconds, 300 by default.
    pub fn duration_seconds(mut self, seconds: u32) -> Self {
        self.claims.duration_seconds = seconds;
        self
    }

    /// Claims of the application's own, 50 at most, in place of what was said before: keys of 1 to 128 characters,
    /// values of up to 256, both of letters, digits, spaces and `_.:/=+-@`.
    pub fn tags<K: Into<String>, V: Into<String>>(mut self, tags: impl IntoIterator<Item = (K, V)>) -> Self {
        self.claims.tags = tags.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }
}

impl IntoFuture for IamAccessTokenRequest {
    type Output = Result<AccessToken, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let client = self.client.unwrap_or_else(IdentityClient::current);
            super::fetch::fetch(&client, self.claims).await.map(AccessToken)
        })
    }
}

impl fmt::Debug for IamAccessTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamAccessTokenRequest")
            .field("audience", &self.claims.audience)
            .field("signing_algorithm", &self.claims.signing_algorithm)
            .field("duration_seconds", &self.claims.duration_seconds)
            .finish_non_exhaustive()
    }
}
