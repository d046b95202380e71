//! What it takes to wait for the consent of 100 users at once: threads, and polls.

use std::time::Duration;

use agentcore_identity::{AccessToken, Error, requires_access_token};
use agentcore_identity_tests::stage::{INTERVAL, Stage};

const USERS: usize = 100;
const WAIT: Duration = Duration::from_mins(9);

#[requires_access_token(provider = "github", auth_flow = "USER_FEDERATION", scopes = ["repo"])]
async fn repositories(access_token: AccessToken) -> Result<usize, Error> {
    Ok(access_token.expose().len())
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux tells about threads").count()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let stage = Stage::set().await;
        let (warm, authorization) = (stage.begin(&stage.user("first"), repositories()).await, stage.link().await);
        stage.local.deny_consent(authorization.url(), "first").await.unwrap();
        stage.time.pass(INTERVAL).await;
        stage.outcome(warm).await.unwrap_err();

        let before = threads();
        let mut calls = Vec::new();
        for user in 0..USERS {
            calls.push(stage.begin(&stage.user(&format!("user-{user}")), repositories()).await);
        }
        stage.time.settle().await;
        println!("threads before and while {USERS} users are waited for: {before}, {}", threads());

        let asked = stage.questions();
        stage.time.pass(WAIT).await;
        let polls = stage.questions() - asked;
        let allowed = USERS * usize::try_from(WAIT.as_secs() / INTERVAL.as_secs()).unwrap();
        let verdict = if polls <= allowed && threads() == before { "met" } else { "MISSED" };
        println!("polls in {WAIT:?}: {polls}, goal at most {allowed} and no thread more: {verdict}");
        drop(calls);
    });
}
