//! Answers in the form of REST-JSON 1.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::error::ServiceError;
use crate::random;

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

pub(super) fn success(status: StatusCode, body: &Value, id: &RequestId) -> Reply {
    let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { Bytes::from(body.to_string()) };
    reply(status, body, id)
}

pub(super) fn refusal(error: &ServiceError, id: &RequestId) -> Reply {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = reply(status, Bytes::from(error.body().to_string()), id);
    reply.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error.code()));
    reply
}

fn reply(status: StatusCode, body: Bytes, id: &RequestId) -> Reply {
    let json = !body.is_empty();
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    if json {
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        reply.headers_mut().insert(REQUEST_ID, id);
    }
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
        let reply = refusal(&ServiceError::new(Code::Conflict, "taken"), &id);
        assert_eq!(reply.status(), 409);
        assert_eq!(reply.headers()["x-amzn-errortype"], "ConflictException");
        assert_eq!(reply.headers()["x-amzn-requestid"], id.as_str());
        assert_eq!(reply.headers()["content-type"], "application/json");
    }

    #[test]
    fn no_content_is_empty() {
        let reply = success(StatusCode::NO_CONTENT, &json!(null), &RequestId::new());
        assert!(hyper::body::Body::is_end_stream(reply.body()));
        assert!(!reply.headers().contains_key("content-type"));
    }
}
