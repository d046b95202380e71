//! Several credentials of one function.

use std::time::Duration;

use agentcore_identity::{Error, requires_access_token, requires_api_key};
use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{API_KEY, claims};

#[requires_api_key(provider = "openai")]
#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "M2M")]
async fn both(api_key: String, access_token: String) -> Result<(String, String), Error> {
    Ok((api_key, access_token))
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION", into = repositories)]
#[requires_access_token(provider = PROVIDER, scopes = ["mail"], auth_flow = "USER_FEDERATION", into = mail)]
#[requires_api_key(provider = "openai")]
async fn of_one_user(repositories: String, mail: String, api_key: String) -> Result<[String; 3], Error> {
    Ok([repositories, mail, api_key])
}

/// Both requests are under way before the service lets the time pass that either answer takes.
#[tokio::test(start_paused = true)]
async fn are_fetched_at_the_same_time() {
    let stage = Stage::set().await;
    stage.local.set_api_key("openai", API_KEY).await.unwrap();
    for operation in [Operation::GetResourceApiKey, Operation::GetResourceOauth2Token] {
        stage.local.fail_next(operation, 1, Fault::Delay(Duration::from_secs(2)));
    }
    let call = tokio::spawn(stage.context().build().scope(both()));
    stage.time.until_under_way(2).await;
    assert_eq!(stage.local.call_count(Operation::GetWorkloadAccessToken), 1, "of one workload token");
    stage.time.until_answered().await;
    let (key, token) = stage.outcome(call).await.unwrap();
    assert_eq!((key.as_str(), claims(&token)["scope"].as_str()), (API_KEY, Some("repo")));
    let calls = [Operation::GetResourceApiKey, Operation::GetResourceOauth2Token, Operation::GetWorkloadAccessToken];
    assert_eq!(calls.map(|operation| stage.local.call_count(operation)), [1, 1, 1]);
}

/// The user is asked for both at once, and may consent in either order.
#[tokio::test(start_paused = true)]
async fn two_consents_are_waited_for_together() {
    let stage = Stage::set().await;
    stage.local.set_api_key("openai", API_KEY).await.unwrap();
    let call = stage.begin(&stage.user("ada"), of_one_user()).await;
    let links = [stage.link().await, stage.link().await];
    assert_ne!(links[0].session_uri(), links[1].session_uri());
    stage.consent(&links[1], "ada").await;
    stage.time.pass(INTERVAL).await;
    assert!(!call.is_finished());
    stage.consent(&links[0], "ada").await;
    stage.time.pass(INTERVAL).await;
    let [repositories, mail, key] = stage.outcome(call).await.unwrap();
    assert_eq!((&claims(&repositories)["scope"], &claims(&mail)["scope"]), (&"repo".into(), &"mail".into()));
    assert_eq!(key, API_KEY);
}

/// The first failure is the answer, and nobody waits for the other credentials any longer.
#[tokio::test(start_paused = true)]
async fn the_first_failure_ends_the_wait_for_the_others() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), of_one_user()).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(&error, Error::ProviderNotFound { provider, .. } if provider == "openai"), "{error:?}");
    let asked = stage.questions();
    stage.time.pass(Duration::from_mins(1)).await;
    assert_eq!(stage.questions(), asked);
}
