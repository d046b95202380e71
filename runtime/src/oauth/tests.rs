use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::scripted::{Reply, Request, Scripted};
use crate::{
    AccessToken, AccessTokenRequest, AuthFlow, Error, IdentityClient, MemoryStore, PendingAuthorization, PendingRecord,
    PendingStore, PendingToken, Polling, RequestContext, TokenPoller, UserIdentifier, WithContext as _,
};

mod consent;
mod one_call;
mod renewal;
mod renewed_ahead;
mod sharing;

const SESSION: &str = "urn:ietf:params:oauth:request_uri:session-secret";
const LINK: &str = "https://idp.example/authorize?request_uri=link-secret";

fn token(text: &str) -> Reply {
    Reply::Json(json!({ "accessToken": text }))
}

fn pending() -> Reply {
    Reply::Json(json!({ "authorizationUrl": LINK, "sessionUri": SESSION, "sessionStatus": "IN_PROGRESS" }))
}

fn in_progress() -> Reply {
    Reply::Json(json!({ "sessionUri": SESSION, "sessionStatus": "IN_PROGRESS" }))
}

fn throttled() -> Reply {
    Reply::Refused(429, "ThrottlingException", "slow down")
}

/// Where the `poll`th poll of a session, counted from 1, and a question without a session (0) are answered by
/// `script`; workload tokens are `wat-1` and so on.
fn service(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Scripted {
    let (polls, tokens) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Scripted::new(move |request| {
        if request.path != "token" {
            let number = tokens.fetch_add(1, Ordering::Relaxed) + 1;
            return Reply::Json(json!({ "workloadAccessToken": format!("wat-{number}") }));
        }
        let poll = match request.text("sessionUri") {
            Some(_) => polls.fetch_add(1, Ordering::Relaxed) + 1,
            None => 0,
        };
        script(poll, request)
    })
}

/// Where the user consents before the `poll`th poll.
fn consented_by(poll: usize) -> Scripted {
    service(move |n, _| match n {
        0 => pending(),
        n if n < poll => in_progress(),
        _ => token("gho-1"),
    })
}

/// The requests for access tokens.
fn questions(service: &Scripted) -> Vec<Request> {
    service.requests().into_iter().filter(|request| request.path == "token").collect()
}

fn times(requests: &[Request]) -> Vec<u64> {
    requests.iter().map(|request| request.at.as_secs()).collect()
}

fn user(id: &str) -> RequestContext {
    RequestContext::builder().workload_name("my-agent").user(UserIdentifier::UserId(id.into())).build()
}

fn github<'a>(client: &IdentityClient) -> AccessTokenRequest<'a> {
    client.access_token("github").scopes(["repo"]).auth_flow(AuthFlow::UserFederation)
}

fn ignore(_: PendingAuthorization) {}

fn unexpected(_: PendingAuthorization) {
    panic!("nobody is to be asked");
}

async fn as_ada<F: IntoFuture>(request: F) -> F::Output {
    user("ada").scope(request.into_future()).await
}

/// Lets everything happen that can without time going on.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> impl Future<Output = bool> {
    let mut future = Some(future);
    std::future::poll_fn(move |context| {
        let done = future.take().is_some_and(|future| future.poll(context).is_ready());
        std::task::Poll::Ready(done)
    })
}
