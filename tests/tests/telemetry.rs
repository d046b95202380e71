//! The span of a fetch says how it went.

use std::time::Duration;

use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::{Log, agent, client, local};

fn spans(log: &Log) -> Vec<String> {
    let lines = log.text();
    lines
        .lines()
        .filter(|line| {
            line.contains("fetch_credential{") && line.contains(": agentcore_identity::client::fetch: close")
        })
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn one_span_for_each_fetch() {
    let (log, _guard) = Log::of_spans();

    let local = local().await;
    let client = client(&local);
    agent(&local)
        .scope(async {
            local.fail_next(Operation::GetResourceApiKey, 1, Fault::Throttle);
            client.api_key("openai").await.unwrap();
            client.api_key("openai").await.unwrap();
            client.api_key("missing").await.unwrap_err();
            let both = tokio::join!(client.api_key("absent"), client.api_key("absent"));
            assert!(both.0.is_err() && both.1.is_err());

            // The one that began it is gone when the answer comes. The connection stands: nothing else waits for time.
            local.set_api_key("search", "sk-search").await.unwrap();
            local.fail_next(Operation::GetResourceApiKey, 1, Fault::Delay(Duration::from_hours(1)));
            tokio::time::pause();
            let impatient = tokio::time::timeout(Duration::from_secs(1), client.api_key("search"));
            let (impatient, patient) = tokio::join!(impatient, client.api_key("search"));
            assert!(impatient.is_err() && patient.is_ok());
        })
        .await;

    let spans = spans(&log);
    let expected = [
        r#"operation="GetWorkloadAccessToken" cache="miss" outcome="ok" attempts=1"#,
        r#"operation="GetResourceApiKey" provider="openai" cache="miss" outcome="ok" attempts=2"#,
        r#"operation="GetResourceApiKey" provider="openai" cache="hit" outcome="ok" attempts=0"#,
        r#"operation="GetResourceApiKey" provider="missing" cache="miss" outcome="ProviderNotFound" attempts=1"#,
        r#"operation="GetResourceApiKey" provider="absent" cache="miss" outcome="ProviderNotFound" attempts=1"#,
        r#"operation="GetResourceApiKey" provider="absent" cache="shared" outcome="ProviderNotFound" attempts=0"#,
        r#"operation="GetResourceApiKey" provider="search" cache="miss" outcome="ok" attempts=1"#,
        r#"operation="GetResourceApiKey" provider="search" cache="shared" outcome="ok" attempts=0"#,
    ];
    assert_eq!(spans.len(), expected.len());
    for (span, expected) in spans.iter().zip(expected) {
        assert!(span.contains(expected), "{span}\ndoes not contain\n{expected}");
    }
}
