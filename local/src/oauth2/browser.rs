//! The paths that a person's browser takes: from the application's link to the provider, and back.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use url::Url;

use super::authorizations::{LIFE, Refusal, Returned, Visited, secret};
use super::client::Attempt;
use super::failure::{Failure, error_code};
use super::{ProviderClient, pages};
use crate::digest::sha256_hex;
use crate::service::Service;
use crate::store::Oauth2Provider;
use crate::web::{Cookie, Fields, Repeated, Reply, Request, reply};

const AUTHORIZE: &str = "/oauth2/authorize";
const CALLBACK: &str = "/oauth2/callback/";

/// Whether a path is one that is answered here.
pub(crate) fn serves(path: &str) -> bool {
    path == AUTHORIZE || path.starts_with(CALLBACK)
}

pub(crate) async fn answer(service: &Arc<Service>, request: &Request) -> Reply {
    if request.method() != Method::GET {
        return pages::wrong_method();
    }
    match request.path().strip_prefix(CALLBACK) {
        None => authorize(service, request).await,
        Some(callback_id) => callback(service, callback_id, request).await,
    }
}

/// The application's link: binds the browser, and sends it on to the provider.
async fn authorize(service: &Arc<Service>, request: &Request) -> Reply {
    let query = request.query();
    let Ok(Some(uri)) = query.one("request_uri") else { return pages::refused(&Refusal::Unknown) };
    let visited = match service.authorizations.visit(uri, service.clock.now()) {
        Ok(visited) => visited,
        Err(refusal) => return pages::refused(&refusal),
    };
    send_on(service, &visited).await.unwrap_or_else(|failure| {
        let reason = failure.sentence(&visited.request.provider);
        tracing::warn!(provider = visited.request.provider, %failure, "a browser could not be sent on");
        if failure.is_transient() {
            return pages::not_now(&reason);
        }
        service.authorizations.fail_open(uri, reason.clone());
        pages::failed(StatusCode::BAD_GATEWAY, &reason, None)
    })
}

async fn send_on(service: &Arc<Service>, visited: &Visited) -> Result<Reply, Failure> {
    let client = client(service, visited).await?;
    let (url, attempt) = client.authorization_url(&visited.request, secret()?)?;
    let cookie = secret()?;
    if let Err(refusal) = service.authorizations.send_on(&visited.session_uri, attempt, &cookie, service.clock.now()) {
        return Ok(pages::refused(&refusal));
    }
    let (name, path) = (cookie_name(&visited.session_uri), format!("{CALLBACK}{}", visited.registration.callback_id));
    let cookie = Cookie { name: &name, value: &cookie, path: &path, lives: LIFE };
    Ok(reply::with_cookie(reply::redirect(url.as_str()), &cookie))
}

/// The provider's answer, by way of the browser.
async fn callback(service: &Arc<Service>, callback_id: &str, request: &Request) -> Reply {
    let query = request.query();
    let Ok(answer) = Answer::of(&query) else { return pages::refused(&Refusal::Unknown) };
    let Some(state) = answer.state else { return pages::refused(&Refusal::Unknown) };
    let cookie = |uri: &str| request.cookie(&cookie_name(uri)).map(str::to_owned);
    let (visited, attempt) = match service.authorizations.take_back(callback_id, state, cookie, service.clock.now()) {
        Ok(Returned::Answered(visited, attempt)) => (visited, attempt),
        Ok(Returned::TooSoon) => return pages::in_a_moment(),
        Ok(Returned::Done(visited)) => return lead_back(service, &visited),
        Err(refusal) => return pages::refused(&refusal),
    };
    if let Some(code) = answer.error {
        let provider = &visited.request.provider;
        tracing::info!(provider, error = error_code(code), "no consent was given");
        let reason = if code == "access_denied" {
            "You did not allow it, or the provider did not let you.".to_owned()
        } else {
            Failure::refused(code).sentence(provider)
        };
        service.authorizations.fail(&visited.session_uri, reason.clone());
        return pages::failed(StatusCode::OK, &reason, answer.description);
    }
    let (code, issuer) = (answer.code.map(str::to_owned), answer.issuer.map(str::to_owned));
    let work = {
        let (service, visited) = (Arc::clone(service), visited.clone());
        async move { Ok(exchange(&service, &visited, attempt, code, issuer.as_deref()).await) }
    };
    // The cookie stays: with it, a reload leads back again for as long as nobody has confirmed the user.
    match service.background.run(work).await.unwrap_or_else(|error| Err(error.into())) {
        Ok(()) => lead_back(service, &visited),
        Err(failure) => give_up(service, &visited, &failure),
    }
}

