//! What the attributes expand to. Not for use by hand, and not covered by semantic versioning: the attributes of one
//! version go with this module of the same version.

mod arguments;
mod receive;

use std::future::Future;

pub use self::arguments::{
    IntoAuthFlow, OneOrMore, Text, TextList, TextPairs, auth_flow, list, one_or_more, pairs, text,
};
#[cfg(feature = "iam-access-token")]
pub use self::arguments::{IntoSigningAlgorithm, signing_algorithm};
pub use self::receive::{ReceiveAccessToken, ReceiveApiKey, ReceiveWorkloadToken};
#[cfg(feature = "iam-access-token")]
pub use crate::SigningAlgorithm;
use crate::{AccessToken, AccessTokenRequest, ApiKey, Error, WorkloadToken};
pub use crate::{AuthFlow, IdentityClient};

/// What an annotated function returns: a `Result` that can say why there is no credential.
#[diagnostic::on_unimplemented(
    message = "a function that a credential is injected into returns a `Result`, and this returns `{Self}`",
    label = "not a `Result`",
    note = "fetching the credential can fail: return `Result<{Self}, E>`, where `E` implements `From<agentcore_identity::Error>`"
)]
pub trait CredentialResult<E>: Sized {
    /// The failure in the function's own terms.
    fn from_error(error: Error) -> Self;

    /// The failure of the function itself.
    fn from_own_error(error: E) -> Self;

    /// The result as it is, or else the function's own error.
    ///
    /// # Errors
    ///
    /// That error.
    fn outcome(self) -> Result<Self, E>;
}

impl<T, E: FromCredentialError> CredentialResult<E> for Result<T, E> {
    fn from_error(error: Error) -> Self {
        Err(E::from_credential_error(error))
    }

    fn from_own_error(error: E) -> Self {
        Err(error)
    }

    fn outcome(self) -> Result<Self, E> {
        self.map(Ok)
    }
}

