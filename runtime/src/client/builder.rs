//! What a client can be told before it is built.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;

use super::{IdentityClient, Inner};
use crate::binding::{DynPendingStore, PendingStore};
use crate::cache::{CachePolicy, CredentialCache};
use crate::oauth::AuthUrlHandler;
use crate::service::Service;
use crate::{HandlerOutcome, PendingAuthorization, Polling};

/// Builds an [`IdentityClient`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct IdentityClientBuilder {
    sdk_config: Option<SdkConfig>,
    cache_policy: CachePolicy,
    polling: Polling,
    auth_url_handler: Option<AuthUrlHandler<'static>>,
    pending_store: Option<Arc<dyn DynPendingStore>>,
}

impl IdentityClientBuilder {
    /// The AWS configuration. Without it, that of the environment is loaded at the first fetch.
    pub fn sdk_config(mut self, config: &SdkConfig) -> Self {
        self.sdk_config = Some(config.clone());
        self
    }

    /// How often the service is asked whether a user has consented, and for how long.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// How long credentials are kept.
    pub fn cache_policy(mut self, policy: CachePolicy) -> Self {
        self.cache_policy = policy;
        self
    }

    /// What is done with the links that users have to open, where neither the call nor its
    /// [`RequestContext`](crate::RequestContext) says. See
    /// [`AccessTokenRequest::on_auth_url`](crate::AccessTokenRequest::on_auth_url).
    pub fn on_auth_url<F, R, Kind>(mut self, handler: F) -> Self
    where
        F: Fn(PendingAuthorization) -> R + Send + Sync + 'static,
        R: HandlerOutcome<Kind> + 'static,
        Kind: 'static,
    {
        self.auth_url_handler = Some(AuthUrlHandler::new(handler));
        self
    }

    /// Where authorizations wait for their users' browsers to come back; for an application of several replicas, a
    /// store that they share. Each authorization with a callback URL is then kept there, with a `state` of its own
    /// unless the call has one. The page that looks them up comes with the feature `session-binding`.
    pub fn pending_store(mut self, store: impl PendingStore + 'static) -> Self {
        self.pending_store = Some(Arc::new(store));
        self
    }

    /// The finished client. Nothing is sent or read yet.
    #[must_use]
    pub fn build(self) -> IdentityClient {
        IdentityClient {
            inner: Arc::new(Inner {
                service: Service::new(self.sdk_config),
                cache: CredentialCache::new(self.cache_policy),
                ambient: OnceLock::new(),
                polling: self.polling,
                auth_url_handler: self.auth_url_handler,
                authorizations: Arc::default(),
                pending_store: self.pending_store.map(OnceLock::from).unwrap_or_default(),
            }),
        }
    }
}

impl fmt::Debug for IdentityClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityClientBuilder")
            .field("cache_policy", &self.cache_policy)
            .field("polling", &self.polling)
            .finish_non_exhaustive()
    }
}
