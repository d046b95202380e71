//! `client = …`, as whatever derefs to one.

use std::sync::{Arc, Mutex};

use agentcore_identity::{Error, IdentityClient, RequestContext, requires_api_key};
use agentcore_identity_tests::{API_KEY, WORKLOAD, client, local};

use crate::assert_send;

struct Agent<C> {
    identity: C,
}

impl Agent<IdentityClient> {
    #[requires_api_key(provider = "openai", client = self.identity)]
    async fn field(&self, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }

    #[requires_api_key(provider = "openai", client = &self.identity)]
    async fn reference(&self, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }
}

impl Agent<Arc<IdentityClient>> {
    #[requires_api_key(provider = "openai", client = self.identity)]
    async fn shared(&self, api_key: &str) -> Result<String, Error> {
        Ok(api_key.to_owned())
    }
}

impl Agent<Mutex<IdentityClient>> {
    /// The guard is gone before the fetch: it would keep the future from being `Send`.
    #[requires_api_key(provider = "openai", client = self.identity.lock().unwrap())]
    async fn locked(&self, api_key: &str) -> Result<String, Error> {
        assert!(self.identity.try_lock().is_ok());
        Ok(api_key.to_owned())
    }
}

#[requires_api_key(provider = "openai", client = make())]
async fn made(make: impl Fn() -> IdentityClient, api_key: &str) -> Result<String, Error> {
    Ok(api_key.to_owned())
}

#[tokio::test]
async fn are_whatever_derefs_to_one() {
    let local = local().await;
    // The context has no client: what works does so through the explicit one.
    RequestContext::builder()
        .workload_name(WORKLOAD)
        .build()
        .scope(async {
            let agent = Agent { identity: client(&local) };
            assert_eq!(agent.field().await.unwrap(), API_KEY);
            assert_eq!(agent.reference().await.unwrap(), API_KEY);
            let agent = Agent { identity: Arc::new(client(&local)) };
            assert_eq!(agent.shared().await.unwrap(), API_KEY);
            let agent = Agent { identity: Mutex::new(client(&local)) };
            assert_eq!(assert_send(agent.locked()).await.unwrap(), API_KEY);
            assert_eq!(made(|| client(&local)).await.unwrap(), API_KEY);
        })
        .await;
}
