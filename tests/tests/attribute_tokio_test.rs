//! The attribute above `#[tokio::test]`. Alone in its process, because it changes the working directory.

use std::sync::OnceLock;

use agentcore_identity::{ApiKey, Error, IdentityClient, requires_api_key};
use agentcore_identity_local::LocalIdentity;
use agentcore_identity_tests::{API_KEY, WORKLOAD, client, local};

static LOCAL: OnceLock<LocalIdentity> = OnceLock::new();

/// A client, and a working directory that says which workload this is.
async fn prepare() -> IdentityClient {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".agentcore.json"), format!(r#"{{"workload_identity_name": "{WORKLOAD}"}}"#))
        .unwrap();
    std::env::set_current_dir(directory.keep()).unwrap();
    let local = local().await;
    client(LOCAL.get_or_init(|| local))
}

#[requires_api_key(provider = "openai", client = prepare().await)]
#[tokio::test]
async fn a_test_receives_its_key(api_key: ApiKey) -> Result<(), Error> {
    assert_eq!(api_key.expose(), API_KEY);
    Ok(())
}
