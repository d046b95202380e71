//! A request's way through the service: guard, route, signature, quota, fault, operation, log.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::Value;

use super::reply::{self, Protocol, Reply, RequestId};
use super::{control, guard, read_body};
use crate::calls::{Call, CallLog, Subject};
use crate::error::ServiceError;
use crate::faults::Fault;
use crate::operation::{Operation, Route};
use crate::service::{Input, Service};
use crate::sigv4;
use crate::sts::wire;
use crate::web;

/// A service, and from where it may be reached.
pub(crate) struct Endpoint {
    pub(crate) service: Arc<Service>,
    pub(crate) allow_remote: bool,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped, as was asked for")]
pub(super) struct Dropped;

/// How an operation ended, if the connection is to live on.
type Outcome = Result<Result<Value, ServiceError>, Dropped>;

impl Endpoint {
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Result<Reply, Dropped> {
        let id = RequestId::new();
        let (mut parts, body) = request.into_parts();
        let is_control = parts.uri.path().starts_with(control::PREFIX);
        let is_visit = web::serves(&parts.method, parts.uri.path());
        // Behind `allow_remote`, other machines may ask for the health, by whatever name they have for this one.
        let is_private =
            (is_control || web::is_private(&parts.method, parts.uri.path())) && parts.uri.path() != control::HEALTH;
        let mut guarded = guard::check_origin(&parts.headers);
        if is_visit {
            guarded = guarded.and_then(|()| guard::check_visit(&parts));
        }
        if is_private || !self.allow_remote {
            guarded = guarded.and_then(|()| guard::check_host(&parts, self.allow_remote));
        }
        if is_private {
            guarded = guarded.and_then(|()| guard::check_peer(peer));
        }
        if let Err(refused) = guarded {
            tracing::warn!(code = refused.code(), message = refused.message(), "request refused");
            return Ok(reply::refusal(Protocol::RestJson, &refused, &id));
        }
        if parts.method == Method::HEAD && (is_control || is_visit) && !web::is_step(parts.uri.path()) {
            // hyper leaves the body out.
            parts.method = Method::GET;
        }
        if is_control {
            let answer = control::answer(&self.service, &parts, body).await;
            return Ok(match answer {
                Ok(Some(body)) => reply::json(StatusCode::OK, &body, &id),
                Ok(None) => reply::json(StatusCode::NO_CONTENT, &Value::Null, &id),
                Err(error) => reply::refusal(Protocol::RestJson, &error, &id),
            });
        }
        if is_visit {
            return Ok(match read_body(body).await {
                Ok(body) => web::answer(&self.service, &web::Request::new(parts, body)).await,
                Err(error) => reply::refusal(Protocol::RestJson, &error, &id),
            });
        }
        if parts.method == Method::POST && parts.uri.path() == "/" {
            return self.serve_query(&parts, body, &id).await;
        }
        match Route::find(&parts.method, parts.uri.path()) {
            Ok(route) => self.serve(&route, &parts, body, &id).await,
            Err(unknown) => Ok(reply::refusal(Protocol::RestJson, &unknown, &id)),
        }
    }

    /// Of the query protocol only the body says which operation it is.
    async fn serve_query(&self, parts: &Parts, body: Incoming, id: &RequestId) -> Result<Reply, Dropped> {
        let form = match read_body(body).await {
            Ok(form) => form,
            Err(error) => return Ok(reply::refusal(Protocol::Query, &error, id)),
        };
        match wire::operation(&form) {
            Ok(operation) => self.serve(&Route { operation, resource: None }, parts, Full::new(form), id).await,
            Err(unknown) => Ok(reply::refusal(Protocol::Query, &unknown, id)),
        }
    }

    async fn serve<B>(&self, route: &Route<'_>, parts: &Parts, body: B, id: &RequestId) -> Result<Reply, Dropped>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let protocol = Protocol::of(route.operation);
        let mut recording = Recording::start(&self.service.calls, route.operation, id);
        let outcome = self.carry_out(route, parts, body, &mut recording.subject).await?;
        Ok(match outcome {
            Ok(output) => {
                recording.status = route.operation.success().as_u16();
                reply::success(route.operation, &output, id)
            }
            Err(error) => {
                recording.status = protocol.status(&error);
                recording.error = Some(protocol.code(&error));
                reply::refusal(protocol, &error, id)
            }
        })
    }

    async fn carry_out<B>(&self, route: &Route<'_>, parts: &Parts, body: B, subject: &mut Subject) -> Outcome
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let input = match self.admit(route, parts, body).await {
            Ok(input) => input,
            Err(refused) => return Ok(Err(refused)),
        };
        *subject = self.service.subject(route.operation, &input);
        match self.service.faults.take(route.operation) {
            Some(Fault::DropConnection) => return Err(Dropped),
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(fault) => {
                if let Some(refusal) = fault.refusal(route.operation) {
                    return Ok(Err(refusal));
                }
            }
            None => {}
        }
        Ok(self.service.call(route.operation, input).await)
    }

    /// The members of a request that was signed, and is not one too many.
    async fn admit<B>(&self, route: &Route<'_>, parts: &Parts, body: B) -> Result<Input, ServiceError>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let body = read_body(body).await?;
        let service = route.operation.plane().signing_name();
        let scope = sigv4::Expected { region: self.service.place.region(), service };
        sigv4::verify(parts, &body, self.service.credentials(), &scope, SystemTime::now())?;
        if let Some(quotas) = &self.service.quotas {
            quotas.admit(route.operation)?;
        }
        let mut input = match Protocol::of(route.operation) {
            Protocol::RestJson => Input::parse(&body)?,
            Protocol::Query => Input::of(wire::members(&body)),
        };
        if let Some(arn) = route.resource {
            input.insert("resourceArn", decoded("resourceArn", arn)?.into());
            if route.operation == Operation::UntagResource {
                input.insert("tagKeys", tag_keys(parts.uri.query().unwrap_or_default())?);
            }
        }
        Ok(input)
    }
}

/// The tag keys of a query, or null if it has none.
fn tag_keys(query: &str) -> Result<Value, ServiceError> {
    let keys = query.split('&').filter_map(|pair| pair.strip_prefix("tagKeys="));
    let keys = keys.map(|key| decoded("tagKeys", key)).collect::<Result<Vec<_>, _>>()?;
    Ok(if keys.is_empty() { Value::Null } else { keys.into() })
}

fn decoded(member: &str, text: &str) -> Result<String, ServiceError> {
    String::from_utf8(sigv4::decoded(text)).map_err(|_| ServiceError::invalid_member(member, "is not UTF-8"))
}

/// Logs a call when it is over, also when that is because the client has gone.
struct Recording<'a> {
    log: &'a CallLog,
    operation: Operation,
    at: SystemTime,
    request_id: &'a RequestId,
    subject: Subject,
    status: u16,
    error: Option<&'static str>,
}

impl<'a> Recording<'a> {
    fn start(log: &'a CallLog, operation: Operation, request_id: &'a RequestId) -> Self {
        Self { log, operation, at: SystemTime::now(), request_id, subject: Subject::default(), status: 0, error: None }
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let Subject { workload, user, provider } = std::mem::take(&mut self.subject);
        tracing::info!(
            operation = self.operation.as_str(),
            status = self.status,
            error = self.error,
            workload,
            provider,
            request_id = self.request_id.as_str(),
            "call"
        );
        self.log.record(Call {
            operation: self.operation,
            at: self.at,
            workload,
            user,
            provider,
            status: self.status,
            error: self.error.map(str::to_owned),
            request_id: self.request_id.as_str().to_owned(),
        });
    }
}
