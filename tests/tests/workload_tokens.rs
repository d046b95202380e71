//! Where the workload access token of a call comes from, and what happens when it ends.

use std::time::Duration;

use agentcore_identity::{CachePolicy, Error, IdentityClient, RequestContext, UserIdentifier};
use agentcore_identity_local::Operation;
use agentcore_identity_tests::{API_KEY, WORKLOAD, agent, client, jwt, local, sdk_config, user_id};

#[tokio::test]
async fn a_token_handed_in_is_used_as_it_is() {
    let local = local().await;
    let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
    let context = RequestContext::builder().workload_token(token).workload_name("not-asked-for").build();
    let key = context.scope(async { client(&local).api_key("openai").await }).await.unwrap();
    assert_eq!(key.expose(), API_KEY);
    let operations: Vec<_> = local.calls().iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::GetResourceApiKey]);
}

#[tokio::test]
async fn a_token_is_fetched_by_the_operation_that_fits_the_user() {
    let local = local().await;
    let client = client(&local);
    let builder = || RequestContext::builder().workload_name(WORKLOAD);
    for (context, operation) in [
        (builder().build(), Operation::GetWorkloadAccessToken),
        (builder().user(user_id("ada")).build(), Operation::GetWorkloadAccessTokenForUserId),
        (
            builder().user(UserIdentifier::UserToken(jwt("ada", Duration::from_hours(1)).into())).build(),
            Operation::GetWorkloadAccessTokenForJWT,
        ),
    ] {
        local.clear_calls();
        let key = context.scope(async { client.api_key("openai").await }).await.unwrap();
        assert_eq!(key.expose(), API_KEY);
        let operations: Vec<_> = local.calls().iter().map(|call| call.operation).collect();
        assert_eq!(operations, [operation, Operation::GetResourceApiKey]);
    }
}

#[tokio::test]
async fn a_fetched_token_serves_all_providers() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    agent(&local)
        .scope(async {
            let client = client(&local);
            client.api_key("openai").await.unwrap();
            client.api_key("search").await.unwrap();
        })
        .await;
    assert_eq!(local.call_count(Operation::GetWorkloadAccessToken), 1);
}

#[tokio::test]
async fn a_fetched_token_that_expired_is_fetched_anew() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    let client = client(&local);
    agent(&local)
        .scope(async {
            client.api_key("openai").await.unwrap();
            local.advance_clock(Duration::from_hours(24));
            assert_eq!(client.api_key("search").await.unwrap().expose(), "sk-search");
        })
        .await;
    assert_eq!(local.call_count(Operation::GetWorkloadAccessToken), 2);
    // Refused with the old token, answered with the new one.
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 3);
}

#[tokio::test]
async fn a_fetched_token_is_renewed_once_and_not_for_ever() {
    let local = local().await;
    local.fail_next(Operation::GetResourceApiKey, 9, agentcore_identity_local::Fault::RejectToken);
    let error = agent(&local).scope(async { client(&local).api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::WorkloadTokenRejected { fetched: true, .. }), "{error:?}");
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 2);
}

#[tokio::test]
async fn a_token_handed_in_that_expired_is_the_callers_to_renew() {
    let local = local().await;
    let token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
    local.advance_clock(Duration::from_hours(24));
    let context = RequestContext::builder().workload_token(token).workload_name(WORKLOAD).build();
    let error = context.scope(async { client(&local).api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::WorkloadTokenRejected { fetched: false, .. }), "{error:?}");
    assert_eq!(local.calls().len(), 1);
}

#[tokio::test]
async fn an_expired_jwt_is_the_users_to_renew() {
    let local = local().await;
    let expired = jwt("ada", Duration::from_mins(1));
    local.advance_clock(Duration::from_hours(1));
    let context = RequestContext::builder()
        .workload_name(WORKLOAD)
        .user(UserIdentifier::UserToken(expired.as_str().into()))
        .build();
    let error = context.scope(async { client(&local).api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::UserTokenRejected { .. }), "{error:?}");
}

/// Only the end of the JWT can make the second call fetch a token again: the cache keeps others for five minutes.
#[tokio::test]
async fn a_token_made_from_a_jwt_is_not_kept_beyond_the_jwt() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    let client = client(&local);
    let token = jwt("ada", Duration::from_mins(1));
    let context =
        RequestContext::builder().workload_name(WORKLOAD).user(UserIdentifier::UserToken(token.into())).build();
    context
        .scope(async {
            client.api_key("openai").await.unwrap();
            tokio::time::pause();
            tokio::time::advance(Duration::from_mins(1)).await;
            client.api_key("search").await.unwrap();
        })
        .await;
    assert_eq!(local.call_count(Operation::GetWorkloadAccessTokenForJWT), 2);
}

#[tokio::test]
async fn an_unknown_workload_identity_is_not_created() {
    let local = local().await;
    let context = RequestContext::builder().workload_name("nobody").client(client(&local)).build();
    let error = context.scope(async { client(&local).api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
    assert!(error.to_string().contains("create-workload-identity --name nobody"), "{error}");
    assert_eq!(local.call_count(Operation::CreateWorkloadIdentity), 0);
}

#[tokio::test]
async fn a_disabled_cache_asks_for_token_and_key_each_time() {
    let local = local().await;
    let client =
        IdentityClient::builder().sdk_config(&sdk_config(&local)).cache_policy(CachePolicy::disabled()).build();
    agent(&local)
        .scope(async {
            client.api_key("openai").await.unwrap();
            client.api_key("openai").await.unwrap();
        })
        .await;
    assert_eq!(local.call_count(Operation::GetWorkloadAccessToken), 2);
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 2);
}
