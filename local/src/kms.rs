//! A stand-in for AWS KMS: the keys with which the service signs client assertions (`private_key_jwt`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::ServiceError;
use crate::signing::{Algorithm, SigningKey};
use crate::sync::lock;

/// One key for each ARN and algorithm that a credential provider names, made when it is first needed. They end with the
/// process.
#[derive(Debug, Default)]
pub(crate) struct Kms(Mutex<HashMap<(String, Algorithm), Arc<SigningKey>>>);

impl Kms {
    /// How many keys are kept, several for each credential provider that there can be.
    const KEPT: usize = 256;

    pub(crate) async fn key(&self, arn: &str, algorithm: Algorithm) -> Result<Arc<SigningKey>, ServiceError> {
        let name = (arn.to_owned(), algorithm);
        if let Some(key) = lock(&self.0).get(&name) {
            return Ok(Arc::clone(key));
        }
        let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let generated = Arc::new(generated.map_err(|error| ServiceError::internal(&error))??);
        let mut keys = lock(&self.0);
        if keys.len() >= Self::KEPT && !keys.contains_key(&name) {
            return Err(ServiceError::internal(&format!("{} KMS keys were named, and no more are kept", Self::KEPT)));
        }
        // Whoever was first has perhaps signed with it already.
        Ok(Arc::clone(keys.entry(name).or_insert(generated)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_has_one_key() {
        let kms = Kms::default();
        let (one, again) = (kms.key("arn:1", Algorithm::Es256).await.unwrap(), kms.key("arn:1", Algorithm::Es256));
        assert_eq!(one.public(), again.await.unwrap().public());
        assert_ne!(one.public(), kms.key("arn:2", Algorithm::Es256).await.unwrap().public());
        assert_ne!(one.public(), kms.key("arn:1", Algorithm::Rs256).await.unwrap().public());
    }
}
