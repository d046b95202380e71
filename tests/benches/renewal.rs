//! A token that is renewed ahead of its end, 1,000 times, while callers ask for it all the time: none of them waits.

use std::time::Duration;

use agentcore_identity::{AccessToken, Error, requires_iam_access_token};
use agentcore_identity_local::Operation;
use agentcore_identity_tests::stage::Stage;
use futures_util::FutureExt as _;

const RENEWALS: usize = 1_000;
const CALLERS: usize = 20;

/// Between two rounds of calls; in each, all callers ask at once.
const STEP: Duration = Duration::from_secs(10);

#[requires_iam_access_token(audience = "https://api.example", duration_seconds = 300)]
async fn call(access_token: AccessToken) -> Result<AccessToken, Error> {
    Ok(access_token)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let stage = Stage::set().await;
        let (mut calls, mut waited, mut tokens) = (0, 0, 0);
        stage
            .user("ada")
            .scope(async {
                let mut last = call().await.unwrap();
                while stage.local.call_count(Operation::GetWebIdentityToken) <= RENEWALS {
                    stage.time.pass(STEP).await;
                    for _ in 0..CALLERS {
                        calls += 1;
                        match call().now_or_never() {
                            Some(token) => {
                                let token = token.unwrap();
                                tokens += usize::from(token.expose() != last.expose());
                                last = token;
                            }
                            None => waited += 1,
                        }
                    }
                }
            })
            .await;
        let verdict = if waited == 0 { "met" } else { "MISSED" };
        println!("renewals ahead: {tokens}; of {calls} calls, {waited} waited, goal 0: {verdict}");
    });
}
