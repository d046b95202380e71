//! Faults, and the interface that tests reach from outside the process.

mod support;

use std::time::Duration;

use agentcore_identity_local::{Fault, Operation};
use serde_json::json;
use support::{Client, head, start};
use tokio::io::AsyncWriteExt as _;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn faults_meet_the_next_calls_in_order() {
    let local = start().await;
    let client = Client::of(&local);
    let token = client.token().await;
    local.fail_next(Operation::GetResourceApiKey, 2, Fault::Throttle);
    for fault in [Fault::InternalError, Fault::AccessDenied, Fault::RejectToken] {
        local.fail_next(Operation::GetResourceApiKey, 1, fault);
    }
    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = client.api_key(&token).await;
        seen.push((answer.status.as_u16(), answer.error().to_owned()));
    }
    let seen: Vec<_> = seen.iter().map(|(status, code)| (*status, code.as_str())).collect();
    assert_eq!(
        seen,
        [
            (429, "ThrottlingException"),
            (429, "ThrottlingException"),
            (500, "InternalServerException"),
            (403, "AccessDeniedException"),
            (401, "UnauthorizedException"),
            (200, ""),
        ]
    );
    let calls = local.calls();
    assert!(calls[1..].iter().all(|call| call.provider.as_deref() == Some("openai")), "{calls:?}");
    assert_eq!(calls[1].error.as_deref(), Some("ThrottlingException"));
}

