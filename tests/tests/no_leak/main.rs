//! No secret reaches a log, a `Debug` output, an error text or a panic message. Alone in their process, since these
//! tests take over all logging.

mod access_tokens;
mod api_keys;

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::LazyLock;

use agentcore_identity::Error;
use agentcore_identity_tests::Log;
use tracing_subscriber::fmt::format::FmtSpan;

/// All that is logged in this process from now on.
fn log() -> Log {
    static LOG: LazyLock<Log> = LazyLock::new(|| {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(log.clone())
            .init();
        log
    });
    LOG.clone()
}

/// All that a program might print of an error.
fn print_error(error: &Error, out: &mut String) {
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        writeln!(out, "{error} {error:?} {error:#?}").unwrap();
        next = error.source();
    }
}

fn assert_logged<const N: usize>(log: &str, sources: [&str; N]) {
    for source in sources {
        assert!(log.contains(source), "{source} logged nothing, so this test shows nothing about it");
    }
}

fn assert_hidden(what: &str, secret: &str, log: &str, printed: &str) {
    assert!(secret.len() >= 8, "{what}: {secret:?} could be anything");
    for (place, text) in [("the log", log), ("what was printed", printed)] {
        if let Some(at) = text.find(secret) {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let shown: String = text[line..at].chars().rev().take(600).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{what} is in {place}, after:\n{shown}");
        }
    }
}
