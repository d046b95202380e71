//! Requests of ours to authorization servers.

use std::sync::OnceLock;
use std::time::Duration;

use hyper::http::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use url::{Host, Url};

use super::failure::{Failure, Part};

const TIMEOUT: Duration = Duration::from_secs(10);

/// No document of OAuth2 comes near this.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Sends requests over TLS, or in the clear to this machine. Redirects are not followed: a secret goes where the
/// provider's record says, and nowhere else.
pub(crate) struct Outgoing {
    /// The service itself, which may be spoken to in the clear at whatever address it has.
    own: Option<Url>,
    direct: OnceLock<Client>,
    proxied: OnceLock<Client>,
}

impl Outgoing {
    pub(crate) fn new(own: &str) -> Self {
        Self { own: Url::parse(own).ok(), direct: OnceLock::new(), proxied: OnceLock::new() }
    }

    /// An address that may be asked.
    pub(super) fn url(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::Unusable(format!("{text:?} is not a URL")))?;
        let allowed = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url) || self.own.as_ref().is_some_and(|own| own.origin() == url.origin()),
            _ => false,
        };
        if !allowed {
            return Err(Failure::Unusable(format!("{text:?} must begin with https://, or lead to this machine")));
        }
        Ok(url)
    }

    pub(super) async fn send(&self, part: Part, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Failure> {
        let url = self.url(&request.uri().to_string())?;
        let host = host(&url);
        // The texts of reqwest name the URL, and no more of the request; still only the log at its finest sees them.
        let unreachable = |error: reqwest::Error| {
            tracing::debug!(error = %error.without_url(), host, "an authorization server gave no answer");
            Failure::Unreachable { part, host: host.clone() }
        };
        let client = self.client(&url).map_err(unreachable)?;
        let request = request.try_into().map_err(unreachable)?;
        let mut answer = client.execute(request).await.map_err(unreachable)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Failure::Malformed { part, host, problem: "gave more than one mebibyte" });
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body).map_err(|_| Failure::Malformed { part, host, problem: "gave no HTTP response" })
    }

    /// No proxy leads to this machine, whatever the environment says.
    fn client(&self, url: &Url) -> reqwest::Result<&Client> {
        let (slot, builder) = if is_loopback(url) {
            (&self.direct, Client::builder().no_proxy())
        } else {
            (&self.proxied, Client::builder())
        };
        match slot.get() {
            Some(client) => Ok(client),
            None => build(builder).map(|client| slot.get_or_init(|| client)),
        }
    }
}

fn build(builder: ClientBuilder) -> reqwest::Result<Client> {
    builder
        .redirect(Policy::none())
        .timeout(TIMEOUT)
        .user_agent(concat!("agentcore-identity-local/", env!("CARGO_PKG_VERSION")))
        .build()
}

pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a URL leads to this machine and nowhere else.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_clear_only_to_this_machine() {
        let outgoing = Outgoing::new("http://192.168.1.5:4566");
        for good in [
            "https://idp.example/token",
            "http://127.0.0.1:1/token",
            "http://localhost/token",
            "http://[::1]:80/",
            "http://192.168.1.5:4566/idp/token",
        ] {
            assert!(outgoing.url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://idp.example/token",
            "http://192.168.1.5:80/token",
            "http://localhost.example/",
            "http://127.0.0.1@idp.example/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "token",
        ] {
            assert!(matches!(outgoing.url(bad), Err(Failure::Unusable(_))), "{bad}");
        }
    }
}
