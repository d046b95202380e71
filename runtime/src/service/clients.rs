//! One AWS client for each Tokio runtime.
//!
//! A client's connections, and those of its credentials provider, are driven by tasks of the runtime that opened them.
//! When that runtime ends, as it does after each `#[tokio::test]`, they are dead while the client still counts on them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_bedrockagentcore::{Client, config};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OnceCell, watch};

use super::attempts;
use crate::Error;
use crate::limits::excerpt;

pub(super) struct Clients {
    config: Option<SdkConfig>,
    by_runtime: Arc<ByRuntime>,
    /// Tells the tasks that watch over runtimes when there is nothing left to watch for.
    alive: watch::Sender<()>,
}

type ByRuntime = Mutex<HashMap<Id, Arc<OnceCell<AwsClients>>>>;

#[derive(Clone)]
struct AwsClients {
    identity: Client,
    #[cfg(feature = "iam-access-token")]
    sts: aws_sdk_sts::Client,
}

/// The runtime that the current task runs on.
pub(crate) fn current_runtime() -> Result<Handle, Error> {
    Handle::try_current()
        .map_err(|_| Error::configuration("credentials are fetched inside a Tokio runtime, and this call is in none"))
}

impl Clients {
    pub(super) fn new(config: Option<SdkConfig>) -> Self {
        Self { config, by_runtime: Arc::default(), alive: watch::Sender::default() }
    }

    /// The client of the current runtime.
    pub(super) async fn get(&self) -> Result<Client, Error> {
        let cell = self.cell(&current_runtime()?);
        cell.get_or_try_init(|| Box::pin(self.build())).await.map(|clients| clients.identity.clone())
    }

    /// That of AWS STS.
    #[cfg(feature = "iam-access-token")]
    pub(super) async fn sts(&self) -> Result<aws_sdk_sts::Client, Error> {
        let cell = self.cell(&current_runtime()?);
        cell.get_or_try_init(|| Box::pin(self.build())).await.map(|clients| clients.sts.clone())
    }

    fn cell(&self, runtime: &Handle) -> Arc<OnceCell<AwsClients>> {
        let id = runtime.id();
        let cell = {
            let mut by_runtime = self.by_runtime.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cell) = by_runtime.get(&id) {
                return cell.clone();
            }
            let cell = Arc::default();
            by_runtime.insert(id, Arc::clone(&cell));
            cell
        };
        // Tasks are dropped with their runtime, and this one's entry with it; on a runtime that is over, at once.
        let entry = RemoveOnDrop { by_runtime: Arc::downgrade(&self.by_runtime), id };
        let mut alive = self.alive.subscribe();
        runtime.spawn(async move {
            let _entry = entry;
            let _ = alive.changed().await;
        });
        cell
    }

    async fn build(&self) -> Result<AwsClients, Error> {
        let loaded;
        let sdk_config = if let Some(config) = &self.config {
            config
        } else {
            loaded = aws_config::load_defaults(BehaviorVersion::latest()).await;
            &loaded
        };
        check_region(sdk_config.region(), std::env::var("AWS_PROFILE").ok().as_deref())?;
        if sdk_config.credentials_provider().is_none() {
            return Err(Error::configuration(
                "the SdkConfig has no AWS credentials provider, so requests cannot be signed: make it with \
                 aws_config::load_defaults(…), or set `.credentials_provider(…)` on it",
            ));
        }
        let mut config = config::Builder::from(sdk_config);
        config.push_interceptor(attempts::interceptor());
        if sdk_config.behavior_version().is_none() {
            config.set_behavior_version(Some(BehaviorVersion::latest()));
        }
        Ok(AwsClients {
            identity: Client::from_conf(config.build()),
            #[cfg(feature = "iam-access-token")]
            sts: sts(sdk_config),
        })
    }
}

/// It becomes part of a host's name.
fn check_region(region: Option<&Region>, profile: Option<&str>) -> Result<(), Error> {
    let Some(region) = region.map(AsRef::as_ref) else { return Err(no_region(profile)) };
    let is_one = |region: &str| region.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !region.is_empty() && is_one(region) {
        return Ok(());
    }
    let shown = excerpt(region);
    Err(Error::configuration(format!("the AWS Region {shown:?} is none: set one such as `us-east-1`")))
}

fn no_region(profile: Option<&str>) -> Error {
    let of_profile = profile.filter(|profile| !profile.is_empty()).map_or_else(String::new, |profile| {
        format!(" {:?}, which AWS_PROFILE names (check that it exists)", excerpt(profile))
    });
    Error::configuration(format!(
        "no AWS Region: set AWS_REGION, or `region` in the AWS profile{of_profile}, or `.region(…)` on the SdkConfig"
    ))
}

#[cfg(feature = "iam-access-token")]
fn sts(sdk_config: &SdkConfig) -> aws_sdk_sts::Client {
    let mut config = aws_sdk_sts::config::Builder::from(sdk_config);
    config.push_interceptor(attempts::interceptor());
    if sdk_config.behavior_version().is_none() {
        config.set_behavior_version(Some(BehaviorVersion::latest()));
    }
    aws_sdk_sts::Client::from_conf(config.build())
}

struct RemoveOnDrop {
    by_runtime: Weak<ByRuntime>,
    id: Id,
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let Some(by_runtime) = self.by_runtime.upgrade() else { return };
        // Taken out first: dropping a client must not happen under the lock.
        let client = by_runtime.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        drop(client);
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::*;

    fn clients() -> Clients {
        let credentials = SharedCredentialsProvider::new(Credentials::from_keys("AKIDLOCAL", "local", None));
        let region = Region::new("us-east-1");
        Clients::new(Some(SdkConfig::builder().region(region).credentials_provider(credentials).build()))
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

    #[test]
    fn a_runtime_that_is_over_blocks_nobody() {
        let clients = clients();
        let over = runtime();
        let handle = over.handle().clone();
        over.shutdown_background();
        let _ = handle.block_on(clients.get());
        assert_eq!(count(&clients), 0);
        runtime().block_on(async { clients.get().await.unwrap() });
    }

    #[tokio::test]
    async fn nothing_is_left_of_clients_that_are_dropped() {
        let clients = clients();
        clients.get().await.unwrap();
        let by_runtime = Arc::downgrade(&clients.by_runtime);
        let tasks = || Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks(), 1);
        drop(clients);
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(by_runtime.upgrade().is_none());
    }

    #[tokio::test]
    async fn a_missing_region_says_where_to_set_it() {
        let clients = Clients::new(Some(SdkConfig::builder().build()));
        let error = clients.get().await.unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }));
        assert!(error.to_string().contains("AWS_REGION"), "{error}");
        assert!(!error.to_string().contains("AWS_PROFILE"), "{error}");
        let error = no_region(Some("prod")).to_string();
        assert!(error.contains("\"prod\", which AWS_PROFILE names"), "{error}");
    }

    #[tokio::test]
    async fn a_region_that_is_none_is_named() {
        for region in ["us east 1", "us-east-1/", ""] {
            let clients = Clients::new(Some(SdkConfig::builder().region(Region::new(region)).build()));
            let error = clients.get().await.unwrap_err();
            assert!(matches!(error, Error::Configuration { .. }));
            assert!(error.to_string().contains(&format!("{region:?} is none")), "{error}");
        }
    }

    #[tokio::test]
    async fn without_a_credentials_provider_there_is_no_client() {
        let clients = Clients::new(Some(SdkConfig::builder().region(Region::new("us-east-1")).build()));
        let error = clients.get().await.unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }) && !error.is_retryable());
        assert!(error.to_string().contains("aws_config::load_defaults"), "{error}");
    }
}
