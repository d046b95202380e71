//! What is said about a user's consent: how it went, and no secret. A test of its own, since a log that does not belong to
//! the whole process misses what other tests' threads were the first to reach.

use std::time::Duration;

use agentcore_identity::{AuthFlow, IdentityClient, MemoryStore, Polling, RequestContext};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::{Log, WORKLOAD, sdk_config, user_id};
use tokio::sync::mpsc;
use tracing_subscriber::fmt::format::FmtSpan;

const CALLBACK: &str = "https://app.example/callback";

#[tokio::test]
async fn each_fetch_and_each_wait_is_a_span_without_secrets() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let local = LocalIdentity::builder()
        .workload_identity(WORKLOAD)
        .oauth2_provider("github")
        .return_url(WORKLOAD, CALLBACK)
        .start()
        .await
        .unwrap();
    let client = IdentityClient::builder()
        .sdk_config(&sdk_config(&local))
        .polling(Polling::default().interval(Duration::ZERO))
        .pending_store(MemoryStore::default())
        .build();
    let (shown, mut links) = mpsc::unbounded_channel();
    let request = || {
        let shown = shown.clone();
        client
            .access_token("github")
            .scopes(["repo"])
            .auth_flow(AuthFlow::UserFederation)
            .callback_url(CALLBACK)
            .custom_parameters([("login_hint", "parameter-secret")])
            .on_auth_url(move |pending| shown.send(pending))
    };
    let context = RequestContext::builder().workload_name(WORKLOAD).user(user_id("ada")).build();
    let consent = async {
        let pending = links.recv().await.unwrap();
        local.fail_next(Operation::GetResourceOauth2Token, 1, Fault::Throttle);
        let back = local.consent(pending.url(), "ada").await.unwrap();
        client.complete_authorization(pending.session_uri(), user_id("ada")).await.unwrap();
        (pending, back)
    };
    let (token, (pending, back)) = tokio::join!(context.scope(request().into_future()), consent);
    let token = token.unwrap();
    context.scope(request().into_future()).await.unwrap();

    let text = log.text();
    let ours: String = text.lines().filter(|line| line.contains(" agentcore_identity::")).collect();
    for expected in [
        r#"operation="GetResourceOauth2Token" provider="github" cache="miss" outcome="AuthorizationRequired" attempts=1"#,
        r#"operation="GetResourceOauth2Token" provider="github" cache="hit" outcome="ok" attempts=0"#,
        r#"await_consent{provider="github""#,
    ] {
        assert!(ours.contains(expected), "{expected} in {ours}");
    }
    let state = back.split("state=").nth(1).unwrap();
    for secret in [pending.url(), pending.session_uri(), token.expose(), state, "parameter-secret"] {
        assert!(!ours.contains(secret), "{secret} in {ours}");
    }
}