#[tokio::test]
async fn a_refused_signature_uses_no_fault() {
    let local = start().await;
    let client = Client::of(&local);
    local.fail_next(Operation::GetTokenVault, 1, Fault::Throttle);
    let stranger = Client { secret_access_key: "wrong".into(), ..client.clone() };
    assert_eq!(stranger.call("GetTokenVault", json!({})).await.status, 403);
    assert_eq!(client.call("GetTokenVault", json!({})).await.status, 429);
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer_and_changes_nothing() {
    let local = start().await;
    let client = Client::of(&local);
    local.fail_next(Operation::CreateWorkloadIdentity, 1, Fault::DropConnection);
    let input = json!({ "name": "another" });
    assert!(client.try_call("CreateWorkloadIdentity", input.clone()).await.is_err());
    let call = local.calls().pop().unwrap();
    assert_eq!((call.status, call.workload.as_deref()), (0, Some("another")));
    assert_eq!(client.call("CreateWorkloadIdentity", input).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_waited_for_and_then_the_call_is_carried_out() {
    let local = start().await;
    let client = Client::of(&local);
    let delay = Duration::from_hours(1);
    local.fail_next(Operation::GetTokenVault, 1, Fault::Delay(delay));
    let start = tokio::time::Instant::now();
    assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
    assert!(start.elapsed() >= delay);
}

#[tokio::test]
async fn a_client_that_leaves_is_logged() {
    let local = start().await;
    let client = Client::of(&local);
    local.fail_next(Operation::GetTokenVault, 1, Fault::Delay(Duration::from_hours(1)));
    let text = head(&client.signed("POST", "/identities/get-token-vault", b""));
    let mut stream = tokio::net::TcpStream::connect(&client.authority).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    drop(stream);
    while local.call_count(Operation::GetTokenVault) == 0 {
        tokio::task::yield_now().await;
    }
    let call = local.calls().remove(0);
    assert_eq!((call.status, call.error), (0, None));
}

#[tokio::test]
async fn everything_can_be_reached_over_http() {
    let local = start().await;
    let client = Client::of(&local);
    assert_eq!(
        client.plain("GET", "/_local/health", &[], "").await.json(),
        json!({ "status": "ok", "region": "us-east-1" })
    );
    let token = client.token().await;
    let fault = r#"{"operation": "GetResourceApiKey", "fault": "Throttle", "times": 1}"#;
    assert_eq!(client.plain("POST", "/_local/faults", &[JSON], fault).await.status, 204);
    let delay = r#"{"operation": "GetResourceApiKey", "fault": "Delay", "delayMillis": 1}"#;
    assert_eq!(client.plain("POST", "/_local/faults", &[JSON], delay).await.status, 204);
    assert_eq!(client.api_key(&token).await.status, 429);
    assert_eq!(client.api_key(&token).await.status, 200);
    client.plain("POST", "/_local/faults", &[JSON], fault).await;
    assert_eq!(client.plain("DELETE", "/_local/faults", &[], "").await.status, 204);
    assert_eq!(client.api_key(&token).await.status, 200);

    let advance = r#"{"advanceSeconds": 900}"#;
    assert_eq!(client.plain("POST", "/_local/clock", &[JSON], advance).await.status, 204);
    assert_eq!(client.api_key(&token).await.status, 401);

    let counters = client.plain("GET", "/_local/counters", &[], "").await.json();
    assert_eq!(counters, json!({ "GetWorkloadAccessToken": 1, "GetResourceApiKey": 4 }));
    let calls = client.plain("GET", "/_local/calls", &[], "").await.json();
    let first = &calls["calls"][1];
    assert_eq!(first["operation"], "GetResourceApiKey");
    assert_eq!((first["status"].as_u64(), first["error"].as_str()), (Some(429), Some("ThrottlingException")));
    assert_eq!((first["workload"].as_str(), first["provider"].as_str()), (Some("my-agent"), Some("openai")));
    assert_eq!(client.plain("DELETE", "/_local/calls", &[], "").await.status, 204);
    assert_eq!(client.plain("GET", "/_local/calls", &[], "").await.json(), json!({ "calls": [] }));
}

#[tokio::test]
async fn mistakes_over_http_are_named() {
    let local = start().await;
    let client = Client::of(&local);
    for (path, headers, body, expected) in [
        ("/_local/faults", &[][..], "{}", "Content-Type must be application/json"),
        ("/_local/faults", &[("content-type", "text/plain")], "{}", "Content-Type must be application/json"),
        ("/_local/faults", &[JSON], "{", "does not fit"),
        ("/_local/faults", &[JSON], "{}", "missing field `operation`"),
        ("/_local/faults", &[JSON], r#"{"operation": "Nope", "fault": "Throttle"}"#, "\"Nope\" is not served"),
        (
            "/_local/faults",
            &[JSON],
            r#"{"operation": "GetTokenVault", "fault": "Nope"}"#,
            "\"Nope\" is none of Throttle",
        ),
        ("/_local/faults", &[JSON], r#"{"operation": "GetTokenVault", "fault": "Delay"}"#, "delayMillis: is required"),
        (
            "/_local/faults",
            &[JSON],
            r#"{"operation": "GetTokenVault", "fault": "Throttle", "delayMillis": 1}"#,
            "delayMillis: goes with the fault Delay only",
        ),
        (
            "/_local/faults",
            &[JSON],
            r#"{"operation": "GetTokenVault", "fault": "Throttle", "time": 1}"#,
            "unknown field `time`",
        ),
        ("/_local/faults", &[JSON], r#"["GetTokenVault", "Throttle", 1]"#, "it is not a JSON object"),
        (
            "/_local/faults",
            &[JSON],
            r#"{"operation": "GetTokenVault", "fault": "Throttle", "times": 0}"#,
            "times: 0 calls meet no fault; give 1 or more",
        ),
        ("/_local/clock", &[JSON], r#"{"advanceSeconds": -1}"#, "does not fit"),
        ("/_local/clock", &[JSON], "[900]", "it is not a JSON object"),
        ("/_local/clock", &[JSON], r#"{"advanceSeconds": 315532801}"#, "advanceSeconds: 315532801 would move"),
        ("/_local/clock", &[JSON], r#"{"advanceSeconds": 18446744073709551615}"#, "more than ten years ahead"),
    ] {
        let answer = client.plain("POST", path, headers, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.message().contains(expected), "{}", answer.message());
    }
    for _ in 0..1_000 {
        local.fail_next(Operation::GetTokenVault, 1, Fault::Throttle);
    }
    let fault = r#"{"operation": "GetTokenVault", "fault": "Throttle"}"#;
    let one_too_many = client.plain("POST", "/_local/faults", &[JSON], fault).await;
    assert_eq!(one_too_many.status, 429);
    assert!(one_too_many.message().contains("1000 faults wait for calls of GetTokenVault"), "{one_too_many:?}");
    let unknown = client.plain("GET", "/_local/nothing", &[], "").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.message().contains("GET health"), "{}", unknown.message());
}
