//! One AWS client for each Tokio runtime.
//!
//! A client's connections, and those of its credentials provider, are driven by tasks of the runtime that opened them.
//! When that runtime ends, as it does after each `#[tokio::test]`, they are dead while the client still counts on them.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_bedrockagentcore::{Client, config};
use tokio::runtime::{Handle, Id};
use tokio::sync::OnceCell;

use crate::Error;

pub(super) struct Clients {
    config: Option<SdkConfig>,
    by_runtime: Arc<ByRuntime>,
}

type ByRuntime = Mutex<HashMap<Id, Arc<OnceCell<Client>>>>;

impl Clients {
    pub(super) fn new(config: Option<SdkConfig>) -> Self {
        Self { config, by_runtime: Arc::default() }
    }

    /// The client of the current runtime.
    pub(super) async fn get(&self) -> Result<Client, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("credentials are fetched inside a Tokio runtime, and this call is in none")
        })?;
        let cell = self.cell(&runtime);
        cell.get_or_try_init(|| self.build()).await.cloned()
    }

    fn cell(&self, runtime: &Handle) -> Arc<OnceCell<Client>> {
        let id = runtime.id();
        let mut by_runtime = self.by_runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = by_runtime.entry(id).or_insert_with(|| {
            // Tasks are dropped with their runtime, and this one's entry with it.
            let entry = RemoveOnDrop { by_runtime: self.by_runtime.clone(), id };
            runtime.spawn(async move {
                let _entry = entry;
                pending::<()>().await;
            });
            Arc::default()
        });
        cell.clone()
    }

    async fn build(&self) -> Result<Client, Error> {
        let loaded;
        let sdk_config = if let Some(config) = &self.config {
            config
        } else {
            loaded = aws_config::load_defaults(BehaviorVersion::latest()).await;
            &loaded
        };
        if sdk_config.region().is_none() {
            return Err(Error::configuration(
                "no AWS Region: set AWS_REGION, or `region` in the AWS profile, or `.region(…)` on the SdkConfig",
            ));
        }
        let mut config = config::Builder::from(sdk_config);
        if sdk_config.behavior_version().is_none() {
            config.set_behavior_version(Some(BehaviorVersion::latest()));
        }
        Ok(Client::from_conf(config.build()))
    }
}

struct RemoveOnDrop {
    by_runtime: Arc<ByRuntime>,
    id: Id,
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // Taken out first: dropping a client must not happen under the lock.
        let client = self.by_runtime.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        drop(client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        Clients::new(Some(SdkConfig::builder().region(aws_config::Region::new("us-east-1")).build()))
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn count(clients: &Clients) -> usize {
        clients.by_runtime.lock().unwrap().len()
    }

    #[test]
    fn a_client_ends_with_its_runtime() {
        let clients = clients();
        for _ in 0..3 {
            let runtime = runtime();
            runtime.block_on(async {
                clients.get().await.unwrap();
                clients.get().await.unwrap();
            });
            assert_eq!(count(&clients), 1);
            drop(runtime);
            assert_eq!(count(&clients), 0);
        }
    }

    #[test]
    fn runtimes_side_by_side_have_a_client_each() {
        let clients = clients();
        let (one, two) = (runtime(), runtime());
        for runtime in [&one, &two, &one] {
            runtime.block_on(async { clients.get().await.unwrap() });
        }
        assert_eq!(count(&clients), 2);
    }

    #[tokio::test]
    async fn a_missing_region_says_where_to_set_it() {
        let clients = Clients::new(Some(SdkConfig::builder().build()));
        let error = clients.get().await.unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }));
        assert!(error.to_string().contains("AWS_REGION"), "{error}");
    }
}
