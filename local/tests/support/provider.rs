//! An authorization server that answers as it is told, and remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinSet;

/// A token request, or one for revocation.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.form().into_iter().filter_map(|(found, value)| (found == name).then_some(value)).collect()
    }

    /// The value of a parameter that must not be there more than once.
    pub(crate) fn one(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        assert!(values.len() < 2, "{name} is there more than once: {}", self.body);
        values.pop()
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, &'static str, String)>,
    metadata: Option<Value>,
    metadata_is_down: bool,
    asked: Vec<Asked>,
    tokens: usize,
}

/// Serves until it is dropped.
pub(crate) struct Provider {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    /// Whoever holds it stalls every answer but the metadata document.
    gate: Arc<Gate>,
    _tasks: JoinSet<()>,
}

type Gate = tokio::sync::Mutex<()>;

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let gate = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&script), Arc::clone(&gate), url.clone()));
        Self { url, script, gate, _tasks: tasks }
    }

    /// What the token endpoint answers next. When nothing is left to answer, it grants `at-1`, `at-2`, … for an hour,
    /// each with a refresh token `rt-1`, `rt-2`, ….
    pub(crate) fn answers(&self, status: u16, body: &Value) {
        self.answers_text(status, "application/json", &body.to_string());
    }

    pub(crate) fn answers_text(&self, status: u16, content_type: &'static str, body: &str) {
        self.script.lock().unwrap().answers.push_back((status, content_type, body.to_owned()));
    }

    /// Replaces the metadata document.
    pub(crate) fn describes_itself(&self, metadata: Value) {
        self.script.lock().unwrap().metadata = Some(metadata);
    }

    /// Has the metadata document unavailable, or there again.
    pub(crate) fn metadata_is_down(&self, down: bool) {
        self.script.lock().unwrap().metadata_is_down = down;
    }

    /// Does not answer until what this returns is dropped.
    pub(crate) async fn stall(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.gate).lock_owned().await
    }

    /// Waits until something was asked that is not taken yet by [`asked`](Self::asked).
    pub(crate) async fn is_asked(&self) {
        while self.script.lock().unwrap().asked.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }

    /// The only request since the last time.
    pub(crate) fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    /// A `CustomOauth2` configuration that finds this server by its metadata document.
    pub(crate) fn discovered(&self) -> Value {
        json!({
            "oauthDiscovery": { "discoveryUrl": format!("{}/.well-known/openid-configuration", self.url) },
            "clientId": "client-1",
            "clientSecret": "client-secret-0123456789",
        })
    }

    /// A `CustomOauth2` configuration with the endpoints of this server.
    pub(crate) fn inline(&self) -> Value {
        json!({
            "oauthDiscovery": { "authorizationServerMetadata": {
                "issuer": self.url,
                "authorizationEndpoint": format!("{}/authorize", self.url),
                "tokenEndpoint": format!("{}/token", self.url),
            } },
            "clientId": "client-1",
            "clientSecret": "client-secret-0123456789",
        })
    }
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>, gate: Arc<Gate>, url: String) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (script, gate, url) = (Arc::clone(&script), Arc::clone(&gate), url.clone());
        let service = service_fn(move |request| answer(Arc::clone(&script), Arc::clone(&gate), url.clone(), request));
        connections.spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    gate: Arc<Gate>,
    url: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let is_metadata = parts.uri.path().starts_with("/.well-known/");
    if !is_metadata {
        script.lock().unwrap().asked.push(Asked {
            path: parts.uri.path().to_owned(),
            authorization: header("authorization"),
            content_type: header("content-type").unwrap_or_default(),
            body,
        });
        drop(gate.lock().await);
    }
    let mut script = script.lock().unwrap();
    let (status, content_type, text) = if is_metadata {
        let metadata = script.metadata.clone().unwrap_or_else(|| {
            json!({
                "issuer": url,
                "authorization_endpoint": format!("{url}/authorize"),
                "token_endpoint": format!("{url}/token"),
                "revocation_endpoint": format!("{url}/revoke"),
            })
        });
        (if script.metadata_is_down { 503 } else { 200 }, "application/json", metadata.to_string())
    } else {
        script.answers.pop_front().unwrap_or_else(|| {
            script.tokens += 1;
            let number = script.tokens;
            let granted = json!({
                "access_token": format!("at-{number}"),
                "token_type": "Bearer",
                "expires_in": 3600,
                "refresh_token": format!("rt-{number}"),
            });
            (200, "application/json", granted.to_string())
        })
    };
    Ok(Response::builder().status(status).header("content-type", content_type).body(text.into()).unwrap())
}
