//! What browsers visit on the service's port: which paths, and how a request is read and answered there.

mod cookie;
mod fields;
pub(crate) mod reply;
mod request;

use std::sync::Arc;

use hyper::{Method, StatusCode};
use maud::html;

use crate::idp;
use crate::oauth2;
use crate::pages::home;
use crate::pages::layout::page;
use crate::service::Service;
use crate::sts;

pub(crate) use cookie::Cookie;
pub(crate) use fields::{Fields, Repeated};
pub(crate) use reply::Reply;
pub(crate) use request::Request;

/// Whether a path is one of these. `POST /` is not: it is an operation of STS.
pub(crate) fn serves(method: &Method, path: &str) -> bool {
    is_private(method, path) || sts::serves(path) || is_step(path)
}

/// Whether a path is a step of a consent, which even to look at is to take.
pub(crate) fn is_step(path: &str) -> bool {
    path.starts_with("/oauth2/")
}

/// Whether a path is for this machine's own people, even where the service may be called from others.
pub(crate) fn is_private(method: &Method, path: &str) -> bool {
    (path == "/" && matches!(*method, Method::GET | Method::HEAD)) || idp::serves(path)
}

/// Each room answers for the paths below its own name.
pub(crate) async fn answer(service: &Arc<Service>, request: &Request) -> Reply {
    match request.path() {
        "/" => home::answer(service),
        path if idp::serves(path) => idp::answer(service, request),
        path if sts::serves(path) => sts::answer(service, request).await,
        path if oauth2::browser::serves(path) => oauth2::browser::answer(service, request).await,
        path => not_found(path),
    }
}

/// A page that says that nothing is there.
pub(crate) fn not_found(path: &str) -> Reply {
    let path: String = path.chars().take(128).collect();
    let body =
        html! { div.card { p { "There is no page at " code { (path) } "." } p { a href="/" { "To the overview" } } } };
    reply::html(StatusCode::NOT_FOUND, page("Not found", body))
}
