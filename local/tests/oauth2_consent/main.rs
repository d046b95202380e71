//! Tokens with a person's consent: the way through the browser, and everything that could lead it astray.

mod browsers;
mod requests;
mod servers;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
