//! Every form of function that a credential attribute stands on, called for real.

use std::future::Future;

use agentcore_identity_tests::{agent, local};

mod clients;
mod company;
mod generated;
mod methods;
mod names;
mod providers;
mod signatures;
mod types;

const OPENAI: &str = "openai";

/// Runs `work` as an agent whose provider `openai` has [`API_KEY`](agentcore_identity_tests::API_KEY).
async fn as_agent<F: Future>(work: F) -> F::Output {
    let local = local().await;
    agent(&local).scope(work).await
}

fn assert_send<T: Send>(value: T) -> T {
    value
}
