//! Goes through the pages of a consent as a person's browser would, for tests that have neither.

use std::collections::BTreeMap;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::limits;

/// Redirects and forms that are followed before a loop is assumed.
const MOST_STEPS: usize = 20;

/// Why the pages of a consent did not lead back to the application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ConsentError {
    problem: String,
}

impl ConsentError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }

    fn of(error: &dyn std::error::Error) -> Self {
        Self::new(format!("the local service did not answer: {error}"))
    }
}

/// What the person does.
pub(crate) struct Visit<'a> {
    /// The service's own URL.
    pub(crate) service: &'a str,
    pub(crate) user: &'a str,
    pub(crate) allows: bool,
}

/// Where a visit ends.
pub(crate) enum End {
    /// At another site, which is not visited.
    Elsewhere(String),
    /// On a page of the service from which no form leads on.
    Page { url: String, status: StatusCode, heading: String },
}

struct Page {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

impl Visit<'_> {
    pub(crate) async fn follow(&self, url: &str) -> Result<End, ConsentError> {
        let mut cookies = BTreeMap::new();
        let mut url = url.to_owned();
        if self.target(&url).is_none() {
            return Err(ConsentError::new("the authorization URL is not one of this local service"));
        }
        let mut form = None;
        for _ in 0..MOST_STEPS {
            let Some(target) = self.target(&url) else { return Ok(End::Elsewhere(url)) };
            let page = self.request(target, form.take(), &mut cookies).await?;
            if let Some(location) = page.location {
                url = if location.starts_with('/') { format!("{}{location}", self.service) } else { location };
            } else if let Some((action, fields)) = self.answer(&page.body) {
                url = format!("{}{action}", self.service);
                form = Some(fields);
            } else {
                let heading = between(&page.body, "<h1>", "</h1>").unwrap_or_default().to_owned();
                return Ok(End::Page { url, status: page.status, heading });
            }
        }
        Err(ConsentError::new(format!("the pages lead on for more than {MOST_STEPS} steps")))
    }

    /// The path and query of a URL of the service.
    fn target<'u>(&self, url: &'u str) -> Option<&'u str> {
        url.strip_prefix(self.service).filter(|rest| rest.starts_with('/'))
    }

    /// Fills in the form of a page.
    fn answer(&self, page: &str) -> Option<(String, String)> {
        let action = between(page, "<form", ">").and_then(|tag| between(tag, "action=\"", "\""))?;
        let hidden = between(page, "name=\"form\" value=\"", "\"")?;
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair("form", hidden);
        if page.contains("name=\"user\"") {
            fields.append_pair("user", self.user);
        } else {
            fields.append_pair("decision", if self.allows { "allow" } else { "deny" });
        }
        Some((action.to_owned(), fields.finish()))
    }

    /// One request on a connection of its own: no timer and no pool, which a test with a paused clock would drive mad.
    async fn request(
        &self,
        target: &str,
        form: Option<String>,
        cookies: &mut BTreeMap<String, String>,
    ) -> Result<Page, ConsentError> {
        let authority = self.service.trim_start_matches("http://");
        let stream = TcpStream::connect(authority).await.map_err(|error| ConsentError::of(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ConsentError::of(&error))?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().uri(target).header(HOST, authority);
        if !cookies.is_empty() {
            let all: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        if form.is_some() {
            request = request
                .method(Method::POST)
                .header(ORIGIN, self.service)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request
            .body(Full::new(Bytes::from(form.unwrap_or_default())))
            .map_err(|_| ConsentError::new(format!("{} is no URL to visit", limits::quoted(target))))?;
        let (parts, body) = sender.send_request(request).await.map_err(|error| ConsentError::of(&error))?.into_parts();
        let body = Limited::new(body, limits::BODY_BYTES)
            .collect()
            .await
            .map_err(|error| ConsentError::of(error.as_ref()))?
            .to_bytes();
        connection.abort();
        for header in parts.headers.get_all(SET_COOKIE).iter().filter_map(|header| header.to_str().ok()) {
            if let Some((name, value)) = header.split(';').next().and_then(|pair| pair.split_once('=')) {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = parts.headers.get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
        Ok(Page {
            status: parts.status,
            location: location.filter(|_| parts.status.is_redirection()),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

impl End {
    /// Where the browser was sent, or what the page says on which it was left.
    pub(crate) fn elsewhere(self) -> Result<String, ConsentError> {
        match self {
            Self::Elsewhere(url) => Ok(url),
            Self::Page { status, heading, .. } => Err(ConsentError::new(format!(
                "the pages ended with {heading:?} (status {}), and not at the application",
                status.as_u16()
            ))),
        }
    }

    /// The address that the browser shows in the end.
    pub(crate) fn address(self) -> String {
        match self {
            Self::Elsewhere(url) | Self::Page { url, .. } => url,
        }
    }
}
