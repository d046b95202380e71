//! A client of a provider's authorization server.

use std::pin::Pin;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::Request;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse as _, TokenUrl,
};
use url::Url;
use zeroize::Zeroizing;

use super::assertion::{AssertionSigner, LIFETIME as ASSERTION_LIFETIME};
use super::failure::{Failure, Part};
use super::outgoing::{Outgoing, host};
use super::server::AuthorizationServer;
use super::token_response::ProviderTokens;
use super::{Providers, TokenRequest, encoding, id_token};
use crate::clock::UnixMillis;
use crate::json;
use crate::service::Service;
use crate::signing::Algorithm;
use crate::store::{ClientAuthentication, Oauth2Provider, StoredToken, Tags};
use crate::sts::WebIdentity;
use crate::vendor::{Encoding, Profile};

/// The longest access token that the service model has room for.
const LONGEST_TOKEN: usize = 131_072;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type OauthClient = oauth2::Client<
    BasicErrorResponse,
    ProviderTokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointMaybeSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// How the client shows who it is.
enum Authentication {
    /// By its id alone.
    Public,
    Basic(Zeroizing<String>),
    Post(Zeroizing<String>),
    /// `private_key_jwt`
    Signature(Box<AssertionSigner>),
    /// The workload's own JWT from STS.
    AwsIamIdToken,
}

/// What binds an authorization code to the browser and the request that it was made for.
pub(crate) struct Attempt {
    pub(crate) state: String,
    pub(crate) verifier: Option<Zeroizing<String>>,
    pub(crate) nonce: Option<String>,
}

pub(crate) struct ProviderClient {
    service: Arc<Service>,
    server: Arc<AuthorizationServer>,
    provider: Oauth2Provider,
    pub(super) profile: Profile,
    authentication: Authentication,
    callback_url: String,
    now: UnixMillis,
}

impl ProviderClient {
    /// A client for `provider`, with the secret or the key that the service has for it.
    pub(crate) async fn new(service: &Arc<Service>, provider: Oauth2Provider) -> Result<Self, Failure> {
        let now = service.clock.now();
        let Providers { outgoing, servers } = &service.providers;
        let server = servers.of(&provider, outgoing, &service.url, now).await?;
        let view = service.store.view()?;
        let secret = view.client_secret(&provider.name)?;
        let authentication = match (&provider.client_authentication, secret) {
            (ClientAuthentication::Basic, Some(secret)) => Authentication::Basic(secret),
            (ClientAuthentication::Post, Some(secret)) => Authentication::Post(secret),
            (ClientAuthentication::Basic | ClientAuthentication::Post, None) => Authentication::Public,
            (ClientAuthentication::PrivateKeyJwt(config), _) => {
                let id = provider.client_id.as_deref().unwrap_or_default();
                let key = view.signing_key(&config.kms_key_arn)?.unwrap_or_default();
                Authentication::Signature(AssertionSigner::new(config, &key, id, &server.token_endpoint)?.into())
            }
            (ClientAuthentication::AwsIamIdToken, _) => Authentication::AwsIamIdToken,
        };
        Ok(Self {
            service: Arc::clone(service),
            server,
            profile: provider.vendor.profile(),
            callback_url: provider.callback_url(&service.url),
            provider,
            authentication,
            now,
        })
    }

    fn outgoing(&self) -> &Outgoing {
        &self.service.providers.outgoing
    }

    /// A JWT of STS for the authorization server.
    pub(super) async fn aws_identity(&self) -> Result<String, Failure> {
        let wanted = WebIdentity {
            audiences: vec![self.server.token_endpoint.clone()],
            algorithm: Algorithm::Es384,
            lifetime: ASSERTION_LIFETIME,
            tags: Tags::new(),
        };
        Ok(self.service.sts.issue(&self.service.place, &wanted, self.service.clock.now()).await?.0)
    }

