//! One client serves many Tokio runtimes: one after another, as `#[tokio::test]`s have them, and side by side, as
//! thread-per-core servers do.

use std::time::Duration;

use agentcore_identity::{CachePolicy, IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_local::{LocalIdentity, Operation};
use agentcore_identity_tests::{API_KEY, WORKLOAD, sdk_config};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use tokio::runtime::{Builder, Runtime};

#[requires_api_key(provider = "openai")]
async fn key(api_key: String) -> Result<String, agentcore_identity::Error> {
    Ok(api_key)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A service with a runtime of its own, that outlives those of its clients.
fn service() -> (Runtime, LocalIdentity) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let local = runtime.block_on(agentcore_identity_tests::local());
    (runtime, local)
}

/// A client that asks each time, and whose AWS client does not gloss over a connection that is of no use.
fn client(local: &LocalIdentity) -> IdentityClient {
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(9)).build();
    let config = sdk_config(local).into_builder();
    let config = config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
    IdentityClient::builder().sdk_config(&config).cache_policy(CachePolicy::disabled()).build()
}

#[test]
fn one_after_another() {
    let (_service, local) = service();
    client(&local).install_default();
    let context = RequestContext::builder().workload_name(WORKLOAD).build();
    for round in 1..=3 {
        assert_eq!(runtime().block_on(context.scope(key())).unwrap(), API_KEY);
        assert_eq!(local.call_count(Operation::GetResourceApiKey), round);
    }
}

/// A connection of the first runtime makes no progress while only the second one runs.
#[test]
fn side_by_side() {
    let (_service, local) = service();
    let context = RequestContext::builder().workload_name(WORKLOAD).client(client(&local)).build();
    let (one, two) = (runtime(), runtime());
    for runtime in [&one, &two, &one, &two] {
        assert_eq!(runtime.block_on(context.scope(key())).unwrap(), API_KEY);
    }
}

/// Without retries, for the same reason as above, and with a key of its own for each runtime, so that each asks.
#[test]
fn the_default_client_of_the_environment() {
    let (runtime, local) = service();
    runtime.block_on(local.set_api_key("search", "sk-search")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_default_client"))
        .args(["openai", "search", "openai", "missing"])
        .env_clear()
        .envs(local.environment())
        .envs([("HOME", directory.path()), ("AWS_MAX_ATTEMPTS", std::path::Path::new("1"))])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines[..3], [API_KEY, "sk-search", API_KEY]);
    assert!(lines[3].contains("no credential provider named `missing`"), "{}", lines[3]);
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 3);
}
