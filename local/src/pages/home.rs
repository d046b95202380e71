//! The overview at `/`: what a developer wants to see, and no secret.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use maud::{Markup, html};

use super::layout::wide_page;
use crate::calls::Call;
use crate::oauth2::OpenAuthorization;
use crate::service::Service;
use crate::store::{ApiKeyProvider, Oauth2Provider, StoreError, WorkloadIdentity};
use crate::web::{Reply, reply};

/// How much of each kind is shown.
const SHOWN: usize = 50;
const CALLS_SHOWN: usize = 10;

pub(crate) fn answer(service: &Service) -> Reply {
    match body(service) {
        Ok(body) => reply::html(StatusCode::OK, wide_page("Overview", body)),
        Err(_) => reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn body(service: &Service) -> Result<Markup, StoreError> {
    let view = service.store.view()?;
    // One more than is shown tells whether there is more.
    let identities: Vec<WorkloadIdentity> = view.page(None, SHOWN + 1)?;
    let api_keys: Vec<ApiKeyProvider> = view.page(None, SHOWN + 1)?;
    let oauth2: Vec<Oauth2Provider> = view.page(None, SHOWN + 1)?;
    let open = service.authorizations.open(service.clock.now());
    let calls = service.calls.latest(CALLS_SHOWN);
    Ok(html! {
        p.soft { "For development and tests on this machine. " a href="/" { "Refresh" } }
        dl.facts {
            div { dt { "Endpoint" } dd { code { (service.url) } } }
            div { dt { "Region" } dd { code { (service.place.region()) } } }
            div { dt { "Account" } dd { code { (service.place.account()) } } }
        }
        (authorizations(service, &open))
        h2 { "Last calls" }
        (list(&calls, "None yet.", row))
        h2 { "OAuth2 credential providers" }
        (list(&oauth2, "None yet. Start the service with --oauth2-provider NAME, or create one with an AWS SDK.", |provider| html! {
            div.head {
                strong { (provider.name) }
                span.badge { @if provider.is_own(&service.url) { "this identity provider" } @else { (provider.vendor) } }
            }
            dl {
                @if let Some(id) = &provider.client_id { dt { "Client id" } dd { code { (id) } } }
                dt { "Callback URL" }
                dd { code { (provider.callback_url(&service.url)) } }
            }
        }))
        h2 { "API key credential providers" }
        (list(&api_keys, "None yet. Start the service with --api-key NAME=ENV_VAR, or create one with an AWS SDK.", |provider| html! {
            div.head { strong { (provider.name) } }
        }))
        h2 { "Workload identities" }
        (list(&identities, "None yet. Start the service with --workload-identity NAME, or create one with an AWS SDK.", |identity| html! {
            div.head { strong { (identity.name) } }
            @if !identity.return_urls.is_empty() {
                dl {
                    dt { "Return URLs" }
                    @for url in &identity.return_urls { dd { code { (url) } } }
                }
            }
        }))
        h2 { "Lead an agent here" }
        (exports(service))
    })
}

fn authorizations(service: &Service, open: &[OpenAuthorization]) -> Markup {
    html! {
        @if !open.is_empty() {
            h2 { "Waiting for consent" }
            ul.rows {
                @for authorization in open {
                    li {
                        div.head {
                            strong { (authorization.provider) }
                            span.soft { "since " (duration(authorization.age)) }
                        }
                        p.soft { (authorization.workload) " for " (authorization.user) }
                        p { a.button href=(service.authorization_url(&authorization.session_uri)) { "Open the consent page" } }
                    }
                }
            }
        }
    }
}

fn exports(service: &Service) -> Markup {
    html! {
        pre {
            @for (name, value) in service.environment() { "export " (name) "=" (value) "\n" }
        }
        p.soft {
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go with them. They are not shown here: the program prints them at "
            "its start, and " code { "LocalIdentity::environment()" } " has them in tests."
        }
    }
}

fn list<T>(items: &[T], none: &str, describe: impl Fn(&T) -> Markup) -> Markup {
    html! {
        @if items.is_empty() {
            p.soft { (none) }
        } @else {
            ul.rows {
                @for item in items.iter().take(SHOWN) { li { (describe(item)) } }
            }
            @if items.len() > SHOWN { p.soft { "… and more." } }
        }
    }
}

fn row(call: &Call) -> Markup {
    let ago = SystemTime::now().duration_since(call.at).unwrap_or_default();
    let about = [("", &call.workload), ("for ", &call.user), ("from ", &call.provider)];
    html! {
        div.head {
            code { (call.operation) }
            @match (&call.error, call.status) {
                (Some(error), status) => span.badge.bad { (status) " " (error) },
                (None, 0) => span.badge.bad { "no answer" },
                (None, status) => span.badge.good { (status) },
            }
        }
        p.soft {
            (duration(ago)) " ago"
            @for (word, name) in about {
                @if let Some(name) = name { " · " (word) (name) }
            }
        }
    }
}

/// As short as one reads it.
fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
