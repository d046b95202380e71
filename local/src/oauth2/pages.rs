//! What people read on their way through a consent.

use hyper::StatusCode;
use hyper::header::REFRESH;
use maud::{Markup, html};

use super::authorizations::Refusal;
use crate::pages::layout::page;
use crate::web::{Reply, reply};

/// The longest text of a provider's that a page repeats.
const QUOTED: usize = 200;

pub(super) fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Unknown => card(
            StatusCode::BAD_REQUEST,
            "This link leads nowhere",
            &html! {
                p { "It is not one that this service gave out, or it is long over, or was opened again since." }
                p { "Open the link that the application shows you; ask it for a new one if that does not help." }
            },
        ),
        Refusal::Expired => card(
            StatusCode::BAD_REQUEST,
            "This link has expired",
            &html! { p { "It was good for 10 minutes. Ask the application for a new one." } },
        ),
        Refusal::Consented => card(
            StatusCode::BAD_REQUEST,
            "This link was used already",
            &html! {
                p { "You have given your consent with it before. A link is good for one time." }
                (go_back())
            },
        ),
        Refusal::Failed(reason) => failed(StatusCode::BAD_REQUEST, reason, None),
        Refusal::AnotherBrowser => card(
            StatusCode::BAD_REQUEST,
            "Not the browser that began this",
            &html! {
                p { "The consent was begun in another browser, or this one keeps no cookies. Nothing has been granted." }
                p { "Open the application's link in the browser in which you want to finish." }
            },
        ),
    }
}

/// An authorization that has failed. `told` are the provider's own words.
pub(super) fn failed(status: StatusCode, reason: &str, told: Option<&str>) -> Reply {
    card(
        status,
        "No access was given",
        &html! {
            p.bad { (reason) }
            @if let Some(told) = told {
                p.soft { "It said: “" (cut(told)) "”" }
            }
            (go_back())
        },
    )
}

/// The provider cannot be asked at present; the link stays good.
pub(super) fn not_now(reason: &str) -> Reply {
    card(
        StatusCode::BAD_GATEWAY,
        "Not at the moment",
        &html! {
            p.bad { (reason) }
            p { "Reload this page to try again." }
        },
    )
}

/// For a browser that came back again while its answer is looked into: it comes once more by itself.
pub(super) fn in_a_moment() -> Reply {
    let body = html! { p { "The provider is being asked for the access. This page goes on by itself." } };
    reply::with_header(card(StatusCode::OK, "One moment", &body), REFRESH, "1")
}

pub(super) fn wrong_method() -> Reply {
    card(
        StatusCode::METHOD_NOT_ALLOWED,
        "Not this way",
        &html! { p { "This page is for browsers that follow a link." } },
    )
}

fn go_back() -> Markup {
    html! { p { "You can close this window and go back to the application." } }
}

fn card(status: StatusCode, title: &str, body: &Markup) -> Reply {
    reply::html(status, page(title, html! { div.card { (body) } }))
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(QUOTED).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_provider_s_words_are_text_and_not_many() {
        let told = format!("<script>alert(1)</script>{}", "x".repeat(1000));
        let reply = failed(StatusCode::OK, "No & no.", Some(&told));
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("No &amp; no.") && body.contains("&lt;script&gt;alert(1)"), "{body}");
        assert!(!body.contains("<script") && !body.contains(&"x".repeat(QUOTED)), "{body}");
    }
}
