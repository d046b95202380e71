//! Authorization servers: where their endpoints are, and what they say of themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::ACCEPT;
use hyper::http::Request;
use serde::Deserialize;
use url::Url;

use super::failure::{Failure, Part};
use super::outgoing::{Outgoing, host};
use crate::clock::UnixMillis;
use crate::json;
use crate::store::{Endpoints, Oauth2Provider, ServerMetadata, own_discovery_url};
use crate::sync::lock;

/// How long a metadata document is used before it is fetched again.
const KEPT: Duration = Duration::from_mins(10);

/// What a client has to know of an authorization server. The names are those of RFC 8414.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct AuthorizationServer {
    pub(super) issuer: String,
    /// A server that serves only machines has none.
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: String,
    pub(super) revocation_endpoint: Option<String>,
    /// RFC 9207: every answer of the authorization endpoint names the issuer.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// The metadata documents that were fetched, by their URLs.
#[derive(Default)]
pub(super) struct AuthorizationServers(Mutex<HashMap<String, Fetched>>);

struct Fetched {
    at: UnixMillis,
    server: Arc<AuthorizationServer>,
}

impl AuthorizationServers {
    /// The server of `provider`. `own` is the URL of this service.
    pub(super) async fn of(
        &self,
        provider: &Oauth2Provider,
        outgoing: &Outgoing,
        own: &str,
        now: UnixMillis,
    ) -> Result<Arc<AuthorizationServer>, Failure> {
        match &provider.endpoints {
            Endpoints::Own => self.discover(&own_discovery_url(own), outgoing, now).await,
            Endpoints::Discovery(url) => self.discover(url, outgoing, now).await,
            Endpoints::Inline(metadata) => Ok(Arc::new(AuthorizationServer::from(metadata))),
        }
    }

    async fn discover(
        &self,
        url: &str,
        outgoing: &Outgoing,
        now: UnixMillis,
    ) -> Result<Arc<AuthorizationServer>, Failure> {
        if let Some(known) = lock(&self.0).get(url).filter(|fetched| now.since(fetched.at) < KEPT) {
            return Ok(Arc::clone(&known.server));
        }
        let server = Arc::new(fetch(url, outgoing).await?);
        let mut known = lock(&self.0);
        known.retain(|_, fetched| now.since(fetched.at) < KEPT);
        known.insert(url.to_owned(), Fetched { at: now, server: Arc::clone(&server) });
        Ok(server)
    }
}

impl From<&ServerMetadata> for AuthorizationServer {
    fn from(metadata: &ServerMetadata) -> Self {
        Self {
            issuer: metadata.issuer.clone(),
            authorization_endpoint: Some(metadata.authorization_endpoint.clone()),
            token_endpoint: metadata.token_endpoint.clone(),
            revocation_endpoint: None,
            authorization_response_iss_parameter_supported: false,
        }
    }
}

async fn fetch(url: &str, outgoing: &Outgoing) -> Result<AuthorizationServer, Failure> {
    let part = Part::Metadata;
    let parsed = outgoing.url(url)?;
    let host = host(&parsed);
    let request = Request::get(parsed.as_str())
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| Failure::Unusable(format!("{url:?} is not a URL")))?;
    let answer = outgoing.send(part, request).await?;
    if answer.status() != StatusCode::OK {
        return Err(Failure::Status { part, host, status: answer.status().as_u16() });
    }
    let problem = "is not JSON with an issuer and a token_endpoint";
    let server: AuthorizationServer =
        json::object(answer.body()).map_err(|_| Failure::Malformed { part, host: host.clone(), problem })?;
    if !is_issued_by(&parsed, &server.issuer) {
        let problem = "names an issuer whose document it cannot be";
        return Err(Failure::Malformed { part, host, problem });
    }
    Ok(server)
}

/// Whether an issuer's metadata is where its name says. Without this, one server could pass for another.
fn is_issued_by(document: &Url, issuer: &str) -> bool {
    const WELL_KNOWN: &str = "/.well-known/";
    let document = document.as_str();
    let Some((base, rest)) = document.split_once(WELL_KNOWN) else { return false };
    // OpenID Connect appends the well-known part to the issuer; RFC 8414 puts it between the issuer's host and path.
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let expected = if path.is_empty() { base.to_owned() } else { format!("{base}/{path}") };
    let (expected, issuer) = (expected.trim_end_matches('/'), issuer.trim_end_matches('/'));
    if expected == issuer {
        return true;
    }
    // Microsoft's documents for more than one tenant name the issuer with a hole in it.
    let (Some((before, after)), true) =
        (issuer.split_once("{tenantid}"), expected.starts_with("https://login.microsoftonline.com/"))
    else {
        return false;
    };
    expected
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after))
        .is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_belongs_to_the_issuer_that_its_address_names() {
        for (document, issuer) in [
            ("https://idp.example/.well-known/openid-configuration", "https://idp.example"),
            ("https://idp.example/.well-known/openid-configuration", "https://idp.example/"),
            ("http://127.0.0.1:80/idp/.well-known/openid-configuration", "http://127.0.0.1/idp"),
            ("https://idp.example/a/b/.well-known/openid-configuration", "https://idp.example/a/b"),
            ("https://idp.example/.well-known/oauth-authorization-server/a/b", "https://idp.example/a/b"),
            (
                "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
                "https://login.microsoftonline.com/{tenantid}/v2.0",
            ),
        ] {
            assert!(is_issued_by(&Url::parse(document).unwrap(), issuer), "{document} {issuer}");
        }
        for (document, issuer) in [
            ("https://idp.example/.well-known/openid-configuration", "https://other.example"),
            ("https://idp.example/.well-known/openid-configuration", "https://idp.example.evil"),
            ("https://idp.example/a/.well-known/openid-configuration", "https://idp.example"),
            ("https://idp.example/.well-known/openid-configuration", "http://idp.example"),
            ("https://evil.example/common/.well-known/openid-configuration", "https://evil.example/{tenantid}"),
            (
                "https://login.microsoftonline.com/a/b/v2.0/.well-known/openid-configuration",
                "https://login.microsoftonline.com/{tenantid}/v2.0",
            ),
        ] {
            assert!(!is_issued_by(&Url::parse(document).unwrap(), issuer), "{document} {issuer}");
        }
    }
}
