//! Keeps web pages out. A page that a developer visits can send requests to this machine, and by DNS rebinding even
//! read the answers; its browser then tells the page's own host in `Host` or `Origin`.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Uri};

use crate::error::{Code, ServiceError};
use crate::limits;

/// # Errors
/// `AccessDeniedException` unless the request was addressed to this machine by a name that only it can have.
/// `allow_remote` says that more than this machine may call, elsewhere.
pub(super) fn check_host(parts: &Parts, allow_remote: bool) -> Result<(), ServiceError> {
    let named = values(&parts.headers, &HOST);
    // A request line with an absolute URI names a host as well.
    let hosts: Vec<&str> = named.into_iter().chain(parts.uri.authority().map(Authority::as_str)).collect();
    if !hosts.is_empty() && hosts.iter().all(|host| is_loopback(host)) {
        return Ok(());
    }
    let hosts: Vec<String> = hosts.into_iter().map(limits::quoted).collect();
    let (what, advice) = if allow_remote {
        ("The pages and what is under /_local/ answer", "Open them on the machine that serves, at one of these.")
    } else {
        ("The local service answers", "To serve other machines, start it with --allow-remote.")
    };
    Err(refused(format!(
        "{what} only requests whose Host is localhost, 127.0.0.1 or [::1]; this one has [{}]. {advice}",
        hosts.join(", ")
    )))
}

/// # Errors
/// `AccessDeniedException` if the request comes from another machine.
pub(super) fn check_peer(peer: SocketAddr) -> Result<(), ServiceError> {
    if peer.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(refused(format!("The pages and what is under /_local/ answer only to this machine, and not to {}", peer.ip())))
}

/// # Errors
/// `AccessDeniedException` if a web page of another machine sent the request.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), ServiceError> {
    let local = |origin: &&str| {
        origin.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|authority| is_loopback(authority.as_str())))
    };
    match values(headers, &ORIGIN).into_iter().find(|origin| !local(origin)) {
        None => Ok(()),
        Some(origin) => Err(refused(format!(
            "The local service answers no web page of another machine; this request's Origin is {}.",
            limits::quoted(origin)
        ))),
    }
}

/// What a browser may do on the paths that people visit: follow a link from anywhere, in a window and not in a frame;
/// send the forms of these very pages. A request without the headers that browsers add is a program's.
///
/// # Errors
/// `AccessDeniedException` for anything else.
pub(super) fn check_visit(parts: &Parts) -> Result<(), ServiceError> {
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("not text"));
    let is_own_page = matches!(header("sec-fetch-site"), None | Some("same-origin" | "none"));
    if parts.method == Method::GET || parts.method == Method::HEAD {
        let is_visit =
            header("sec-fetch-mode") == Some("navigate") && matches!(header("sec-fetch-dest"), None | Some("document"));
        if is_own_page || is_visit {
            return Ok(());
        }
        return Err(refused("Pages from elsewhere may link to this page, but not load or frame it.".to_owned()));
    }
    let host = header(HOST.as_str()).unwrap_or_default();
    let is_own_origin = |origin: &str| {
        origin
            .parse::<Uri>()
            .is_ok_and(|uri| uri.authority().is_some_and(|own| own.as_str().eq_ignore_ascii_case(host)))
    };
    match values(&parts.headers, &ORIGIN).into_iter().find(|origin| !is_own_origin(origin)) {
        None if is_own_page => Ok(()),
        None => Err(refused("Only this service's own pages may send its forms.".to_owned())),
        Some(origin) => Err(refused(format!(
            "Only this service's own pages may send its forms; this request's Origin is {}, and not that of {}.",
            limits::quoted(origin),
            limits::quoted(host)
        ))),
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &hyper::header::HeaderName) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("not text")).collect()
}

fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("0"))),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("0")),
        },
    };
    let has_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_local = host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback());
    has_port && is_local
}

fn refused(message: String) -> ServiceError {
    ServiceError::new(Code::AccessDenied, message)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn loopback_hosts_pass() {
        for host in ["localhost", "LocalHost:80", "127.0.0.1:4566", "127.9.9.9", "[::1]:4566", "[::1]"] {
            assert_eq!(check_host(&parts("/", &[("host", host)]), false), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_hosts_do_not() {
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "192.168.0.1",
            "0.0.0.0:4566",
            "[::2]:80",
            "[::ffff:10.0.0.1]:80",
            "[::1]x",
            "localhost:",
            "localhost:80:80",
            "user@localhost",
        ] {
            let error = check_host(&parts("/", &[("host", host)]), false).unwrap_err();
            assert_eq!((error.code(), error.status()), ("AccessDeniedException", 403), "{host}");
        }
        assert!(check_host(&parts("/", &[]), false).is_err());
        assert!(check_host(&parts("/", &[("host", "localhost"), ("host", "example.com")]), false).is_err());
        assert!(check_host(&parts("http://example.com/", &[("host", "localhost")]), false).is_err());
    }

    #[test]
    fn a_refusal_quotes_no_more_than_a_log_can_bear() {
        let long = "x".repeat(10_000);
        let host = check_host(&parts("/", &[("host", &long), ("host", "example.com")]), false).unwrap_err();
        assert!(host.message().contains("x\"…, \"example.com\"]"), "{host}");
        let origin = check_origin(&parts("/", &[("origin", &long)]).headers).unwrap_err();
        assert!(host.message().len() < 400 && origin.message().len() < 400, "{host} {origin}");
    }

    #[test]
    fn only_local_pages_may_call() {
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"] {
            assert_eq!(check_origin(&parts("/", &[("origin", origin)]).headers), Ok(()), "{origin}");
        }
        assert_eq!(check_origin(&parts("/", &[]).headers), Ok(()));
        for origin in ["null", "https://example.com", "http://localhost.example.com", ""] {
            assert!(check_origin(&parts("/", &[("origin", origin)]).headers).is_err(), "{origin}");
        }
    }
}
