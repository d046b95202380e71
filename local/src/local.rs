//! The service as its owner holds it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::builder::LocalIdentityBuilder;
use crate::calls::Call;
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::faults::Fault;
use crate::http::{Endpoint, Server};
use crate::limits;
use crate::operation::Operation;
use crate::service::{Service, api_key_providers, oauth2_providers, workload_identities};
use crate::store::Tags;
use crate::visit::{ConsentError, End, Visit};

/// AgentCore Identity on this machine: a server on the loopback interface that speaks the protocol of the AWS service.
///
/// Made with [`LocalIdentity::builder`]. It stops at once when dropped, and gracefully with
/// [`shutdown`](Self::shutdown). Its methods that change something take effect when they return, and are not in the log
/// of [`calls`](Self::calls).
pub struct LocalIdentity {
    // The first field is dropped first: nothing is served while the rest goes away.
    server: Server,
    endpoint: Arc<Endpoint>,
    seeded: BTreeSet<String>,
}

/// The user for whom a workload is to act, for [`LocalIdentity::issue_workload_token`].
#[derive(Clone, PartialEq, Eq)]
pub enum EndUser {
    /// A user id, 1 to 128 characters.
    Id(String),
    /// The user's JWT, which is checked as the service checks it.
    Jwt(String),
}

impl fmt::Debug for EndUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
            Self::Jwt(_) => f.debug_tuple("Jwt").field(&"[redacted]").finish(),
        }
    }
}

impl LocalIdentity {
    /// Begins a new service, which is empty, in memory, on `127.0.0.1` and a free port unless told otherwise.
    pub fn builder() -> LocalIdentityBuilder {
        LocalIdentityBuilder::new()
    }

    pub(crate) fn new(endpoint: Arc<Endpoint>, server: Server, seeded: BTreeSet<String>) -> Self {
        Self { server, endpoint, seeded }
    }

    fn service(&self) -> &Service {
        &self.endpoint.service
    }

