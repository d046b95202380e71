//! Every option, as everything that it may be.

#![deny(warnings)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use agentcore_identity::{
    AccessToken, AuthFlow, Error, IdentityClient, PendingAuthorization, PendingToken, SigningAlgorithm, TokenPoller,
    requires_access_token, requires_iam_access_token,
};

const SCOPES: &[&str] = &["repo", "read:user"];
const FLOW: &str = "USER_FEDERATION";

struct Poller;

impl TokenPoller for Poller {
    async fn poll_for_token(&self, _: &PendingAuthorization, token: &PendingToken) -> Result<AccessToken, Error> {
        loop {
            if let Some(token) = token.ask().await? {
                return Ok(token);
            }
        }
    }
}

#[requires_access_token(
    provider = "github",
    scopes = ["repo", "read:user"],
    auth_flow = "USER_FEDERATION",
    resources = ["https://api.example"],
    audiences = ["api"],
    on_auth_url = |_| (),
    callback_url = "https://agent.example/callback",
    force_authentication = true,
    token_poller = Poller,
    custom_state = "state",
    custom_parameters = [("prompt", "consent")],
)]
pub async fn literals(access_token: AccessToken) -> Result<usize, Error> {
    Ok(access_token.expose().len())
}

#[requires_access_token(
    provider = "github",
    scopes = [],
    auth_flow = "M2M",
    resources = &[],
    audiences = [],
    custom_parameters = [],
)]
pub async fn empty(access_token: &AccessToken) -> Result<usize, Error> {
    Ok(access_token.expose().len())
}

#[requires_iam_access_token(
    audience = "https://a.example",
    signing_algorithm = "RS256",
    duration_seconds = 60,
    tags = [("team", "")],
)]
pub async fn claims(access_token: &str) -> Result<usize, Error> {
    Ok(access_token.len())
}

pub struct Agent {
    identity: Arc<IdentityClient>,
    flow: AuthFlow,
    scopes: Vec<String>,
    url: String,
    show: Box<dyn Fn(PendingAuthorization) + Send + Sync>,
    poller: Arc<Poller>,
    audiences: BTreeMap<String, String>,
    algorithm: SigningAlgorithm,
}

impl Agent {
    async fn send(&self, message: &str) -> Result<(), std::io::Error> {
        println!("{message} {}", self.url);
        Ok(())
    }

    #[requires_access_token(
        provider = self.url,
        client = self.identity,
        scopes = self.scopes,
        auth_flow = self.flow,
        resources = [&self.url],
        audiences = self.audiences.keys().cloned().collect::<Vec<_>>(),
        on_auth_url = self.show,
        callback_url = self.url,
        force_authentication = self.scopes.is_empty(),
        token_poller = self.poller.clone(),
        custom_state = state,
        custom_parameters = self.audiences,
        into = token,
    )]
    pub async fn expressions(&self, state: &str, token: &str) -> Result<usize, Error> {
        Ok(token.len() + state.len())
    }

    #[requires_access_token(
        provider = "github",
        scopes = SCOPES,
        auth_flow = FLOW,
        on_auth_url = {
            let agent = &*self;
            move |pending: PendingAuthorization| async move { agent.send(pending.url()).await }
        },
        custom_parameters = parameters,
        retry_if = Error::is_retryable,
    )]
    pub async fn borrowing(
        &mut self,
        parameters: HashMap<&'static str, String>,
        access_token: String,
    ) -> Result<usize, Error> {
        self.url.push_str(&access_token);
        Ok(parameters.len())
    }

    #[requires_access_token(
        provider = "github",
        auth_flow = FLOW.to_owned(),
        on_auth_url = async |pending: PendingAuthorization| self.send(pending.url()).await,
    )]
    pub async fn with_an_async_closure(&self, access_token: &str) -> Result<usize, Error> {
        Ok(access_token.len())
    }

    #[requires_iam_access_token(
        audience = self.scopes,
        client = self.identity,
        signing_algorithm = self.algorithm,
        duration_seconds = seconds,
        tags = vec![("team", &self.url)],
    )]
    pub async fn more_claims(&self, seconds: u32, access_token: &str) -> Result<usize, Error> {
        Ok(access_token.len())
    }

    #[requires_iam_access_token(audience = self.url)]
    pub async fn audience_of_a_field(&self, access_token: &str) -> Result<usize, Error> {
        Ok(access_token.len())
    }
}

#[requires_access_token(provider = "github", auth_flow = AuthFlow::UserFederation, on_auth_url = show)]
pub async fn given_a_function(
    show: impl AsyncShow,
    access_token: &str,
) -> Result<usize, Error> {
    show.shown(access_token);
    Ok(access_token.len())
}

pub trait AsyncShow: Fn(PendingAuthorization) -> std::future::Ready<()> + Send + Sync {
    fn shown(&self, token: &str);
}

fn assert_send<T: Send>(_: T) {}

fn main() {
    let agent = |agent: Agent| assert_send(async move { agent.expressions("").await });
    let _ = agent;
    assert_send((literals(), empty(), claims()));
}
