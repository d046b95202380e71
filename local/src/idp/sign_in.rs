//! Where a person says who they are, and is believed.

use hyper::StatusCode;
use maud::{Markup, html};

use super::browser::{Browser, Person};
use super::client::Client;
use super::{AUTHORIZE, SIGN_IN, form};
use crate::error::ServiceError;
use crate::limits;
use crate::pages::layout::page;
use crate::service::Service;
use crate::web::{Reply, Request, reply};

/// What a sign-in form keeps: the authorization request as it was sent, to go on with.
type Content = String;

pub(super) fn page_for(
    service: &Service,
    client: &Client,
    browser: &Browser,
    query: &str,
    suggestion: &str,
) -> Result<Reply, ServiceError> {
    let content: Content = without_prompt(query);
    let hidden = service.idp.form(SIGN_IN, browser, content, service.clock.now())?;
    let body = html! {
        (notice())
        form.card method="post" action=(SIGN_IN) {
            p { strong { (client.names()) } " asks you to sign in." }
            label for="user" { "User name" }
            input #user type="text" name="user" value=(suggestion) required maxlength="128" autofocus
                autocomplete="username" autocapitalize="none" spellcheck="false";
            p.soft { "Any name will do, for example ada." }
            input type="hidden" name=(form::FIELD) value=(hidden);
            div.actions { button.primary type="submit" { "Sign in" } }
        }
    };
    Ok(reply::html(StatusCode::OK, page("Sign in", body)))
}

/// That none of this is to be taken for an identity provider of the world.
pub(super) fn notice() -> Markup {
    html! {
        div.warning {
            strong { "Demo identity provider on this machine." }
            " It asks for no password: whoever types a name is that user. Do not enter a real password anywhere here."
        }
    }
}

pub(super) fn answer(service: &Service, request: &Request) -> Reply {
    let now = service.clock.now();
    let Some((fields, query, mut browser)) = service.idp.returned::<Content>(request, now) else {
        return form::outdated();
    };
    let name = fields.one("user").ok().flatten().unwrap_or_default().trim();
    let next = reply::redirect(&format!("{AUTHORIZE}?{query}"));
    // The browser keeps names to the rules; a program that does not is led to the same page again.
    if !limits::USER_ID.admits(name) || name.contains(char::is_control) {
        return next;
    }
    browser.person = Some(Person { name: name.to_owned(), signed_in: now });
    service.idp.remember(next, &browser).unwrap_or_else(|_| reply::empty(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Who has just said their name is not to be asked again.
pub(super) fn without_prompt(query: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "prompt");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_loses_its_prompt_and_nothing_else() {
        assert_eq!(without_prompt("a=1&prompt=login&b=x%26y&a=2"), "a=1&b=x%26y&a=2");
    }
}