/// An error that can hold the reason why there is no credential.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` does not implement `From<agentcore_identity::Error>`",
    label = "cannot hold the error of a credential that could not be fetched",
    note = "add `impl From<agentcore_identity::Error> for {Self}`, or return an error that takes any other, such as `anyhow::Error`",
    note = "if `{Self}` is a type parameter, add the bound `{Self}: From<agentcore_identity::Error>`"
)]
pub trait FromCredentialError {
    /// The error in the function's own terms.
    fn from_credential_error(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> FromCredentialError for E {
    fn from_credential_error(error: Error) -> Self {
        error.into()
    }
}

/// What an annotated function returns when its credential could not be fetched.
#[must_use]
pub fn failure<R: CredentialResult<E>, E>(error: Error) -> R {
    R::from_error(error)
}

/// How an attempt ended. This and [`own_failure`] are told the function's result in the words that [`failure`] is told
/// it: that it is no `Result` is then one error.
///
/// # Errors
///
/// The function's own.
pub fn outcome<R: CredentialResult<E>, E>(result: R) -> Result<R, E> {
    result.outcome()
}

/// What an annotated function returns when its last attempt has failed.
#[must_use]
pub fn own_failure<R: CredentialResult<E>, E>(error: E) -> R {
    R::from_own_error(error)
}

/// The client that a `client = …` expression stands for, kept for as long as the function may need it; what derefs to
/// one coerces at the call.
#[must_use]
pub fn client(client: &IdentityClient) -> IdentityClient {
    client.clone()
}

/// The caller's API key, from `client` or else from the context's or the default one.
///
/// # Errors
///
/// As [`IdentityClient::api_key`].
pub async fn api_key(client: Option<&IdentityClient>, provider: &str) -> Result<ApiKey, Error> {
    IdentityClient::callers_api_key(client, provider).await
}

/// A different API key than `rejected`, freshly fetched; `None` if there is none or it could not be fetched.
pub async fn renew_api_key(client: Option<&IdentityClient>, provider: &str, rejected: &ApiKey) -> Option<ApiKey> {
    IdentityClient::renewed_api_key(client, provider, rejected).await
}

/// A request for the caller's access token, from `client` or else from the context's or the default one.
pub fn access_token<'a>(client: Option<&IdentityClient>, provider: &str) -> AccessTokenRequest<'a> {
    AccessTokenRequest::new(client.cloned(), provider)
}

/// A different token than `rejected`, freshly fetched and, if the service still has the same one, authorized anew where
/// the flow knows that; `None` if there is none or it could not be fetched.
pub async fn renew_access_token(request: AccessTokenRequest<'_>, rejected: &AccessToken) -> Option<AccessToken> {
    request.renew(rejected).await
}

/// A request for a JWT that AWS STS signs, with `client` or else with the context's or the default one.
#[cfg(feature = "iam-access-token")]
pub fn iam_access_token(client: Option<&IdentityClient>) -> crate::IamAccessTokenRequest {
    crate::IamAccessTokenRequest::new(client.cloned())
}

/// The caller's own workload access token, from the context's client or else the default one.
///
/// # Errors
///
/// As [`IdentityClient::workload_token`].
pub async fn workload_token() -> Result<WorkloadToken, Error> {
    IdentityClient::current().workload_token().await
}

/// Both answers, asked for at the same time; the first failure, as soon as it is known.
///
/// # Errors
///
/// That of either.
pub async fn both<A, B>(
    one: impl Future<Output = Result<A, Error>>,
    other: impl Future<Output = Result<B, Error>>,
) -> Result<(A, B), Error> {
    futures_util::future::try_join(one, other).await
}

/// Whether `retry_if` says that the body failed for want of a current credential.
pub fn wants_retry<E>(error: &E, predicate: impl FnOnce(&E) -> bool) -> bool {
    predicate(error)
}

/// What an attempt gets its own copy of.
///
/// It is `T` that has to be `Clone`. The trait is that of a function, [`attempt`], because there is no bound that rustc
/// could suggest for the type of one: for a type parameter it would suggest this hidden trait.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not `Clone`: with `retry_if` the body may run twice, and each attempt gets its own copy",
    label = "not `Clone`",
    note = "derive or require `Clone` for `{T}`, or take the parameter by a reference, written as `&` or `&mut`"
)]
pub trait CloneForAttempt<T> {
    /// One attempt's own copy.
    fn clone_for_attempt(parameter: &T) -> T;
}

#[diagnostic::do_not_recommend]
impl<T: Clone, A: Fn()> CloneForAttempt<T> for A {
    fn clone_for_attempt(parameter: &T) -> T {
        parameter.clone()
    }
}

/// A parameter on its way into an attempt. It is not `Copy`, so that the attempt owns it whatever it is.
#[derive(Debug)]
pub struct Supplied<T>(T);

impl<T> Supplied<T> {
    /// The parameter.
    pub fn take(self) -> T {
        self.0
    }
}

/// `parameter`, for an attempt to take.
pub fn supplied<T>(parameter: T) -> Supplied<T> {
    Supplied(parameter)
}

/// Stands for an attempt, see [`CloneForAttempt`].
pub fn attempt() {}

/// One attempt's own copy of a parameter.
pub fn clone_for_attempt<T, A: CloneForAttempt<T>>(parameter: &T, _attempt: A) -> T {
    A::clone_for_attempt(parameter)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_are_asked_for_at_the_same_time_and_the_first_failure_ends_it() {
        let after = |seconds, answer| async move {
            sleep(Duration::from_secs(seconds)).await;
            answer
        };
        let start = Instant::now();
        let nested = both(after(2, Ok(1)), both(after(3, Ok(2)), after(1, Ok(3)))).await;
        assert_eq!(nested.unwrap(), (1, (2, 3)));
        assert_eq!(start.elapsed(), Duration::from_secs(3));

        let failure = both(after(1, Err(Error::configuration("x"))), after(60, Ok(4))).await;
        assert!(failure.is_err());
        assert_eq!(start.elapsed(), Duration::from_secs(4));
    }
}
