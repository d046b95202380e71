//! The authorization endpoint: who asks, who is there, and which page comes next.

use hyper::StatusCode;
use maud::html;

use super::browser::Browser;
use super::client::Client;
use super::error::OAuthError;
use super::request::{AuthorizationRequest, Prompt, redirect_uri};
use super::{consent, redirect, sign_in};
use crate::pages::layout::page;
use crate::service::Service;
use crate::web::{Fields, Reply, Request, reply};

/// Codes and grants remember what was asked for, so there is an end to that.
const LONGEST_QUERY: usize = 32 * 1024;

pub(super) fn answer(service: &Service, request: &Request) -> Reply {
    if request.raw_query().len() > LONGEST_QUERY {
        let problem = format!("it is longer than {LONGEST_QUERY} bytes");
        return unusable(&OAuthError::invalid_request(problem));
    }
    let fields = request.query();
    let (client, uri) = match recipient(service, &fields) {
        Ok(recipient) => recipient,
        Err(error) => return unusable(&error),
    };
    // With a state that is there twice there is none to repeat.
    let state = fields.one("state").ok().flatten();
    ask(service, request, &fields, &client, uri.clone())
        .unwrap_or_else(|error| redirect::with_error(&uri, service.idp.issuer(), state, &error))
}

fn recipient(service: &Service, fields: &Fields) -> Result<(Client, String), OAuthError> {
    let id = fields.one("client_id")?.ok_or_else(|| OAuthError::missing("client_id"))?;
    let client = Client::find(service, id)?.ok_or_else(|| {
        OAuthError::invalid_client(
            "the client_id is not that of a credential provider whose authorization server is this one",
        )
    })?;
    let uri = redirect_uri(&client, fields)?;
    Ok((client, uri))
}

fn ask(
    service: &Service,
    request: &Request,
    fields: &Fields,
    client: &Client,
    uri: String,
) -> Result<Reply, OAuthError> {
    let asked = AuthorizationRequest::read(client, uri, fields)?;
    let prompt = Prompt::read(fields)?;
    let now = service.clock.now();
    let known = service.idp.browser(request, now);
    let person = known.as_ref().and_then(|browser| browser.person.clone());
    if prompt.nothing {
        return Err(match person {
            None => OAuthError::login_required("nobody is signed in with this browser"),
            Some(_) => OAuthError::consent_required("this identity provider asks for consent each time"),
        });
    }
    let browser = known.map_or_else(|| Browser::new(now), Ok)?;
    let page = if let Some(person) = person.filter(|_| !prompt.name) {
        consent::page_for(service, client, asked, &browser, person, request.raw_query())?
    } else {
        let suggestion = fields.one("login_hint")?.unwrap_or_default();
        sign_in::page_for(service, client, &browser, request.raw_query(), suggestion)?
    };
    Ok(service.idp.remember(page, &browser)?)
}

/// For a link whose answer has no place to go.
fn unusable(error: &OAuthError) -> Reply {
    tracing::info!(error = error.code(), description = error.description(), "authorization request refused");
    let body = html! {
        (sign_in::notice())
        div.card {
            p.bad { "This request cannot be answered: " (error.description()) "." }
            p { "The application that sent you here has to correct this; you can close this window." }
            p.soft { "Nothing was shared, and nobody was told that you were here." }
        }
    };
    reply::html(StatusCode::BAD_REQUEST, page("This link does not work", body))
}
