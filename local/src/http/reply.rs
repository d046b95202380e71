//! Answers in the form of the protocol in which they were asked for.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::error::ServiceError;
use crate::operation::{Operation, Plane};
use crate::random;
use crate::sts::wire;

pub(super) type Reply = Response<Full<Bytes>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The id of one request, in its answer and in the log.
#[derive(Debug, Clone)]
pub(super) struct RequestId(String);

impl RequestId {
    pub(super) fn new() -> Self {
        // A request is answered even where there is no randomness left for its id.
        Self(random::uuid().unwrap_or_else(|_| "00000000-0000-4000-8000-000000000000".to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a request and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    RestJson,
    Query,
}

impl Protocol {
    pub(super) fn of(operation: Operation) -> Self {
        match operation.plane() {
            Plane::Data | Plane::Control => Self::RestJson,
            Plane::Sts => Self::Query,
        }
    }

    /// The code of an error as the client sees it.
    pub(super) fn code(self, error: &ServiceError) -> &'static str {
        match self {
            Self::RestJson => error.code(),
            Self::Query => wire::code(error),
        }
    }

    /// The status of an error as the client sees it.
    pub(super) fn status(self, error: &ServiceError) -> u16 {
        match self {
            Self::RestJson => error.status(),
            Self::Query => wire::status(error),
        }
    }
}

pub(super) fn success(operation: Operation, output: &Value, id: &RequestId) -> Reply {
    match Protocol::of(operation) {
        Protocol::RestJson => json(operation.success(), output, id),
        Protocol::Query => with_id(wire::success(operation, output, id.as_str()), id),
    }
}

pub(super) fn refusal(protocol: Protocol, error: &ServiceError, id: &RequestId) -> Reply {
    if protocol == Protocol::Query {
        return with_id(wire::refusal(error, id.as_str()), id);
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = json(status, &error.body(), id);
    reply.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error.code()));
    reply
}

pub(super) fn json(status: StatusCode, body: &Value, id: &RequestId) -> Reply {
    let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { Bytes::from(body.to_string()) };
    let has_body = !body.is_empty();
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    if has_body {
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    with_id(reply, id)
}

fn with_id(mut reply: Reply, id: &RequestId) -> Reply {
    reply.headers_mut().extend(HeaderValue::from_str(id.as_str()).ok().map(|id| (REQUEST_ID, id)));
    reply
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Code;

    #[test]
    fn a_refusal_carries_code_status_and_id() {
        let id = RequestId::new();
        let reply = refusal(Protocol::RestJson, &ServiceError::new(Code::Conflict, "taken"), &id);
        assert_eq!(reply.status(), 409);
        assert_eq!(reply.headers()["x-amzn-errortype"], "ConflictException");
        assert_eq!(reply.headers()["x-amzn-requestid"], id.as_str());
        assert_eq!(reply.headers()["content-type"], "application/json");
    }

    #[test]
    fn no_content_is_empty() {
        let reply = success(Operation::TagResource, &json!(null), &RequestId::new());
        assert!(hyper::body::Body::is_end_stream(reply.body()));
        assert!(!reply.headers().contains_key("content-type"));
    }
}
