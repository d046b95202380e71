//! Answers to browsers. None may be kept in a cache, framed, or name its address to other sites.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::Cookie;

pub(crate) type Reply = Response<Full<Bytes>>;

/// For pages whose forms lead nowhere else.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Browsers hold a form to `form-action` through every redirect that follows it, and those after a consent end wherever
/// the application has its return URL.
const POLICY_OF_LEAVING: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// A page, made with [`page`](crate::pages::layout::page).
pub(crate) fn html(status: StatusCode, page: String) -> Reply {
    let mut reply = reply(status, page.into());
    set(&mut reply, CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut reply, CONTENT_SECURITY_POLICY, POLICY);
    set(&mut reply, X_FRAME_OPTIONS, "DENY");
    reply
}

/// A page with a form whose answer may lead the browser to another site.
pub(crate) fn html_that_leads_away(status: StatusCode, page: String) -> Reply {
    let mut reply = html(status, page);
    set(&mut reply, CONTENT_SECURITY_POLICY, POLICY_OF_LEAVING);
    reply
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    let mut reply = reply(status, body.to_string().into());
    set(&mut reply, CONTENT_TYPE, "application/json");
    reply
}

/// Leads the browser on with a `GET`. A location that no header can carry is answered with a bare 500.
pub(crate) fn redirect(location: &str) -> Reply {
    let Ok(location) = HeaderValue::try_from(location) else {
        return reply(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new());
    };
    let mut reply = reply(StatusCode::SEE_OTHER, Bytes::new());
    reply.headers_mut().insert(LOCATION, location);
    reply
}

/// For a path that knows other methods.
pub(crate) fn not_allowed(allowed: &'static str) -> Reply {
    with_header(empty(StatusCode::METHOD_NOT_ALLOWED), ALLOW, allowed)
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    reply(status, Bytes::new())
}

pub(crate) fn with_cookie(mut reply: Reply, cookie: &Cookie<'_>) -> Reply {
    reply.headers_mut().extend(cookie.header().map(|header| (SET_COOKIE, header)));
    reply
}

pub(crate) fn with_header(mut reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    set(&mut reply, name, value);
    reply
}

fn reply(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    set(&mut reply, CACHE_CONTROL, "no-store");
    // Under "no-referrer" a browser would send `Origin: null` with the page's own forms as well.
    set(&mut reply, REFERRER_POLICY, "same-origin");
    set(&mut reply, X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply
}

fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_cannot_smuggle_a_header() {
        let reply = redirect("/next\r\nset-cookie: a=b");
        assert_eq!(reply.status(), 500);
        assert!(!reply.headers().contains_key("location") && !reply.headers().contains_key("set-cookie"));
    }
}
