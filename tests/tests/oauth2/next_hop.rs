//! The caller's own workload token, and the agent that it goes on to.

use agentcore_identity::{Error, RequestContext, WorkloadToken, requires_access_token, requires_workload_token};
use agentcore_identity_local::{EndUser, Operation};
use agentcore_identity_tests::stage::{PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims};
use axum::http::HeaderMap;

#[requires_workload_token]
async fn call_next_hop(workload_token: &WorkloadToken) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    workload_token.set_header(&mut headers)?;
    Ok(headers)
}

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "ON_BEHALF_OF_TOKEN_EXCHANGE")]
async fn next_hop(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

/// What AgentCore Runtime hands in, the agent hands on; and the next one acts for the same user.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_handed_in_goes_on_as_it_is() {
    let stage = Stage::set().await;
    let jwt = stage.local.user_jwt("ada").unwrap();
    let token = stage.local.issue_workload_token(WORKLOAD, Some(EndUser::Jwt(jwt))).await.unwrap();
    let headers = stage.context().workload_token(token.as_str()).build().scope(call_next_hop()).await.unwrap();
    assert_eq!(headers[WorkloadToken::HEADER], token);
    assert!(!format!("{headers:?}").contains(&token));
    assert_eq!(stage.local.calls(), [], "nothing is fetched for it");

    let received = headers[WorkloadToken::HEADER].to_str().unwrap();
    let hop = RequestContext::builder().workload_token(received).client(stage.client.clone()).build();
    assert_eq!(claims(&hop.scope(next_hop()).await.unwrap())["sub"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_fetched_goes_on_and_is_kept() {
    let stage = Stage::set().await;
    let ada = stage.user("ada");
    let first = ada.scope(call_next_hop()).await.unwrap();
    assert_eq!(ada.scope(call_next_hop()).await.unwrap(), first);
    assert_eq!(stage.local.call_count(Operation::GetWorkloadAccessTokenForUserId), 1);
    assert_ne!(stage.user("bob").scope(call_next_hop()).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn without_one_there_is_nothing_to_hand_on() {
    let stage = Stage::set().await;
    let nobody = RequestContext::builder().client(stage.client.clone()).build();
    let error = nobody.scope(call_next_hop()).await.unwrap_err();
    assert!(matches!(error, Error::NoWorkloadToken { .. }), "{error:?}");
}
