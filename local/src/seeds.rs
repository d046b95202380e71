//! What a service is told to have when it starts.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::clock::UnixMillis;
use crate::credentials::SigningCredentials;
use crate::error::ServiceError;
use crate::kms;
use crate::limits;
use crate::service::{api_key_providers, oauth2_providers, workload_identities};
use crate::start_error::StartError;
use crate::store::{Change, Oauth2Provider, Store, Tags, WorkloadIdentity};

pub(crate) struct Seeds {
    pub(crate) workload_identities: BTreeSet<String>,
    /// Names of workload identities, and a URL for each.
    pub(crate) return_urls: Vec<(String, String)>,
    pub(crate) api_keys: Vec<(String, Zeroizing<String>)>,
    pub(crate) oauth2_providers: BTreeSet<String>,
    /// ARNs, and a private key in PEM for each.
    pub(crate) kms_keys: Vec<(String, Zeroizing<String>)>,
    /// With which clients are to sign, instead of those that the store has.
    pub(crate) credentials: Option<SigningCredentials>,
}

impl Seeds {
    /// What a start changes is one commit: a single wait for the disk, and nothing changed by a start that is refused.
    /// `url` is the service's own.
    pub(crate) fn sow(self, store: &mut Store, url: &str, now: UnixMillis) -> Result<(), StartError> {
        let mut current = "the data directory".to_owned();
        let sown = store.change_at_start(|change| {
            oauth2_providers::forget_own_tokens(change, url)?;
            change.remove_ended_access_tokens(now)?;
            for name in self.workload_identities {
                current = format!("workload identity {}", limits::quoted(&name));
                workload_identity(change, name, now)?;
            }
            for (workload, url) in self.return_urls {
                current = format!("return URL of workload identity {}", limits::quoted(&workload));
                workload_identities::allow_return_url(change, &workload, url, now)?;
            }
            for (provider, key) in self.api_keys {
                current = format!("API key provider {}", limits::quoted(&provider));
                api_key_providers::set(change, &provider, &key, now)?;
            }
            for name in self.oauth2_providers {
                current = format!("OAuth2 provider {}", limits::quoted(&name));
                if change.get::<Oauth2Provider>(&name)?.is_none() {
                    oauth2_providers::set_own(change, &name, now)?;
                }
            }
            for (arn, pem) in self.kms_keys {
                current = format!("KMS key {}", limits::quoted(&arn));
                kms_key(change, &arn, &pem)?;
            }
            if let Some(credentials) = &self.credentials {
                "the signing credentials".clone_into(&mut current);
                change.put_credentials(credentials)?;
            }
            Ok(())
        });
        sown.map_err(|source| StartError::Seed { what: current, source })?;
        if let Some(credentials) = self.credentials {
            store.sign_with(credentials);
        }
        Ok(())
    }
}

fn workload_identity(change: &mut Change<'_>, name: String, now: UnixMillis) -> Result<(), ServiceError> {
    limits::WORKLOAD_NAME.check("name", &name)?;
    if change.get::<WorkloadIdentity>(&name)?.is_none() {
        workload_identities::create(change, name, Vec::new(), Tags::new(), now)?;
    }
    Ok(())
}

fn kms_key(change: &mut Change<'_>, arn: &str, pem: &str) -> Result<(), ServiceError> {
    limits::KMS_KEY_ARN.check("keyArn", arn)?;
    let key = kms::from_pem(pem).map_err(|problem| ServiceError::invalid_member("privateKey", problem))?;
    Ok(change.put_signing_key(arn, &key)?)
}
