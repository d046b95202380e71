//! As much of a browser as a consent needs: it keeps cookies, and follows nothing by itself.

use std::collections::BTreeMap;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, LOCATION, ORIGIN, SET_COOKIE};
use hyper::{Method, Request};
use url::Url;

use crate::http::send;

/// The parameters of addresses that are as good as a password.
const SECRET_PARAMETERS: [&str; 5] = ["code", "code_challenge", "request_uri", "session_id", "state"];

/// A person's browser.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
    secrets: Vec<String>,
}

/// What a browser shows, or where it is sent.
#[derive(Clone, Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The HTML.
    pub body: String,
}

impl Browser {
    /// One in which `user` is signed in to the application, as its cookie `user` says.
    #[must_use]
    pub fn of(user: &str) -> Self {
        Self { cookies: BTreeMap::from([("user".to_owned(), user.to_owned())]), secrets: Vec::new() }
    }

    /// Opens `url`.
    ///
    /// # Panics
    ///
    /// When nobody answers.
    pub async fn open(&mut self, url: &str) -> Page {
        self.request(Method::GET, url, &[], String::new()).await
    }

    /// Sends the form that `page` shows at `url`, with these fields filled in.
    ///
    /// # Panics
    ///
    /// When the page has no form, or nobody answers.
    pub async fn submit(&mut self, url: &str, page: &Page, fields: &[(&str, &str)]) -> Page {
        let url = Url::parse(url).expect("a browser shows the address of a page");
        let action = url.join(page.between("action=\"", "\"")).expect("a form leads somewhere");
        let hidden = page.between("name=\"form\" value=\"", "\"");
        self.secrets.push(hidden.to_owned());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("form", hidden).extend_pairs(fields);
        let origin = url.origin().ascii_serialization();
        let headers = [(ORIGIN, origin.as_str()), (CONTENT_TYPE, "application/x-www-form-urlencoded")];
        self.request(Method::POST, action.as_str(), &headers, form.finish()).await
    }

    /// Opens a link of the local service, signs in at its identity provider as `user` and allows what is asked for.
    /// Returns the provider's answer, an address of the service that is not opened yet.
    ///
    /// # Panics
    ///
    /// When the pages are others.
    pub async fn allow(&mut self, link: &str, user: &str) -> String {
        let sign_in = self.open(link).await.location().to_owned();
        let page = self.open(&sign_in).await;
        assert_eq!(page.heading(), "Sign in");
        let signed_in = self.submit(&sign_in, &page, &[("user", user)]).await;
        let question = joined(&sign_in, signed_in.location());
        let page = self.open(&question).await;
        assert_eq!(page.heading(), "Allow access?");
        let allowed = self.submit(&question, &page, &[("decision", "allow")]).await;
        joined(&question, allowed.location())
    }

    /// What the browser was given for itself: cookies, contents of forms, and parameters of addresses.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    async fn request(&mut self, method: Method, url: &str, headers: &[(HeaderName, &str)], body: String) -> Page {
        let url = Url::parse(url).expect("what a browser opens is a URL");
        let secrets = url.query_pairs().filter(|(name, _)| SECRET_PARAMETERS.contains(&name.as_ref()));
        self.secrets.extend(secrets.map(|(_, value)| value.into_owned()));
        let authority = url.authority();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::builder().method(method).uri(target).header(HOST, authority);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("what a browser sends is a request");

        let (parts, body) = send(authority, request).await.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()) {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.secrets.extend((!value.is_empty()).then(|| value.to_owned()));
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Page {
    /// Where the browser is sent.
    ///
    /// # Panics
    ///
    /// When it is sent nowhere.
    #[must_use]
    pub fn location(&self) -> &str {
        let location = self.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        location.unwrap_or_else(|| panic!("the browser is sent nowhere, and shows {:?}", self.heading()))
    }

    /// The heading that the person reads.
    #[must_use]
    pub fn heading(&self) -> &str {
        self.between("<h1>", "</h1>")
    }

    fn between(&self, start: &str, end: &str) -> &str {
        let inside = self.body.split_once(start).and_then(|(_, rest)| rest.split_once(end));
        inside.map(|(inside, _)| inside).unwrap_or_default()
    }
}

fn joined(base: &str, location: &str) -> String {
    Url::parse(base).and_then(|base| base.join(location)).expect("a browser is sent to a URL").into()
}

/// The value of the parameter `name` in the query of `url`.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("there is no `{name}` in the query"))
}

/// `url` with the value of the parameter `name` replaced, or added if there is none.
///
/// # Panics
///
/// When it is no URL.
#[must_use]
pub fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mut url = Url::parse(url).expect("a URL");
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    url.into()
}
