//! Where a person allows a client what it asks for, or does not.

use hyper::StatusCode;
use maud::html;
use serde::{Deserialize, Serialize};

use super::browser::{Browser, Person};
use super::client::Client;
use super::error::OAuthError;
use super::request::AuthorizationRequest;
use super::sign_in::{notice, without_prompt};
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
                dt { "Your answer goes to" }
                dd { code { (origin(&asked.redirect_uri)) } }
            }
            input type="hidden" name=(form::FIELD) value=(service.idp.form(CONSENT, browser, &Content { asked, person }, service.clock.now())?);
            div.actions {
                button.primary type="submit" name="decision" value=(ALLOW) { "Allow" }
                button type="submit" name="decision" value="deny" { "Deny" }
            }
            p.soft { a href=(format!("{AUTHORIZE}?{}&prompt=login", without_prompt(query))) { "Sign in as someone else" } }
        }
    };
    Ok(reply::html_that_leads_away(StatusCode::OK, page("Allow access?", body)))
}

/// Where a URI leads, as far as a person can tell it.
fn origin(uri: &str) -> &str {
    let after_scheme = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[after_scheme..].find(['/', '?']).map_or(uri.len(), |at| after_scheme + at);
    &uri[..end]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_the_origin() {
        assert_eq!(origin("http://127.0.0.1:4566/oauth2/callback/1"), "http://127.0.0.1:4566");
        assert_eq!(origin("https://example.com?x=/y"), "https://example.com");
        assert_eq!(origin("app:callback"), "app:callback");
    }
}
