//! A user's consent from the link to the token, with the loopback listener at the callback URL.

use std::sync::Arc;
use std::time::Duration;

use agentcore_identity::session_binding::LoopbackListener;
use agentcore_identity::{AccessToken, AuthFlow, Error, IdentityClient, PendingAuthorization, Polling, RequestContext};
use agentcore_identity_local::{LocalIdentity, Operation};
use agentcore_identity_tests::{WORKLOAD, sdk_config, user_id};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

struct Laptop {
    local: Arc<LocalIdentity>,
    client: IdentityClient,
    listener: LoopbackListener,
}

impl Laptop {
    async fn of(user: &str) -> Self {
        let local =
            LocalIdentity::builder().workload_identity(WORKLOAD).oauth2_provider("github").start().await.unwrap();
        // As often as possible, since this is real time.
        let polling = Polling::default().interval(Duration::ZERO).timeout(Duration::from_secs(30));
        let client = IdentityClient::builder().sdk_config(&sdk_config(&local)).polling(polling).build();
        let listener = LoopbackListener::bind(&client, user_id(user), 0).await.unwrap();
        local.allow_return_url(WORKLOAD, listener.callback_url()).await.unwrap();
        Self { local: Arc::new(local), client, listener }
    }

    /// Asks for `user`'s token, and gives the link as soon as it is there.
    async fn ask(&self, user: &str) -> (PendingAuthorization, tokio::task::JoinHandle<Result<AccessToken, Error>>) {
        let context = RequestContext::builder()
            .workload_name(WORKLOAD)
            .user(user_id(user))
            .callback_url(self.listener.callback_url())
            .build();
        let (shown, mut links) = mpsc::unbounded_channel();
        let request = self
            .client
            .access_token("github")
            .scopes(["repo"])
            .auth_flow(AuthFlow::UserFederation)
            .on_auth_url(move |pending| shown.send(pending));
        let waiting = tokio::spawn(context.scope(request.into_future()));
        (links.recv().await.expect("the user has to consent"), waiting)
    }
}

/// The first line and the body of what answers at `url`.
async fn browse(url: &str) -> String {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_waiting_call_goes_on_with_the_token() {
    let laptop = Laptop::of("ada").await;
    let (pending, waiting) = laptop.ask("ada").await;
    let back = laptop.local.consent(pending.url(), "ada").await.unwrap();
    assert!(back.starts_with(laptop.listener.callback_url()), "{back}");
    let page = browse(&back).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Access granted"), "{page}");
    assert!(!waiting.await.unwrap().unwrap().expose().is_empty());

    let replayed = browse(&back).await;
    assert!(replayed.starts_with("HTTP/1.1 410"), "{replayed}");
    assert_eq!(laptop.local.call_count(Operation::CompleteResourceTokenAuth), 1);
}

#[tokio::test]
async fn a_consent_that_another_user_asked_for_is_not_completed() {
    let laptop = Laptop::of("ada").await;
    let (pending, waiting) = laptop.ask("mallory").await;
    let back = laptop.local.consent(pending.url(), "ada").await.unwrap();
    let page = browse(&back).await;
    assert!(page.starts_with("HTTP/1.1 403") && page.contains("somebody else"), "{page}");
    assert_eq!(laptop.local.call_count(Operation::CompleteResourceTokenAuth), 0);
    waiting.abort();
}

#[tokio::test]
async fn a_user_who_declines_ends_the_wait() {
    let laptop = Laptop::of("ada").await;
    let (pending, waiting) = laptop.ask("ada").await;
    let _ = laptop.local.deny_consent(pending.url(), "ada").await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error}");
}
