//! Answers without a service: what a client sends is kept, and what it gets is made up.

use std::fmt;
use std::sync::{Arc, Mutex};

use agentcore_identity::{IdentityClient, RequestContext};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use tokio::sync::Barrier;

/// What a client has sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Path of the operation; `/` is AWS STS.
    pub path: String,
    /// JSON, or the form of AWS STS.
    pub body: String,
}

impl Sent {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a request of AgentCore Identity is JSON")
    }
}

type Answer = dyn Fn(usize, &Sent) -> String + Send + Sync;

/// The other end of a client's connections.
#[derive(Clone)]
pub struct Wire {
    sent: Arc<Mutex<Vec<Sent>>>,
    answer: Arc<Answer>,
    together: Arc<Barrier>,
}

impl Wire {
    /// `answer` gives the body of an answer; it is told how many requests there were before this one.
    pub fn new(answer: impl Fn(usize, &Sent) -> String + Send + Sync + 'static) -> Self {
        Self::answering_together(1, answer)
    }

    /// The same, but each answer waits until `n` requests wait for theirs.
    pub fn answering_together(n: usize, answer: impl Fn(usize, &Sent) -> String + Send + Sync + 'static) -> Self {
        Self { sent: Arc::default(), answer: Arc::new(answer), together: Arc::new(Barrier::new(n)) }
    }

    /// Answers every request for an access token with `token`, an API key with `key` and a JWT with `jwt`.
    #[must_use]
    pub fn granting() -> Self {
        Self::new(|_, sent| granted(sent))
    }

    /// What was sent so far.
    ///
    /// # Panics
    ///
    /// When an answer panicked.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no answer panics").clone()
    }

    /// A client at this end.
    #[must_use]
    pub fn client(&self) -> IdentityClient {
        let credentials = Credentials::new("AKIDLOCAL", "secret", None, None, "tests");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.clone())
            .build();
        IdentityClient::new(&config)
    }

    /// The context of an agent that brings its own workload token.
    #[must_use]
    pub fn agent(&self) -> RequestContext {
        RequestContext::builder().workload_token("wat").client(self.client()).build()
    }
}

/// An answer that grants what was asked for.
#[must_use]
pub fn granted(sent: &Sent) -> String {
    match sent.path.as_str() {
        "/" => concat!(
            r#"<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>"#,
            "<WebIdentityToken>jwt</WebIdentityToken><Expiration>2100-01-01T00:00:00Z</Expiration>",
            "</GetWebIdentityTokenResult></GetWebIdentityTokenResponse>"
        )
        .to_owned(),
        "/identities/api-key" => r#"{"apiKey": "key"}"#.to_owned(),
        _ => r#"{"accessToken": "token"}"#.to_owned(),
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (_, after_scheme) = request.uri().split_once("://").unwrap_or_default();
        let sent = Sent {
            path: after_scheme.find('/').map_or("/", |at| &after_scheme[at..]).to_owned(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        let before = {
            let mut all = self.sent.lock().expect("no answer panics");
            all.push(sent.clone());
            all.len() - 1
        };
        let body = (self.answer)(before, &sent);
        let together = self.together.clone();
        HttpConnectorFuture::new(async move {
            together.wait().await;
            let ok = StatusCode::try_from(200).expect("200 is a status");
            Ok(HttpResponse::new(ok, body.into()))
        })
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
