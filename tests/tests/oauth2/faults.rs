//! What can go wrong between the link and the token.

use std::time::{Duration, SystemTime};

use agentcore_identity::{Error, IdentityClient, requires_access_token};
use agentcore_identity_local::{EndUser, Fault, Operation};
use agentcore_identity_tests::browser::{Browser, parameter, with_parameter};
use agentcore_identity_tests::control::oauth2_provider_at;
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims};
use aws_smithy_async::time::StaticTimeSource;

#[requires_access_token(provider = provider, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
async fn of_user(provider: String, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

#[requires_access_token(provider = provider, scopes = ["repo"], auth_flow = "M2M")]
async fn machine(provider: &str, access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

fn repositories() -> impl Future<Output = Result<String, Error>> + Send {
    of_user(PROVIDER.to_owned())
}

const QUESTION: Operation = Operation::GetResourceOauth2Token;

#[tokio::test(start_paused = true)]
async fn a_user_who_declines_ends_it_with_the_next_poll() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    let shown = stage.local.deny_consent(authorization.url(), "ada").await.unwrap();
    assert!(shown.starts_with(stage.local.endpoint_url()), "the application is not called: {shown}");
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("Call again for a new link"), "{error}");
    assert_eq!(stage.questions(), 2);

    // Having declined once does not keep the user from consenting later.
    assert_eq!(claims(&stage.consented("ada", repositories()).await.unwrap())["sub"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_expired_at_the_service_ends_it_with_the_next_poll() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    stage.local.advance_clock(Duration::from_mins(10));
    let page = Browser::default().open(authorization.url()).await;
    assert_eq!((page.status, page.heading()), (400, "This link has expired"));
    assert!(page.body.contains("Ask the application for a new one"), "{}", page.body);
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("let the link expire"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_the_polls_down_and_does_not_end_them() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    stage.consent(&authorization, "ada").await;
    stage.local.fail_next(QUESTION, 3, Fault::Throttle);
    // After 5, 10, 20 and 40 seconds.
    stage.time.pass(INTERVAL * (1 + 2 + 4)).await;
    assert_eq!(stage.questions(), 4);
    stage.time.pass(INTERVAL * 7).await;
    assert_eq!(stage.questions(), 4);
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
    assert_eq!(stage.questions(), 5);
}

#[tokio::test(start_paused = true)]
async fn faults_that_pass_do_not_end_the_polls() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    stage.consent(&authorization, "ada").await;
    stage.local.fail_next(QUESTION, 2, Fault::InternalError);
    stage.local.fail_next(QUESTION, 2, Fault::DropConnection);
    stage.time.pass(INTERVAL * 4).await;
    assert!(!call.is_finished());
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
    assert_eq!(stage.questions(), 6);
}

#[tokio::test(start_paused = true)]
async fn faults_that_stay_end_them() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    stage.link().await;
    stage.local.fail_next(QUESTION, 1, Fault::AccessDenied);
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(
        matches!(error, Error::AccessDenied { action: Some("bedrock-agentcore:GetResourceOauth2Token"), .. }),
        "{error:?}"
    );
    assert_eq!(stage.questions(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fetched_workload_token_that_ends_while_the_user_takes_time_is_renewed() {
    let stage = Stage::set().await;
    let call = stage.begin(&stage.user("ada"), repositories()).await;
    let authorization = stage.link().await;
    stage.consent(&authorization, "ada").await;
    stage.local.fail_next(QUESTION, 1, Fault::RejectToken);
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
    assert_eq!(stage.local.call_count(Operation::GetWorkloadAccessTokenForUserId), 2);
    assert_eq!(stage.questions(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_workload_token_that_was_handed_in_cannot_be_renewed_from_here() {
    let stage = Stage::set().await;
    let token = stage.local.issue_workload_token(WORKLOAD, Some(EndUser::Id("ada".into()))).await.unwrap();
    let handed_in = stage.context().workload_token(token).build();
    let call = stage.begin(&handed_in, repositories()).await;
    stage.link().await;
    stage.local.advance_clock(Duration::from_mins(15));
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::WorkloadTokenRejected { fetched: false, .. }), "{error:?}");
    assert!(error.to_string().contains("Take the one of the newest invocation"), "{error}");
    assert_eq!(stage.questions(), 2);
}

/// The discard port: nobody listens there without the right to.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down() {
    let stage = Stage::set().await;
    oauth2_provider_at(&stage.local, "down", NOBODY).await;
    let error = stage.context().build().scope(machine("down")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { operation: "GetResourceOauth2Token", .. }), "{error:?}");
    assert!(error.is_retryable());
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("its token endpoint at 127.0.0.1:9 gave no answer"), "{source}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_goes_down_while_the_user_consents() {
    let stage = Stage::set().await;
    oauth2_provider_at(&stage.local, "down", NOBODY).await;
    let call = stage.begin(&stage.user("ada"), of_user("down".to_owned())).await;
    let authorization = stage.link().await;
    let mut browser = Browser::default();
    let provider = browser.open(authorization.url()).await.location().to_owned();
    assert!(provider.starts_with("http://127.0.0.1:9/authorize?"), "{provider}");
    let answer = with_parameter(&parameter(&provider, "redirect_uri"), "code", "code-1");
    let page = browser.open(&with_parameter(&answer, "state", &parameter(&provider, "state"))).await;
    assert_eq!((page.status, page.heading()), (502, "No access was given"));
    assert!(page.body.contains("gave no answer"), "{}", page.body);
    stage.time.pass(INTERVAL).await;
    let error = stage.outcome(call).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_there() {
    let stage = Stage::set().await;
    let error = stage.context().build().scope(machine("githup")).await.unwrap_err();
    assert!(matches!(&error, Error::ProviderNotFound { provider, .. } if provider == "githup"), "{error:?}");
    assert!(error.to_string().contains("create-oauth2-credential-provider --name githup"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn consent_needs_a_user_and_says_so() {
    let stage = Stage::set().await;
    let error = stage.context().build().scope(repositories()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest { .. }), "{error:?}");
    assert!(stage.nobody_is_asked().await);
}

/// A JWT that is not valid yet by this machine's clock, or has ended by it, still is what the service gave.
#[tokio::test(start_paused = true)]
async fn a_service_whose_clock_is_ahead() {
    let stage = Stage::set().await;
    stage.local.advance_clock(Duration::from_hours(5));
    let agent = stage.context().build();
    let token = agent.scope(machine(PROVIDER)).await.unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(claims(&token)["iat"].as_u64() > Some(now + 4 * 3600), "{}", claims(&token));
    assert_eq!(agent.scope(machine(PROVIDER)).await.unwrap(), token);
    assert_eq!(stage.questions(), 1);
    // However long the token says that it lives, it is kept for an hour at most.
    stage.time.pass(Duration::from_hours(1)).await;
    agent.scope(machine(PROVIDER)).await.unwrap();
    assert_eq!(stage.questions(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_clock_is_wrong_is_told() {
    let stage = Stage::set().await;
    let slow = StaticTimeSource::new(SystemTime::now() - Duration::from_hours(1));
    let client = IdentityClient::new(&stage.config.clone().into_builder().time_source(slow).build());
    let agent = stage.context().client(client).build();
    let error = agent.scope(machine(PROVIDER)).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
    assert!(error.to_string().contains("the clock of this machine"), "{error}");
}
