//! The spans of fetches that a user is waited for in, and of tokens that are renewed ahead. A test of its own, since a
//! log that does not belong to the whole process misses what other tests' threads were the first to reach.

use std::time::Duration;

use agentcore_identity::{Error, requires_access_token};
use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::Log;
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
async fn of_user(access_token: String) -> Result<usize, Error> {
    Ok(access_token.len())
}

#[requires_access_token(provider = PROVIDER, auth_flow = "M2M")]
async fn of_agent(access_token: String) -> Result<usize, Error> {
    Ok(access_token.len())
}

/// The fields of the spans that ended, without those of workload tokens.
fn spans(log: &Log) -> Vec<String> {
    let text = log.text();
    let closed = text.lines().filter(|line| line.contains(" agentcore_identity::") && line.contains(": close "));
    // The innermost of each line is the one that ended.
    let innermost = |line: &'_ str| {
        let start = ["fetch_credential{", "await_consent{"].iter().filter_map(|span| line.rfind(span)).max();
        let end = line.rfind("}: agentcore_identity::");
        start.zip(end).map(|(start, end)| line[start..=end].to_owned())
    };
    closed.filter_map(innermost).filter(|span| !span.contains("GetWorkloadAccessToken")).collect()
}

fn fetch(cache: &str, outcome: &str, attempts: u32) -> String {
    format!(
        "fetch_credential{{operation=\"GetResourceOauth2Token\" provider=\"github\" cache=\"{cache}\" \
         outcome=\"{outcome}\" attempts={attempts}}}"
    )
}

fn wait(polls: u32, outcome: &str) -> String {
    format!("await_consent{{provider=\"github\" polls={polls} outcome=\"{outcome}\"}}")
}

#[tokio::test(start_paused = true)]
async fn each_fetch_and_each_wait_is_a_span() {
    let (log, _guard) = Log::of_spans();
    let stage = Stage::set().await;

    // Two wait for one consent.
    let ada = stage.user("ada");
    let calls = [stage.begin(&ada, of_user()).await, stage.begin(&ada, of_user()).await];
    stage.local.fail_next(Operation::GetResourceOauth2Token, 1, Fault::InternalError);
    stage.consent(&stage.link().await, "ada").await;
    stage.time.pass(INTERVAL * 2).await;
    for call in calls {
        stage.outcome(call).await.unwrap();
    }
    ada.scope(of_user()).await.unwrap();
    assert_eq!(spans(&log), [fetch("miss", "AuthorizationRequired", 1), wait(2, "ok"), fetch("hit", "ok", 0)]);

    let all = log.clone();
    let log = {
        let before = spans(&log).len();
        move || spans(&log).split_off(before)
    };
    let call = stage.begin(&stage.user("bob"), of_user()).await;
    stage.local.deny_consent(stage.link().await.url(), "bob").await.unwrap();
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap_err();
    assert_eq!(log(), [fetch("miss", "AuthorizationRequired", 1), wait(1, "AuthorizationFailed")]);

    // Nobody waits for the renewal, and who comes together shares a fetch.
    let agent = stage.context().build();
    let (one, other) = tokio::join!(agent.scope(of_agent()), agent.scope(of_agent()));
    assert!(one.is_ok() && other.is_ok());
    stage.time.pass(Duration::from_mins(58)).await;
    agent.scope(of_agent()).await.unwrap();
    stage.time.settle().await;
    let mut spans = log().split_off(2);
    // Which of the two ends first is nobody's business.
    spans[..2].sort_unstable();
    let expected = [fetch("miss", "ok", 1), fetch("shared", "ok", 0), fetch("hit", "ok", 0), fetch("renewal", "ok", 1)];
    assert_eq!(spans, expected);

    // A token that cannot be renewed serves on, first ahead of its last minute and then in it.
    stage.local.fail_next(Operation::GetResourceOauth2Token, 2, Fault::InternalError);
    stage.time.pass(Duration::from_mins(58)).await;
    agent.scope(of_agent()).await.unwrap();
    stage.time.settle().await;
    stage.time.pass(Duration::from_secs(80)).await;
    agent.scope(of_agent()).await.unwrap();
    let expected = [fetch("hit", "ok", 0), fetch("renewal", "kept", 1), fetch("miss", "kept", 1)];
    assert_eq!(log().split_off(6), expected);
    let warnings = all
        .text()
        .lines()
        .filter(|line| line.contains(" WARN ") && line.contains(" agentcore_identity::"))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (warning, cache) in warnings.iter().zip(["renewal", "miss"]) {
        let span =
            format!("fetch_credential{{operation=\"GetResourceOauth2Token\" provider=\"github\" cache=\"{cache}\"}}");
        assert!(warning.contains(&span), "{warning}");
        let fields = "operation=\"GetResourceOauth2Token\" provider=\"github\" reason=\"Unavailable\"";
        assert!(warning.ends_with(fields), "{warning}");
    }
}
