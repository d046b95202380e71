//! The token vault, of which there is one.

use serde_json::json;

use super::{Input, Output, Service};
use crate::error::{Code, ServiceError};
use crate::limits;

const VAULT: &str = "default";

impl Service {
    pub(super) fn get_token_vault(&self, mut input: Input) -> Output {
        let id = input.optional_text("tokenVaultId", &limits::TOKEN_VAULT_ID)?;
        if let Some(id) = id.filter(|id| id != VAULT) {
            return Err(ServiceError::new(
                Code::NotFound,
                format!("Token vault {id:?} was not found; the only one is {VAULT:?}"),
            ));
        }
        Ok(json!({
            "tokenVaultId": VAULT,
            "kmsConfiguration": { "keyType": "ServiceManagedKey" },
            "lastModifiedDate": self.store.created().as_json(),
        }))
    }
}