    /// The endpoint of both planes, as in `http://127.0.0.1:49152`.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.service().url
    }

    /// The Region for which requests must be signed.
    #[must_use]
    pub fn region(&self) -> &str {
        self.service().place.region()
    }

    /// The access key id with which clients sign.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.service().credentials().access_key_id
    }

    /// The secret access key with which clients sign. Whoever has it, and reaches the port, gets every API key and
    /// access token.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.service().credentials().secret_access_key
    }

    /// A configuration for clients of the AWS SDK for Rust: endpoint, Region, credentials and the latest behavior
    /// version. Nothing in it is read from the environment or from files.
    #[cfg(feature = "sdk-config")]
    #[must_use]
    pub fn sdk_config(&self) -> aws_types::SdkConfig {
        let credentials = aws_credential_types::Credentials::new(
            self.access_key_id(),
            self.secret_access_key(),
            None,
            None,
            "agentcore-identity-local",
        );
        aws_types::SdkConfig::builder()
            .endpoint_url(self.endpoint_url())
            .region(aws_types::region::Region::new(self.region().to_owned()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
            .build()
    }

    /// The environment variables that lead any AWS SDK here: the endpoint of either plane, Region and credentials, and
    /// `AGENTCORE_WORKLOAD_NAME` if exactly one workload identity was named at the start. The secret access key is
    /// among them. boto3 knows the Region only as `AWS_DEFAULT_REGION`, and the AgentCore SDK for Python the endpoints
    /// only as `BEDROCK_AGENTCORE_…`, so these are there as well.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.service().environment();
        variables.push(("AWS_ACCESS_KEY_ID", self.access_key_id().to_owned()));
        variables.push(("AWS_SECRET_ACCESS_KEY", self.secret_access_key().to_owned()));
        if let (Some(name), 1) = (self.seeded.first(), self.seeded.len()) {
            variables.push(("AGENTCORE_WORKLOAD_NAME", name.clone()));
        }
        variables
    }

    /// Makes a provider with this key, or replaces the key of the one there is.
    ///
    /// # Errors
    /// `ValidationException` for a bad name or key, `ServiceQuotaExceededException` for a 51st provider.
    pub async fn set_api_key(&self, provider: &str, api_key: &str) -> Result<(), ServiceError> {
        let (provider, key) = (provider.to_owned(), Zeroizing::new(api_key.to_owned()));
        let now = UnixMillis::of_machine();
        self.service().store.change(move |change| api_key_providers::set(change, &provider, &key, now)).await.map(drop)
    }

    /// Removes a provider and its key.
    ///
    /// # Errors
    /// `ResourceNotFoundException` if there is no such provider.
    pub async fn remove_api_key(&self, provider: &str) -> Result<(), ServiceError> {
        let provider = provider.to_owned();
        self.service().store.change(move |change| api_key_providers::remove(change, &provider)).await
    }

    /// Makes an OAuth2 credential provider whose authorization server is the service's own identity provider, with a
    /// new client id and client secret. One of this name that is there already is pointed there instead; its callback
    /// URL and its tags stay, its access tokens and the consents under way for it do not.
    ///
    /// # Errors
    /// `ValidationException` for a bad name, `ServiceQuotaExceededException` for a 51st provider.
    pub async fn set_oauth2_provider(&self, name: &str) -> Result<(), ServiceError> {
        let (name, now) = (name.to_owned(), UnixMillis::of_machine());
        self.service().store.change(move |change| oauth2_providers::set_own(change, &name, now)).await
    }

    /// Removes an OAuth2 credential provider and its client secret.
    ///
    /// # Errors
    /// `ResourceNotFoundException` if there is no such provider.
    pub async fn remove_oauth2_provider(&self, name: &str) -> Result<(), ServiceError> {
        let name = name.to_owned();
        self.service().store.change(move |change| oauth2_providers::remove(change, &name)).await
    }

    /// Has every access and refresh token that the service keeps of an OAuth2 provider revoked at its authorization
    /// server (RFC 7009), as when a user takes a consent back. As with AWS, the service does not know of it, and hands
    /// a revoked token out until its end, or until `forceAuthentication`.
    ///
    /// # Errors
    /// `ResourceNotFoundException` if there is no such provider, `ValidationException` if its server's metadata has no
    /// `revocation_endpoint`, or what the server answers.
    pub async fn revoke_tokens(&self, provider: &str) -> Result<(), ServiceError> {
        self.endpoint.service.revoke_tokens(provider).await
    }

    /// Makes a workload identity.
    ///
    /// # Errors
    /// `ValidationException` for a bad name, `ConflictException` for one that is taken.
    pub async fn add_workload_identity(&self, name: &str) -> Result<(), ServiceError> {
        limits::WORKLOAD_NAME.check("name", name)?;
        let (name, now) = (name.to_owned(), UnixMillis::of_machine());
        self.service()
            .store
            .change(move |change| workload_identities::create(change, name, Vec::new(), Tags::new(), now))
            .await
            .map(drop)
    }

    /// Allows a workload identity to have people sent back to `url` when they have consented, as
    /// [`LocalIdentityBuilder::return_url`] does: for one whose port is known only now.
    ///
    /// # Errors
    /// `ValidationException` for a bad name or URL, `ResourceNotFoundException` if there is no such workload identity.
    pub async fn allow_return_url(&self, workload: &str, url: &str) -> Result<(), ServiceError> {
        let (workload, url, now) = (workload.to_owned(), url.to_owned(), UnixMillis::of_machine());
        self.service()
            .store
            .change(move |change| workload_identities::allow_return_url(change, &workload, url, now))
            .await
    }

    /// Removes a workload identity. Its workload access tokens are refused from then on, also if one of that name comes
    /// again.
    ///
    /// # Errors
    /// `ResourceNotFoundException` if there is no such workload identity.
    pub async fn remove_workload_identity(&self, name: &str) -> Result<(), ServiceError> {
        let name = name.to_owned();
        self.service().store.change(move |change| workload_identities::remove(change, &name)).await
    }

    /// A workload access token, as AgentCore Runtime hands it to an agent with each invocation.
    ///
    /// # Errors
    /// Those of the operations `GetWorkloadAccessToken`, `…ForUserId` and `…ForJWT`.
    // Asynchronous like its siblings, so that a store that must wait for a read can come later without a breaking
    // change.
    #[expect(clippy::unused_async, reason = "see above")]
    pub async fn issue_workload_token(&self, workload: &str, user: Option<EndUser>) -> Result<String, ServiceError> {
        limits::WORKLOAD_NAME.check("workloadName", workload)?;
        match user {
            None => self.service().issue_token(workload),
            Some(EndUser::Id(id)) => self.service().issue_token_for_user_id(workload, id),
            Some(EndUser::Jwt(jwt)) => self.service().issue_token_for_jwt(workload, &jwt),
        }
    }

    /// A JWT with which an application proves who its user is: signed by the local service's own identity provider,
    /// valid for an hour. `GetWorkloadAccessTokenForJWT` takes it, and the identity provider exchanges it for a token
    /// to act on behalf of the user.
    ///
    /// # Errors
    /// `ValidationException` unless `user` has 1 to 128 characters.
    pub fn user_jwt(&self, user: &str) -> Result<String, ServiceError> {
        limits::USER_ID.check("user", user)?;
        self.service().idp.user_jwt(user, self.service().clock.now())
    }

    /// Opens an authorization URL of this service as a browser would, signs in at its identity provider as `user`, and
    /// allows what is asked for. Returns where the browser is sent in the end, which is not visited: the application's
    /// return URL, with `session_id` and `state`. At an identity provider of others nobody can be played: their page is
    /// returned.
    ///
    /// # Errors
    /// When the pages end anywhere else, for example because the link has expired.
    pub async fn consent(&self, authorization_url: &str, user: &str) -> Result<String, ConsentError> {
        Visit { service: self.endpoint_url(), user, allows: true }.follow(authorization_url).await?.elsewhere()
    }

    /// Like [`consent`](Self::consent), but the user denies. Returns the address that the browser shows in the end.
    ///
    /// # Errors
    /// When the URL is not one of this service, or the service does not answer.
    pub async fn deny_consent(&self, authorization_url: &str, user: &str) -> Result<String, ConsentError> {
        let visit = Visit { service: self.endpoint_url(), user, allows: false };
        visit.follow(authorization_url).await.map(End::address)
    }

    /// The calls of service operations since the start or the last [`clear_calls`](Self::clear_calls), oldest first; of
    /// more than 10,000, the last 10,000. A call gets here when it is answered, or when its client has gone.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.service().calls.last()
    }

    /// How often an operation was called since the start or the last [`clear_calls`](Self::clear_calls), refused calls
    /// included.
    #[must_use]
    pub fn call_count(&self, operation: Operation) -> usize {
        self.service().calls.counts().get(&operation).copied().unwrap_or_default()
    }

    /// Forgets all calls and sets all counts to zero.
    pub fn clear_calls(&self) {
        self.service().calls.clear();
    }

    /// Lets the next `times` calls of an operation meet a fault. Faults for one operation come in the order in which
    /// they were asked for, each used up before the next. A call whose signature is refused uses none.
    pub fn fail_next(&self, operation: Operation, times: usize, fault: Fault) {
        self.service().faults.add(operation, times, fault);
    }

    /// Takes back the faults that no call has met yet.
    pub fn clear_faults(&self) {
        self.service().faults.clear();
    }

    /// Moves the clock by which workload access tokens and JWTs expire, so that a test need not wait; at most to ten
    /// years ahead, where it stays. The time window of request signatures, and when something was made or changed, stay
    /// with the machine's clock.
    pub fn advance_clock(&self, by: Duration) {
        self.service().clock.advance(by);
    }

    /// Stops gracefully: no new connections, calls that are under way end (for at most 5 seconds), files are closed.
    pub async fn shutdown(self) {
        let Self { server, endpoint, .. } = self;
        server.stop().await;
        // The server's own handles of it ended with its connections.
        let service = Arc::into_inner(endpoint).and_then(|endpoint| Arc::into_inner(endpoint.service));
        if let Some(service) = service {
            service.store.close().await;
        }
    }
}

impl fmt::Debug for LocalIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIdentity")
            .field("endpoint_url", &self.endpoint_url())
            .field("region", &self.region())
            .field("access_key_id", &self.access_key_id())
            .finish_non_exhaustive()
    }
}