    /// Where a browser is sent to ask for consent, and what must come back with it.
    pub(crate) fn authorization_url(&self, request: &TokenRequest, state: String) -> Result<(Url, Attempt), Failure> {
        if self.server.authorization_endpoint.is_none() {
            return Err(Failure::Unusable("its authorization server has no authorization_endpoint".to_owned()));
        }
        let client = self.oauth()?;
        let state = CsrfToken::new(state);
        let mut asked = client
            .authorize_url(|| state.clone())
            .map_err(|error| Failure::Unusable(error.to_string()))?
            .add_scopes(self.scope(&request.scopes));
        let mut attempt = Attempt { state: state.into_secret(), verifier: None, nonce: None };
        if self.profile.pkce {
            let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
            asked = asked.set_pkce_challenge(challenge);
            attempt.verifier = Some(Zeroizing::new(verifier.into_secret()));
        }
        if request.scopes.contains("openid") {
            let nonce = CsrfToken::new_random().into_secret();
            asked = asked.add_extra_param("nonce", nonce.clone());
            attempt.nonce = Some(nonce);
        }
        for (name, value) in request.parameters() {
            asked = asked.add_extra_param(name.to_owned(), value.to_owned());
        }
        for (name, value) in self.profile.authorization_parameters {
            if !request.names(name) {
                asked = asked.add_extra_param(*name, *value);
            }
        }
        Ok((asked.url().0, attempt))
    }

