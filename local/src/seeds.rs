//! What a service is told to have when it starts.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::clock::{Clock, UnixMillis};
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
}

impl Seeds {
    fn is_empty(&self) -> bool {
        let Self { workload_identities, return_urls, api_keys, oauth2_providers, kms_keys } = self;
        workload_identities.is_empty()
            && return_urls.is_empty()
            && api_keys.is_empty()
            && oauth2_providers.is_empty()
            && kms_keys.is_empty()
    }

    /// All seeds go in with one commit, which is one wait for the disk.
    pub(crate) fn sow(self, store: &Store, clock: &Clock) -> Result<(), StartError> {
        if self.is_empty() {
            return Ok(());
        }
        let now = clock.now();
        let mut current = String::new();
        let sown = store.change_at_start(|change| {
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
            Ok(())
        });
        sown.map_err(|source| StartError::Seed { what: current, source })
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
