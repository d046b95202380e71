//! A service in a closure, behind the real AWS SDK, for tests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{IdentityClient, IdentityClientBuilder};

/// A request as the service sees it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The last part of its path; empty for AWS STS.
    pub(crate) path: String,
    /// JSON, or the fields of a form.
    pub(crate) body: Value,
    /// Since the service began.
    pub(crate) at: Duration,
}

impl Request {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }
}

pub(crate) enum Reply {
    Json(Value),
    /// Of AWS STS.
    #[cfg(feature = "iam-access-token")]
    Xml(u16, String),
    Refused(u16, &'static str, &'static str),
    NoConnection,
    After(Duration, Box<Self>),
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct Scripted {
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    start: Instant,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), requests: Arc::default(), start: Instant::now() }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// A client of it, which sends each request once.
    pub(crate) fn client(&self) -> IdentityClient {
        self.builder().build()
    }

    pub(crate) fn builder(&self) -> IdentityClientBuilder {
        let connector = self.clone();
        let credentials = Credentials::from_keys("AKIDLOCAL", "local", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| {
                aws_smithy_runtime_api::client::http::SharedHttpConnector::new(connector.clone())
            }))
            .build();
        IdentityClient::builder().sdk_config(&config)
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = request.uri().split('?').next().unwrap_or_default();
        let bytes = request.body().bytes().unwrap_or_default();
        let request = Request {
            path: url.rsplit('/').next().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(bytes).unwrap_or_else(|_| form(bytes)),
            at: self.start.elapsed(),
        };
        let reply = (self.script)(&request);
        self.requests.lock().unwrap().push(request);
        HttpConnectorFuture::new(answer(reply))
    }
}

fn form(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let fields: HashMap<_, _> = text.split('&').filter_map(|field| field.split_once('=')).collect();
    json!(fields)
}

async fn answer(mut reply: Reply) -> Result<HttpResponse, ConnectorError> {
    while let Reply::After(delay, then) = reply {
        tokio::time::sleep(delay).await;
        reply = *then;
    }
    let (status, body, code) = match reply {
        Reply::Json(body) => (200, body.to_string(), None),
        #[cfg(feature = "iam-access-token")]
        Reply::Xml(status, body) => (status, body, None),
        Reply::Refused(status, code, message) => (status, json!({ "message": message }).to_string(), Some(code)),
        Reply::NoConnection => return Err(ConnectorError::io("connection refused".into())),
        Reply::After(..) => unreachable!("waited for above"),
    };
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, body.into());
    if let Some(code) = code {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    Ok(response)
}
