//! Where a person allows a client what it asks for, or does not.

use hyper::StatusCode;
use maud::html;
use serde::{Deserialize, Serialize};

use super::browser::{Browser, Person};
use super::client::Client;
use super::error::OAuthError;
use super::request::AuthorizationRequest;
use super::sign_in::notice;
use super::{AUTHORIZE, CONSENT, form, redirect};
use crate::error::ServiceError;
use crate::pages::layout::page;
use crate::service::Service;
use crate::web::{Reply, Request, reply};

const ALLOW: &str = "allow";

/// What a consent form keeps: what the person saw, so that nothing else is agreed to.
#[derive(Serialize, Deserialize)]
struct Content {
    asked: AuthorizationRequest,
    person: Person,
}

pub(super) fn page_for(
    service: &Service,
    client: &Client,
    asked: AuthorizationRequest,
    browser: &Browser,
    person: Person,
    query: &str,
) -> Result<Reply, ServiceError> {
    let body = html! {
        (notice())
        form.card method="post" action=(CONSENT) {
            p { strong { (client.names()) } " asks for access to the account of " strong { (person.name) } "." }
            dl {
                dt { "It could then" }
                @if asked.scopes.is_empty() {
                    dd { "act as you; it names no scope" }
                } @else {
                    @for scope in &asked.scopes { dd { code { (scope) } @if let Some(plain) = plainly(scope) { " " (plain) } } }
                }
                @if !asked.audiences.is_empty() {
                    dt { "at" }
                    @for audience in &asked.audiences { dd { code { (audience) } } }
                }
                dt { "Client" }
                dd { code { (client.id) } }
            }
            input type="hidden" name=(form::FIELD) value=(service.idp.form(CONSENT, browser, &Content { asked, person }, service.clock.now())?);
            div.actions {
                button.primary type="submit" name="decision" value=(ALLOW) { "Allow" }
                button type="submit" name="decision" value="deny" { "Deny" }
            }
            p.soft { a href=(format!("{AUTHORIZE}?{query}&prompt=login")) { "Sign in as someone else" } }
        }
    };
    Ok(reply::html_that_leads_away(StatusCode::OK, page("Allow access?", body)))
}

fn plainly(scope: &str) -> Option<&'static str> {
    match scope {
        "openid" => Some("know who you are"),
        "profile" => Some("see your name"),
        "offline_access" => Some("go on while you are away"),
        _ => None,
    }
}

pub(super) fn answer(service: &Service, request: &Request) -> Reply {
    let now = service.clock.now();
    let Some((fields, Content { asked, person }, browser)) = service.idp.returned::<Content>(request, now) else {
        return form::outdated();
    };
    if browser.person.as_ref() != Some(&person) {
        return form::outdated();
    }
    let (uri, state, issuer) = (asked.redirect_uri.clone(), asked.state.clone(), service.idp.issuer());
    let outcome = if fields.one("decision") == Ok(Some(ALLOW)) {
        service.idp.issue_code(asked, person, now).map_err(OAuthError::from)
    } else {
        Err(OAuthError::access_denied("the user denied access"))
    };
    match outcome {
        Ok(code) => redirect::back(&uri, issuer, state.as_deref(), &[("code", &code)]),
        Err(error) => redirect::with_error(&uri, issuer, state.as_deref(), &error),
    }
}
