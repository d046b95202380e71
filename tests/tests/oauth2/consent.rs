//! A user who consents: who is told, who waits, and for how long.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentcore_identity::{
    AccessToken, Error, PendingAuthorization, PendingToken, Polling, TokenPoller, requires_access_token,
};
use agentcore_identity_local::Operation;
use agentcore_identity_tests::stage::{CALLBACK, INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims, user_id};
use tokio::sync::Notify;
use tokio::time::Instant;

const OWN_CALLBACK: &str = "http://localhost:8081/of-the-call";

/// Where the application talks to its user.
#[derive(Clone, Default)]
struct Chat {
    shown: Arc<Mutex<Vec<PendingAuthorization>>>,
    is_open: Arc<Notify>,
}

impl Chat {
    fn show(&self, authorization: PendingAuthorization) {
        self.shown.lock().unwrap().push(authorization);
    }

    async fn send(&self, authorization: PendingAuthorization) -> Result<(), std::io::Error> {
        self.is_open.notified().await;
        self.show(authorization);
        Ok(())
    }

    fn only(&self) -> PendingAuthorization {
        let shown = self.shown.lock().unwrap();
        assert_eq!(shown.len(), 1);
        shown[0].clone()
    }
}

thread_local! {
    static PRINTED: RefCell<Vec<PendingAuthorization>> = const { RefCell::new(Vec::new()) };
}

fn print(authorization: PendingAuthorization) {
    PRINTED.with_borrow_mut(|printed| printed.push(authorization));
}

async fn print_later(authorization: PendingAuthorization) {
    tokio::task::yield_now().await;
    print(authorization);
}