    /// Whether `issuer` may be the one that an answer of the authorization endpoint names (RFC 9207).
    pub(crate) fn answers_as(&self, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.server.issuer,
            None => !self.server.authorization_response_iss_parameter_supported,
        }
    }

    pub(crate) async fn exchange_code(
        &self,
        code: String,
        attempt: Attempt,
        request: &TokenRequest,
    ) -> Result<StoredToken, Failure> {
        let client = self.oauth()?;
        let mut exchange = client.exchange_code(AuthorizationCode::new(code));
        if let Some(verifier) = attempt.verifier {
            exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_string()));
        }
        for (name, value) in request.targets() {
            exchange = exchange.add_extra_param(name, value.to_owned());
        }
        for (name, value) in self.assertion().await? {
            exchange = exchange.add_extra_param(name, value);
        }
        let outcome = exchange.request_async(self).await;
        let tokens = outcome.map_err(|error| self.failure(error))?;
        if let (Some(nonce), Some(token)) = (&attempt.nonce, &tokens.id_token) {
            let client_id = self.provider.client_id.as_deref().unwrap_or_default();
            id_token::check(&token.0, &self.server.issuer, client_id, nonce)?;
        }
        self.accept(&tokens)
    }

    /// A renewed token. Where the server gives no new refresh token, the one there is stays good.
    pub(crate) async fn refresh(
        &self,
        refresh_token: &Zeroizing<String>,
        request: &TokenRequest,
    ) -> Result<StoredToken, Failure> {
        let client = self.oauth()?;
        let presented = RefreshToken::new(refresh_token.to_string());
        let mut refresh = client.exchange_refresh_token(&presented);
        for (name, value) in request.targets() {
            refresh = refresh.add_extra_param(name, value.to_owned());
        }
        for (name, value) in self.assertion().await? {
            refresh = refresh.add_extra_param(name, value);
        }
        let outcome = refresh.request_async(self).await;
        let mut token = self.accept(&outcome.map_err(|error| self.failure(error))?)?;
        token.refresh_token.get_or_insert_with(|| refresh_token.clone());
        Ok(token)
    }

    /// The client's own token, for what a request asks.
    pub(crate) async fn machine_token(&self, request: &TokenRequest) -> Result<StoredToken, Failure> {
        let parameters = request.parameters().map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.client_credentials(self.scope(&request.scopes), parameters.collect()).await
    }

    pub(super) async fn client_credentials(
        &self,
        scope: Option<Scope>,
        parameters: Vec<(String, String)>,
    ) -> Result<StoredToken, Failure> {
        let client = self.oauth()?;
        let mut asked = client.exchange_client_credentials().add_scopes(scope);
        for (name, value) in parameters {
            asked = asked.add_extra_param(name, value);
        }
        for (name, value) in self.assertion().await? {
            asked = asked.add_extra_param(name, value);
        }
        let outcome = asked.request_async(self).await;
        let token = self.accept(&outcome.map_err(|error| self.failure(error))?)?;
        // RFC 6749 has no refresh token here; one that comes anyway would only be kept for nothing.
        Ok(StoredToken { refresh_token: None, ..token })
    }

    /// A token by a grant that the OAuth2 library does not know.
    pub(super) async fn extension_grant(
        &self,
        with_client: bool,
        parameters: Vec<(&str, String)>,
    ) -> Result<StoredToken, Failure> {
        let url = self.outgoing().url(&self.server.token_endpoint)?;
        let answer = self.post(self.request(&url, with_client, parameters).await?).await?;
        if answer.status() == StatusCode::OK {
            let tokens = serde_json::from_slice(answer.body()).map_err(|_| self.malformed(NO_TOKEN))?;
            return self.accept(&tokens);
        }
        let error: BasicErrorResponse = serde_json::from_slice(answer.body()).map_err(|_| self.malformed(NO_TOKEN))?;
        Err(Failure::refused(error.error().as_ref()))
    }

    /// Tells the server that a token is not to be good any more (RFC 7009). `Ok(false)` if the server cannot be told.
    pub(crate) async fn revoke(&self, token: &StoredToken) -> Result<bool, Failure> {
        let Some(endpoint) = &self.server.revocation_endpoint else { return Ok(false) };
        let part = Part::RevocationEndpoint;
        let url = self.outgoing().url(endpoint)?;
        let tokens = [Some(&token.access_token), token.refresh_token.as_ref()];
        for token in tokens.into_iter().flatten() {
            let request = self.request(&url, true, vec![("token", token.to_string())]).await?;
            let status = self.outgoing().send(part, request).await?.status();
            if !status.is_success() {
                return Err(Failure::Status { part, host: host(&url), status: status.as_u16() });
            }
        }
        Ok(true)
    }

    /// A form for the server, with what shows who the client is.
    async fn request(
        &self,
        url: &Url,
        with_client: bool,
        mut parameters: Vec<(&str, String)>,
    ) -> Result<HttpRequest, Failure> {
        let mut request = Request::post(url.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if with_client {
            let id = self.provider.client_id.as_deref().unwrap_or_default();
            if let Authentication::Basic(secret) = &self.authentication {
                request = request.header(AUTHORIZATION, encoding::basic(id, secret).as_str());
            } else {
                parameters.push(("client_id", id.to_owned()));
            }
            if let Authentication::Post(secret) = &self.authentication {
                parameters.push(("client_secret", secret.to_string()));
            }
            parameters.extend(self.assertion().await?);
        }
        let body = encoding::form(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        request.body(body).map_err(|_| Failure::Unusable(format!("{:?} cannot be asked", url.as_str())))
    }

    fn oauth(&self) -> Result<OauthClient, Failure> {
        let unusable = |url: &str| Failure::Unusable(format!("{url:?} is not a URL"));
        let token_url = self.outgoing().url(&self.server.token_endpoint)?;
        let authorization_url = self.server.authorization_endpoint.as_deref().map(|url| self.outgoing().url(url));
        let id = ClientId::new(self.provider.client_id.clone().unwrap_or_default());
        let client = oauth2::Client::new(id)
            .set_token_uri(TokenUrl::from_url(token_url))
            .set_auth_uri_option(authorization_url.transpose()?.map(AuthUrl::from_url))
            .set_redirect_uri(RedirectUrl::new(self.callback_url.clone()).map_err(|_| unusable(&self.callback_url))?);
        Ok(match &self.authentication {
            Authentication::Basic(secret) => {
                client.set_auth_type(AuthType::BasicAuth).set_client_secret(ClientSecret::new(secret.to_string()))
            }
            Authentication::Post(secret) => {
                client.set_auth_type(AuthType::RequestBody).set_client_secret(ClientSecret::new(secret.to_string()))
            }
            Authentication::Public | Authentication::Signature(_) | Authentication::AwsIamIdToken => client,
        })
    }

    /// The scopes as this vendor wants them written, which not always is what RFC 6749 says.
    pub(super) fn scope<'s>(&self, scopes: impl IntoIterator<Item = &'s String>) -> Option<Scope> {
        let mut joined = String::new();
        for scope in scopes {
            if !joined.is_empty() {
                joined.push(self.profile.scope_separator);
            }
            joined.push_str(scope);
        }
        (!joined.is_empty()).then(|| Scope::new(joined))
    }

    /// The parameters that prove who the client is, new for each request.
    async fn assertion(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let assertion = match &self.authentication {
            Authentication::Public | Authentication::Basic(_) | Authentication::Post(_) => return Ok(Vec::new()),
            Authentication::Signature(signer) => signer.sign(self.service.clock.now())?,
            Authentication::AwsIamIdToken => self.aws_identity().await?,
        };
        Ok(vec![("client_assertion_type", ASSERTION_TYPE.to_owned()), ("client_assertion", assertion)])
    }

    /// Sends a token request, and brings what real servers answer into the form of RFC 6749.
    async fn post(&self, mut request: HttpRequest) -> Result<HttpResponse, Failure> {
        let part = Part::TokenEndpoint;
        if self.provider.client_id.is_none() {
            let body = encoding::without(request.body(), "client_id");
            *request.body_mut() = body;
        }
        if self.profile.token_request == Encoding::Json {
            let body = encoding::json(request.body());
            *request.body_mut() = body;
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut answer = self.outgoing().send(part, request).await?;
        let status = answer.status();
        let refused = serde_json::from_slice::<BasicErrorResponse>(answer.body()).is_ok();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || !(status.is_success() || refused) {
            return Err(Failure::Status { part, host: self.host(), status: status.as_u16() });
        }
        if !json::is_object(answer.body()) {
            return Err(self.malformed(NO_TOKEN));
        }
        // Some servers refuse with 200, and some grant with 201.
        *answer.status_mut() = if refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        Ok(answer)
    }

    fn accept(&self, tokens: &ProviderTokens) -> Result<StoredToken, Failure> {
        if *tokens.token_type() != BasicTokenType::Bearer {
            return Err(self.malformed("gave a token that is no bearer token"));
        }
        let access_token = Zeroizing::new(tokens.access_token().secret().clone());
        if !(1..=LONGEST_TOKEN).contains(&access_token.chars().count()) {
            return Err(self.malformed("gave an access token that is empty or too long"));
        }
        let refresh_token = tokens.refresh_token().map(|token| Zeroizing::new(token.secret().clone()));
        Ok(StoredToken {
            access_token,
            refresh_token: refresh_token.filter(|token| !token.is_empty()),
            obtained: self.now,
            expires: tokens.expires_in().map(|life| self.now.saturating_add(life)),
        })
    }

    fn failure(&self, error: RequestTokenError<Failure, BasicErrorResponse>) -> Failure {
        match error {
            RequestTokenError::ServerResponse(response) => Failure::refused(response.error().as_ref()),
            RequestTokenError::Request(failure) => failure,
            // The texts of these can quote the answer.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => self.malformed(NO_TOKEN),
        }
    }

    fn malformed(&self, problem: &'static str) -> Failure {
        Failure::Malformed { part: Part::TokenEndpoint, host: self.host(), problem }
    }

    fn host(&self) -> String {
        Url::parse(&self.server.token_endpoint).map(|url| host(&url)).unwrap_or_default()
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderClient {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.post(request))
    }
}

const NO_TOKEN: &str = "did not answer with the JSON of a token response";