/// What the authorization endpoint answered.
struct Answer<'a> {
    state: Option<&'a str>,
    code: Option<&'a str>,
    issuer: Option<&'a str>,
    error: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(query: &'a Fields) -> Result<Self, Repeated> {
        Ok(Self {
            state: query.one("state")?,
            code: query.one("code")?,
            issuer: query.one("iss")?,
            error: query.one("error")?,
            description: query.one("error_description")?,
        })
    }
}

/// Exchanges the code, and keeps the token until the application confirms whose it is.
async fn exchange(
    service: &Arc<Service>,
    visited: &Visited,
    attempt: Attempt,
    code: Option<String>,
    issuer: Option<&str>,
) -> Result<(), Failure> {
    let client = client(service, visited).await?;
    if !client.answers_as(issuer) {
        return Err(Failure::Untrusted("its answer names another issuer than its own"));
    }
    let code = code.ok_or(Failure::Untrusted("its answer has neither a code nor an error"))?;
    let token = client.exchange_code(code, attempt, &visited.request).await?;
    // A refusal is that time has run out; the token is then dropped.
    let kept = service.authorizations.consented(&visited.session_uri, token, service.clock.now());
    kept.map_err(|_| Failure::Unusable("the 10 minutes for it are over".to_owned()))
}

/// Leads the browser to the application, which is to say whether its user is the one who asked.
fn lead_back(service: &Arc<Service>, visited: &Visited) -> Reply {
    let Some(url) = return_url(service, visited) else {
        let reason = "The application's return URL was withdrawn meanwhile, so there is nowhere to go on.";
        service.authorizations.fail(&visited.session_uri, reason);
        return pages::failed(StatusCode::BAD_REQUEST, reason, None);
    };
    reply::redirect(url.as_str())
}

/// The return URL, if it is still one that the workload identity allows.
fn return_url(service: &Service, visited: &Visited) -> Option<Url> {
    let allowed = service.workload_identity(&visited.owner.workload).ok()?;
    let url = visited
        .request
        .return_url
        .as_ref()
        .filter(|url| allowed.id == visited.owner.identity && allowed.return_urls.contains(url))?;
    let mut url = Url::parse(url).ok()?;
    let mut query = url.query_pairs_mut();
    query.append_pair("session_id", &visited.session_uri);
    if let Some(state) = &visited.request.custom_state {
        query.append_pair("state", state);
    }
    drop(query);
    Some(url)
}

fn give_up(service: &Service, visited: &Visited, failure: &Failure) -> Reply {
    let reason = failure.sentence(&visited.request.provider);
    tracing::warn!(provider = visited.request.provider, %failure, "an authorization failed");
    service.authorizations.fail(&visited.session_uri, reason.clone());
    pages::failed(StatusCode::BAD_GATEWAY, &reason, None)
}

/// A client for the provider with which the authorization was begun.
async fn client(service: &Arc<Service>, visited: &Visited) -> Result<ProviderClient, Failure> {
    let provider: Option<Oauth2Provider> = service.store.view()?.get(&visited.request.provider)?;
    match provider.filter(|provider| provider.registration() == visited.registration) {
        Some(provider) => ProviderClient::new(service, provider).await,
        None => Err(Failure::Unusable("it was deleted or changed meanwhile".to_owned())),
    }
}

/// A browser can be on its way with several authorizations at once.
fn cookie_name(session_uri: &str) -> String {
    format!("agentcore-oauth2-{}", &sha256_hex(session_uri.as_bytes())[..16])
}