/// What was printed, once.
fn printed() -> PendingAuthorization {
    let mut printed = PRINTED.take();
    assert_eq!(printed.len(), 1);
    printed.remove(0)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
async fn told_by_the_context(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION", on_auth_url = print)]
async fn told_by_a_function(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION", on_auth_url = print_later)]
async fn told_by_an_async_function(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    auth_flow = "USER_FEDERATION",
    on_auth_url = |authorization| chat.show(authorization),
)]
async fn told_by_a_closure(chat: Chat, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    auth_flow = "USER_FEDERATION",
    callback_url = OWN_CALLBACK,
    on_auth_url = |authorization| chat.send(authorization),
)]
async fn told_by_an_async_closure(chat: Chat, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[tokio::test(start_paused = true)]
async fn without_a_handler_the_link_is_the_error() {
    let stage = Stage::set().await;
    let ada = stage.context_without_handler().user(user_id("ada")).build();
    let error = ada.scope(told_by_the_context()).await.unwrap_err();
    let Error::AuthorizationRequired(authorization) = &error else { panic!("{error:?}") };
    assert!(!error.is_retryable() && error.to_string().contains("PendingAuthorization::url()"), "{error}");
    assert_eq!((authorization.provider(), stage.questions()), (PROVIDER, 1));

    // The agent returns the link to its user, who calls again when they are back.
    stage.consent(authorization, "ada").await;
    let token = ada.scope(told_by_the_context()).await.unwrap();
    assert_eq!((claims(&token)["sub"].as_str(), stage.questions()), (Some("ada"), 2));
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_a_function_a_closure_or_an_async_one() {
    let stage = Stage::set().await;
    let waits_for = async |user, call, authorization: PendingAuthorization| {
        stage.consent(&authorization, user).await;
        stage.time.pass(INTERVAL).await;
        let token: String = stage.outcome::<Result<String, Error>>(call).await.unwrap();
        assert_eq!((claims(&token)["sub"].as_str(), claims(&token)["scope"].as_str()), (Some(user), Some("repo")));
    };
    let call = stage.begin(&stage.user("ada"), told_by_a_function()).await;
    waits_for("ada", call, printed()).await;
    let call = stage.begin(&stage.user("bob"), told_by_an_async_function()).await;
    waits_for("bob", call, printed()).await;
    let chat = Chat::default();
    let call = stage.begin(&stage.user("cyd"), told_by_a_closure(chat.clone())).await;
    waits_for("cyd", call, chat.only()).await;
    assert!(stage.nobody_is_asked().await, "the call's own handler comes before the context's");
}

#[tokio::test(start_paused = true)]
async fn the_context_s_handler_comes_before_the_client_s() {
    let of_client = Chat::default();
    let stage = Stage::with_client(|builder| {
        let chat = of_client.clone();
        builder.on_auth_url(move |authorization| chat.show(authorization))
    })
    .await;
    let ada = stage.context_without_handler().user(user_id("ada")).build();
    let call = stage.begin(&ada, told_by_the_context()).await;
    stage.consent(&of_client.only(), "ada").await;
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();

    let call = stage.begin(&stage.user("bob"), told_by_the_context()).await;
    stage.consent(&stage.link().await, "bob").await;
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
    assert_eq!(of_client.only().provider(), PROVIDER, "told of the first alone");
}

#[tokio::test(start_paused = true)]
async fn the_call_s_callback_url_comes_before_the_context_s() {
    let stage = Stage::set().await;
    stage.local.allow_return_url(WORKLOAD, OWN_CALLBACK).await.unwrap();
    let chat = Chat::default();
    chat.is_open.notify_one();
    let of_call = stage.begin(&stage.user("ada"), told_by_an_async_closure(chat.clone())).await;
    let of_context = stage.begin(&stage.user("bob"), told_by_the_context()).await;
    let back = stage.local.consent(chat.only().url(), "ada").await.unwrap();
    assert!(back.starts_with(&format!("{OWN_CALLBACK}?session_id=urn")), "{back}");
    let back = stage.local.consent(stage.link().await.url(), "bob").await.unwrap();
    assert!(back.starts_with(&format!("{CALLBACK}?session_id=urn")), "{back}");
    drop((of_call, of_context));
}

#[tokio::test(start_paused = true)]
async fn polling_begins_when_the_user_has_been_told() {
    let stage = Stage::set().await;
    stage.local.allow_return_url(WORKLOAD, OWN_CALLBACK).await.unwrap();
    let chat = Chat::default();
    let call = stage.begin(&stage.user("ada"), told_by_an_async_closure(chat.clone())).await;
    stage.time.pass(Duration::from_mins(1)).await;
    assert_eq!(stage.questions(), 1);
    chat.is_open.notify_one();
    stage.time.settle().await;
    stage.consent(&chat.only(), "ada").await;
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
    assert_eq!(stage.questions(), 2);
}

/// Consenting is not enough: the application has to say that it was the one it asked.
#[tokio::test(start_paused = true)]
async fn every_interval_is_one_question_until_the_application_has_completed_it() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), told_by_the_context()).await;
    let authorization = stage.link().await;
    for polls in 1..=3 {
        stage.time.pass(INTERVAL.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(stage.questions(), polls);
        stage.time.pass(Duration::from_secs(1)).await;
        assert_eq!(stage.questions(), polls + 1);
    }
    stage.local.consent(authorization.url(), "ada").await.unwrap();
    stage.time.pass(INTERVAL).await;
    assert!(!call.is_finished());
    stage.client.complete_authorization(authorization.session_uri(), user_id("ada")).await.unwrap();
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
    assert_eq!(stage.questions(), 6);
    stage.user("ada").scope(told_by_the_context()).await.unwrap();
    assert_eq!(stage.questions(), 6, "kept");
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_user_share_an_authorization_and_its_polls() {
    let stage = Stage::set().await;
    let ada = stage.user("ada");
    let mut calls = Vec::new();
    for _ in 0..50 {
        calls.push(stage.begin(&ada, told_by_the_context()).await);
    }
    let other = stage.begin(&stage.user("bob"), told_by_the_context()).await;
    let authorization = stage.link().await;
    let of_other = stage.link().await;
    assert!(stage.nobody_is_asked().await, "one link for each user");
    stage.time.pass(INTERVAL).await;
    assert_eq!(stage.questions(), 4);
    stage.consent(&authorization, "ada").await;
    stage.consent(&of_other, "bob").await;
    stage.time.pass(INTERVAL).await;
    assert_eq!(stage.questions(), 6);
    for call in calls {
        assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
    }
    assert_eq!(claims(&stage.outcome(other).await.unwrap())["sub"], "bob");
}

/// Asks when it is told that the user is back, and not before.
struct WhenBack(Arc<Notify>);

impl TokenPoller for WhenBack {
    async fn poll_for_token(&self, _: &PendingAuthorization, token: &PendingToken) -> Result<AccessToken, Error> {
        loop {
            self.0.notified().await;
            if let Some(token) = token.ask().await? {
                return Ok(token);
            }
        }
    }
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    auth_flow = "USER_FEDERATION",
    token_poller = WhenBack(back.clone()),
)]
async fn polled_by_another(back: Arc<Notify>, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[tokio::test(start_paused = true)]
async fn a_poller_of_the_application_s_own() {
    let stage = Stage::set().await;
    let back = Arc::new(Notify::new());
    let call = stage.begin(&stage.user("ada"), polled_by_another(back.clone())).await;
    let authorization = stage.link().await;
    stage.time.pass(Duration::from_mins(1)).await;
    assert_eq!(stage.questions(), 1);
    back.notify_one();
    stage.time.settle().await;
    assert!(!call.is_finished() && stage.questions() == 2);
    stage.consent(&authorization, "ada").await;
    back.notify_one();
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_user_who_does_not_come_is_not_waited_for_any_longer() {
    let polling = Polling::default().interval(Duration::from_secs(20)).timeout(Duration::from_mins(2));
    let stage = Stage::with_client(|builder| builder.polling(polling)).await;
    let start = Instant::now();
    let call = stage.begin(&stage.user("ada"), told_by_the_context()).await;
    stage.time.pass(Duration::from_secs(119)).await;
    assert!(!call.is_finished());
    stage.time.pass(Duration::from_secs(1)).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationTimedOut { .. }), "{error:?}");
    assert!(error.to_string().contains("within 120 seconds: call again for a new link"), "{error}");
    assert_eq!(start.elapsed(), Duration::from_mins(2));
    assert!((6..=7).contains(&stage.questions()), "{}", stage.questions());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_asks_no_longer() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), told_by_the_context()).await;
    let authorization = stage.link().await;
    stage.time.pass(INTERVAL * 2).await;
    assert_eq!(stage.questions(), 3);
    call.abort();
    stage.time.pass(Duration::from_mins(5)).await;
    assert_eq!(stage.questions(), 3);

    // The user consents all the same, and the next call finds the token in the vault.
    stage.consent(&authorization, "ada").await;
    stage.user("ada").scope(told_by_the_context()).await.unwrap();
    assert_eq!(stage.questions(), 4);
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 1);
}
