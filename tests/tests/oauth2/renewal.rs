//! `retry_if`, when an API refuses the token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentcore_identity::{Error, requires_access_token};
use agentcore_identity_local::Operation;
use agentcore_identity_tests::api::Api;
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{Failure, user_id};

/// The API, and how often it was called.
#[derive(Clone)]
struct Counted {
    api: Api,
    calls: Arc<AtomicUsize>,
}

impl Counted {
    fn of(stage: &Stage) -> Self {
        Self { api: Api::of(&stage.local), calls: Arc::default() }
    }

    async fn user(&self, token: &str) -> Result<String, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.api.user(token).await.ok_or(Failure::Refused)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    auth_flow = "USER_FEDERATION",
    retry_if = Failure::is_refused,
)]
async fn whoami(api: Counted, access_token: &str) -> Result<String, Failure> {
    api.user(access_token).await
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
async fn token(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = ["repo"],
    auth_flow = "USER_FEDERATION",
    force_authentication = true,
)]
async fn token_anew(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "M2M", retry_if = Failure::is_refused)]
async fn machine(api: Counted, access_token: &str) -> Result<String, Failure> {
    api.user(access_token).await
}

/// Another process had the user consent anew. The vault has the new token, and only this client's cache the old one.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_replaced_in_the_vault_is_fetched() {
    let stage = Stage::set().await;
    let first = stage.consented("ada", token()).await.unwrap();
    stage.local.revoke_tokens(PROVIDER).await.unwrap();
    let another = stage.client(|builder| builder);
    let context = stage.context().user(user_id("ada")).client(another).build();
    let call = stage.begin(&context, token_anew()).await;
    stage.consent(&stage.link().await, "ada").await;
    stage.time.pass(INTERVAL).await;
    let second = stage.outcome(call).await.unwrap();
    assert_ne!(first, second);

    stage.local.clear_calls();
    let api = Counted::of(&stage);
    assert_eq!(stage.user("ada").scope(whoami(api.clone())).await.unwrap(), "ada");
    assert_eq!((api.calls(), stage.questions()), (2, 1));
    assert!(stage.nobody_is_asked().await);
    assert_eq!(stage.user("ada").scope(token()).await.unwrap(), second, "kept");
}

/// The vault does not know that its token was revoked, and returns it once more: only the user can bring another.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_is_asked_for_anew() {
    let stage = Stage::set().await;
    let first = stage.consented("ada", token()).await.unwrap();
    stage.local.revoke_tokens(PROVIDER).await.unwrap();
    stage.local.clear_calls();
    let api = Counted::of(&stage);
    let call = stage.begin(&stage.user("ada"), whoami(api.clone())).await;
    assert_eq!((api.calls(), stage.questions()), (1, 2), "the same token, then a new authorization");
    stage.consent(&stage.link().await, "ada").await;
    stage.time.pass(INTERVAL).await;
    assert_eq!(stage.outcome(call).await.unwrap(), "ada");
    assert_eq!((api.calls(), stage.questions()), (2, 3));
    assert_ne!(stage.user("ada").scope(token()).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn many_who_notice_at_once_ask_the_user_once() {
    let stage = Stage::set().await;
    stage.consented("ada", token()).await.unwrap();
    stage.local.revoke_tokens(PROVIDER).await.unwrap();
    let (api, ada) = (Counted::of(&stage), stage.user("ada"));
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(ada.scope(whoami(api.clone())))).collect();
    let authorization = stage.link().await;
    assert!(stage.nobody_is_asked().await);
    stage.consent(&authorization, "ada").await;
    stage.time.pass(INTERVAL).await;
    for call in calls {
        assert_eq!(stage.outcome(call).await.unwrap(), "ada");
    }
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_handler_the_body_s_error_stays() {
    let stage = Stage::set().await;
    stage.consented("ada", token()).await.unwrap();
    stage.local.revoke_tokens(PROVIDER).await.unwrap();
    let api = Counted::of(&stage);
    let ada = stage.context_without_handler().user(user_id("ada")).build();
    let error = ada.scope(whoami(api.clone())).await.unwrap_err();
    assert!(error.is_refused(), "{error:?}");
    assert_eq!(api.calls(), 1);
    assert!(stage.nobody_is_asked().await);
}

/// The agent's own token: nobody to ask for another, and the vault has but the same.
#[tokio::test(start_paused = true)]
async fn a_machine_s_token_that_comes_back_the_same_is_not_tried_again() {
    let stage = Stage::set().await;
    let (api, agent) = (Counted::of(&stage), stage.context().build());
    agent.scope(machine(api.clone())).await.unwrap();
    stage.local.revoke_tokens(PROVIDER).await.unwrap();
    stage.local.clear_calls();
    let error = agent.scope(machine(api.clone())).await.unwrap_err();
    assert!(matches!(error, Failure::Refused), "{error:?}");
    assert_eq!((api.calls(), stage.questions()), (2, 1));
}
