//! The local identity provider over HTTP: every grant, and what each refuses.

mod authorize;
mod browsers;
mod clients;
mod endpoints;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod users;
mod world;
