//! A client without an SDK: HTTP/1.1 by hyper, signatures by aws-sigv4.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod browser;
pub(crate) mod consent;
pub(crate) mod jwt;
pub(crate) mod log;
pub(crate) mod provider;

use std::time::SystemTime;

use agentcore_identity_local::{LocalIdentity, LocalIdentityBuilder};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const API_KEY: &str = "sk-local-0123456789";

/// A service with one workload identity and one key.
pub(crate) fn builder() -> LocalIdentityBuilder {
    LocalIdentity::builder().workload_identity("my-agent").api_key("openai", API_KEY)
}

pub(crate) async fn start() -> LocalIdentity {
    builder().start().await.unwrap()
}

pub(crate) type NoAnswer = Box<dyn std::error::Error + Send + Sync>;

/// Who signs, and for where.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// `host:port`
    pub(crate) authority: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?} is not JSON", self.body))
    }

    pub(crate) fn error(&self) -> &str {
        self.headers.get("x-amzn-errortype").map_or("", |code| code.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

/// The head of a request as it goes over the wire.
pub(crate) fn head<B>(request: &Request<B>) -> String {
    let header = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}\r\n", value.to_str().unwrap());
    let headers: String = request.headers().iter().map(header).collect();
    format!("{} {} HTTP/1.1\r\n{headers}\r\n", request.method(), request.uri())
}

impl Client {
    pub(crate) fn of(local: &LocalIdentity) -> Self {
        Self {
            authority: local.endpoint_url().strip_prefix("http://").unwrap().to_owned(),
            region: local.region().to_owned(),
            access_key_id: local.access_key_id().to_owned(),
            secret_access_key: local.secret_access_key().to_owned(),
        }
    }

    /// From the `export` lines of the program.
    pub(crate) fn of_exports(exports: &str) -> Self {
        let value = |name: &str| {
            let prefix = format!("export {name}=");
            exports.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().to_owned()
        };
        Self {
            authority: value("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE").strip_prefix("http://").unwrap().to_owned(),
            region: value("AWS_REGION"),
            access_key_id: value("AWS_ACCESS_KEY_ID"),
            secret_access_key: value("AWS_SECRET_ACCESS_KEY"),
        }
    }

    pub(crate) fn signed(&self, method: &str, target: &str, body: &[u8]) -> Request<Full<Bytes>> {
        self.signed_for("bedrock-agentcore", "application/json", method, target, body)
    }

    pub(crate) fn signed_for(
        &self,
        service: &str,
        content_type: &str,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Request<Full<Bytes>> {
        let identity = Credentials::new(&self.access_key_id, &self.secret_access_key, None, None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let headers = [("host", self.authority.as_str()), ("content-type", content_type)];
        let uri = format!("http://{}{target}", self.authority);
        let signable = SignableRequest::new(method, uri, headers.into_iter(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
    }

    /// Sends the head of a signed request, and returns when the service waits for its body: the call is under way.
    pub(crate) async fn begin(&self, target: &str, body: &[u8]) -> TcpStream {
        let mut head = head(&self.signed("POST", target, body));
        head.insert_str(head.len() - 2, &format!("expect: 100-continue\r\ncontent-length: {}\r\n", body.len()));
        let mut stream = TcpStream::connect(&self.authority).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = *b"HTTP/1.1 100 Continue\r\n\r\n";
        let expected = answer;
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, expected);
        stream
    }

    /// Sends one request on its own connection; an error is a connection that gave no answer.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    pub(crate) async fn try_call(&self, operation: &str, input: Value) -> Result<Answer, NoAnswer> {
        let target = match operation {
            "GetResourceApiKey" => "/identities/api-key".to_owned(),
            "GetResourceOauth2Token" => "/identities/oauth2/token".to_owned(),
            "GetTokenVault" => "/identities/get-token-vault".to_owned(),
            other => format!("/identities/{other}"),
        };
        self.send(self.signed("POST", &target, input.to_string().as_bytes())).await
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Answer {
        self.try_call(operation, input).await.unwrap()
    }

    pub(crate) async fn token(&self) -> String {
        let answer = self.call("GetWorkloadAccessToken", json!({ "workloadName": "my-agent" })).await;
        answer.json()["workloadAccessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn api_key(&self, token: &str) -> Answer {
        let input = json!({ "workloadIdentityToken": token, "resourceCredentialProviderName": "openai" });
        self.call("GetResourceApiKey", input).await
    }

    /// An unsigned request, as `curl` sends it.
    pub(crate) async fn plain(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", &self.authority);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()).await.unwrap()
    }
}
