use std::io::Write;
use std::sync::Mutex;

use tracing_subscriber::fmt::format::FmtSpan;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What this crate, and not the AWS SDK, says in `work`.
async fn said(work: impl Future<Output = ()>) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    work.await;
    drop(guard);
    let bytes = std::mem::take(&mut *log.0.lock().unwrap());
    let text = String::from_utf8(bytes).unwrap();
    text.lines().filter(|line| line.contains(" agentcore_identity")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn each_fetch_and_each_wait_is_a_span_without_secrets() {
    let service = service(|n, _| match n {
        0 => pending(),
        1 => throttled(),
        2 => in_progress(),
        _ => token("token-secret"),
    });
    let client = service.builder().pending_store(MemoryStore::default()).build();
    let request = || {
        let request = github(&client).callback_url("https://app.example/cb?key=url-secret").on_auth_url(ignore);
        request.custom_parameters([("k", "parameter-secret")])
    };
    let text = said(async {
        for _ in 0..2 {
            as_ada(request()).await.unwrap();
        }
    })
    .await;
    for expected in [
        "fetch_credential{operation=\"GetWorkloadAccessTokenForUserId\"",
        "operation=\"GetResourceOauth2Token\" provider=\"github\" cache=\"miss\" outcome=\"AuthorizationRequired\" attempts=1",
        "operation=\"GetResourceOauth2Token\" provider=\"github\" cache=\"hit\" outcome=\"ok\" attempts=0",
        "await_consent{provider=\"github\"",
        "polls=3",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let state = questions(&service)[0].text("customState").unwrap().to_owned();
    for secret in ["secret", "session", "wat-1", state.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
