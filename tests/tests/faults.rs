//! What a caller sees when the service refuses, fails, stalls or is not there.

use std::time::Duration;

use agentcore_identity::{ApiKey, Error, IdentityClient, RequestContext};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::{API_KEY, WORKLOAD, agent, client, local, sdk_config};
use aws_config::timeout::TimeoutConfig;

async fn fetch(local: &LocalIdentity, provider: &str) -> Result<ApiKey, Error> {
    agent(local).scope(async { client(local).api_key(provider).await }).await
}

async fn fetch_with(fault: Fault, times: usize) -> (LocalIdentity, Result<ApiKey, Error>) {
    let local = local().await;
    local.fail_next(Operation::GetResourceApiKey, times, fault);
    let answer = fetch(&local, "openai").await;
    (local, answer)
}

#[tokio::test]
async fn a_passing_fault_is_retried_by_the_aws_sdk() {
    for fault in [Fault::Throttle, Fault::InternalError, Fault::DropConnection] {
        let (local, answer) = fetch_with(fault, 2).await;
        assert_eq!(answer.unwrap().expose(), API_KEY);
        assert_eq!(local.call_count(Operation::GetResourceApiKey), 3);
    }
}

#[tokio::test]
async fn throttling_that_lasts() {
    let (_local, answer) = fetch_with(Fault::Throttle, 9).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Throttled { operation: "GetResourceApiKey", .. }), "{error:?}");
    assert!(error.is_retryable() && error.request_id().is_some());
}

#[tokio::test]
async fn an_internal_error_that_lasts() {
    let (_local, answer) = fetch_with(Fault::InternalError, 9).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn connections_that_keep_dropping() {
    let (_local, answer) = fetch_with(Fault::DropConnection, 9).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn access_denied_names_the_action() {
    let (_local, answer) = fetch_with(Fault::AccessDenied, 9).await;
    let error = answer.unwrap_err();
    assert!(
        matches!(error, Error::AccessDenied { action: Some("bedrock-agentcore:GetResourceApiKey"), .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("`openai`"), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn access_denied_for_the_workload_token() {
    let local = local().await;
    local.fail_next(Operation::GetWorkloadAccessToken, 1, Fault::AccessDenied);
    let error = fetch(&local, "openai").await.unwrap_err();
    assert!(
        matches!(error, Error::AccessDenied { action: Some("bedrock-agentcore:GetWorkloadAccessToken"), .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_missing() {
    let local = local().await;
    let error = fetch(&local, "opnai").await.unwrap_err();
    assert!(matches!(&error, Error::ProviderNotFound { provider, .. } if provider == "opnai"), "{error:?}");
}

#[tokio::test]
async fn a_provider_name_that_the_service_would_refuse_is_not_sent() {
    let local = local().await;
    for name in ["", "open ai", "a".repeat(129).as_str()] {
        let error = fetch(&local, name).await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
    }
    assert!(local.calls().is_empty());
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let local = local().await;
    let client = client(&local);
    agent(&local)
        .scope(async {
            client.api_key("search").await.unwrap_err();
            local.set_api_key("search", "sk-search").await.unwrap();
            assert_eq!(client.api_key("search").await.unwrap().expose(), "sk-search");
        })
        .await;
}

/// Time is paused once the connection stands: from then on nothing waits but the service's delay and the client's
/// timeout.
#[tokio::test]
async fn an_answer_that_does_not_come_in_time() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build();
    let client = IdentityClient::new(&sdk_config(&local).into_builder().timeout_config(timeouts).build());
    agent(&local)
        .scope(async {
            client.api_key("openai").await.unwrap();
            local.fail_next(Operation::GetResourceApiKey, 1, Fault::Delay(Duration::from_hours(1)));
            tokio::time::pause();
            let error = client.api_key("search").await.unwrap_err();
            assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
            assert!(error.to_string().contains("in time"), "{error}");
        })
        .await;
}

#[tokio::test]
async fn a_service_that_is_not_there() {
    let local = local().await;
    let client = client(&local);
    local.shutdown().await;
    let context = RequestContext::builder().workload_name(WORKLOAD).build();
    let error = context.scope(async { client.api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_is_none() {
    let local = local().await;
    for endpoint in ["not a url", "localhost:4566", "http://"] {
        let client = IdentityClient::new(&sdk_config(&local).into_builder().endpoint_url(endpoint).build());
        let error = agent(&local).scope(async { client.api_key("openai").await }).await.unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
        assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
    }
}

#[tokio::test]
async fn aws_credentials_that_the_service_refuses() {
    let (local, other) = (local().await, local().await);
    let foreign = other.sdk_config().credentials_provider().unwrap();
    let config = sdk_config(&local).into_builder().credentials_provider(foreign).build();
    let error = agent(&local).scope(async { IdentityClient::new(&config).api_key("openai").await }).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
    assert!(error.to_string().contains("AWS credentials"), "{error}");
}
