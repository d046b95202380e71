//! A request of a browser, or of a program that speaks to the same paths.

use std::fmt;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;

use super::{Fields, cookie};

pub(crate) struct Request {
    parts: Parts,
    body: Bytes,
}

impl Request {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        Self { parts, body }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }

    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query as it was sent, without the question mark.
    pub(crate) fn raw_query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> Fields {
        Fields::parse(self.raw_query().as_bytes())
    }

    /// The fields of an `application/x-www-form-urlencoded` body; `None` for a body of another type.
    pub(crate) fn form(&self) -> Option<Fields> {
        let media_type = self.header(CONTENT_TYPE.as_str())?.split(';').next()?.trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded").then(|| Fields::parse(&self.body))
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        cookie::find(&self.parts.headers, name)
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}

/// Query, headers and body can hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", self.method()).field("path", &self.path()).finish_non_exhaustive()
    }
}
