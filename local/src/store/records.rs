//! What is kept: one record for each workload identity and each credential provider.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::UnixMillis;

/// The tags of one resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// A workload identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkloadIdentity {
    pub(crate) name: String,
    /// Tells this identity from an earlier one of the same name.
    pub(crate) id: String,
    pub(crate) return_urls: Vec<String>,
    pub(crate) tags: Tags,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
}

/// An API key credential provider. Its key is kept apart, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApiKeyProvider {
    pub(crate) name: String,
    pub(crate) secret_suffix: String,
    pub(crate) tags: Tags,
    pub(crate) created: UnixMillis,
    pub(crate) updated: UnixMillis,
}

/// A record, and the table in which it is kept under its name.
pub(crate) trait Record: Serialize + DeserializeOwned + Send + 'static {
    const TABLE: &'static str;

    fn name(&self) -> &str;
}

/// A record of a resource that can carry tags.
pub(crate) trait Tagged: Record {
    fn tags(&mut self) -> &mut Tags;
}

impl Tagged for WorkloadIdentity {
    fn tags(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Tagged for ApiKeyProvider {
    fn tags(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

impl Record for WorkloadIdentity {
    const TABLE: &'static str = "workload-identities";

    fn name(&self) -> &str {
        &self.name
    }
}

impl Record for ApiKeyProvider {
    const TABLE: &'static str = "api-key-providers";

    fn name(&self) -> &str {
        &self.name
    }
}
