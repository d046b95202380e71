//! Forms that only the browser they were made for can send, and only for a while.

use std::time::Duration;

use hyper::StatusCode;
use maud::html;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::IdentityProvider;
use super::browser::Browser;
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::pages::layout::page;
use crate::web::{Fields, Reply, Request, reply};

/// The hidden field that carries a form's sealed content. A page from elsewhere cannot know it, and it cannot be
/// changed.
pub(super) const FIELD: &str = "form";

/// How long a person may take to answer.
const LIFETIME: Duration = Duration::from_mins(10);

#[derive(Serialize, Deserialize)]
struct Form<T> {
    browser: String,
    end: UnixMillis,
    content: T,
}

impl IdentityProvider {
    /// The value of the hidden field of a form that is sent to `path`.
    pub(super) fn form<T: Serialize>(
        &self,
        path: &str,
        browser: &Browser,
        content: T,
        now: UnixMillis,
    ) -> Result<String, ServiceError> {
        self.seal(path, &Form { browser: browser.id.clone(), end: now.saturating_add(LIFETIME), content })
    }

    /// The fields of a form that came back, its sealed content, and the browser that it came from. `None` if that is
    /// not the one that it was made for, or if it took too long.
    pub(super) fn returned<T: DeserializeOwned>(
        &self,
        request: &Request,
        now: UnixMillis,
    ) -> Option<(Fields, T, Browser)> {
        let fields = request.form()?;
        let browser = self.browser(request, now)?;
        let form: Form<T> = self.open(request.path(), fields.one(FIELD).ok()??)?;
        (form.browser == browser.id && now < form.end).then_some((fields, form.content, browser))
    }
}

/// The page for a form that does not count.
pub(super) fn outdated() -> Reply {
    let body = html! {
        div.card {
            p { "This form has expired, or it was not made for this browser." }
            p { "Go back to the application and open its link again." }
            p.soft { "The page needs cookies. If your browser refuses them for this machine, allow them and try again." }
        }
    };
    reply::html(StatusCode::FORBIDDEN, page("Please start again", body))
}
