//! OAuth2 as a client: the flows that lead to an access token, and the pages on which people find themselves in
//! between.

mod assertion;
mod authorizations;
pub(crate) mod browser;
mod client;
mod encoding;
mod failed_renewals;
mod failure;
mod flow;
mod id_token;
mod on_behalf_of;
mod outgoing;
mod pages;
mod request;
mod server;
mod token_response;
mod turns;

pub(crate) use authorizations::{Authorizations, OpenAuthorization, Owner, Progress, SESSION_URI_PREFIX};
pub(crate) use client::ProviderClient;
pub(crate) use failed_renewals::FailedRenewals;
pub(crate) use flow::Flow;
pub(crate) use outgoing::is_loopback;
pub(crate) use request::TokenRequest;
pub(crate) use turns::{Turn, Turns};

use outgoing::Outgoing;
use server::AuthorizationServers;

/// What is needed to speak to the providers.
pub(crate) struct Providers {
    outgoing: Outgoing,
    servers: AuthorizationServers,
}

impl Providers {
    /// `own` is the URL of this service.
    pub(crate) fn new(own: &str) -> Self {
        Self { outgoing: Outgoing::new(own), servers: AuthorizationServers::default() }
    }
}
