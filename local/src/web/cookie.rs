//! Cookies, as little of them as is needed.

use std::time::Duration;

use hyper::header::{COOKIE, HeaderMap, HeaderValue};

/// A cookie that scripts cannot read, and that comes along when a link from elsewhere leads here, but with no other
/// request from elsewhere.
#[derive(Debug)]
pub(crate) struct Cookie<'a> {
    pub(crate) name: &'a str,
    /// Of the characters that need no escaping in a cookie, such as base64url.
    pub(crate) value: &'a str,
    /// Below which path the browser sends it.
    pub(crate) path: &'a str,
    /// Zero removes it.
    pub(crate) lives: Duration,
}

impl Cookie<'_> {
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let Self { name, value, path, lives } = self;
        let header = format!("{name}={value}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax", lives.as_secs());
        HeaderValue::try_from(header).ok()
    }
}

/// The value of the first cookie of this name: browsers send the one of the longest path first.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    headers
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_own_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=abc=; session=later"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(find(&headers, "session"), Some("abc="));
        assert_eq!(find(&headers, "b"), Some("2"));
        assert_eq!(find(&headers, "sess"), None);
    }

    #[test]
    fn is_out_of_reach_of_scripts_and_of_other_sites() {
        let cookie = Cookie { name: "s", value: "v", path: "/idp", lives: Duration::from_mins(1) };
        assert_eq!(cookie.header().unwrap(), "s=v; Path=/idp; Max-Age=60; HttpOnly; SameSite=Lax");
    }
}
