//! Tags on workload identities and credential providers.

use serde_json::{Value, json};

use super::{Input, Output, Service};
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::place::Resource;
use crate::store::{ApiKeyProvider, Change, Tags, WorkloadIdentity};

impl Service {
    pub(super) async fn tag_resource(&self, mut input: Input) -> Output {
        let resource = self.resource(&mut input)?;
        let added = input.tags()?;
        self.store
            .change(move |change| {
                edit_tags(change, &resource, |tags| {
                    tags.extend(added);
                    if tags.len() > limits::TAGS_PER_RESOURCE {
                        return Err(ServiceError::new(
                            Code::QuotaExceeded,
                            format!(
                                "The resource would have {} tags, and {} are the most",
                                tags.len(),
                                limits::TAGS_PER_RESOURCE
                            ),
                        ));
                    }
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn untag_resource(&self, mut input: Input) -> Output {
        let resource = self.resource(&mut input)?;
        let keys = input.tag_keys()?;
        self.store
            .change(move |change| {
                edit_tags(change, &resource, |tags| {
                    tags.retain(|key, _| !keys.contains(key));
                    Ok(())
                })
            })
            .await
    }

    pub(super) fn list_tags(&self, mut input: Input) -> Output {
        let resource = self.resource(&mut input)?;
        let view = self.store.view()?;
        let tags = match &resource {
            Resource::WorkloadIdentity(name) => view.get::<WorkloadIdentity>(name)?.map(|identity| identity.tags),
            Resource::ApiKeyProvider(name) => view.get::<ApiKeyProvider>(name)?.map(|provider| provider.tags),
        };
        Ok(json!({ "tags": tags.ok_or_else(|| not_found(&resource))? }))
    }

    fn resource(&self, input: &mut Input) -> Result<Resource, ServiceError> {
        self.place.resource(&input.text("resourceArn", &limits::RESOURCE_ARN)?)
    }
}

fn edit_tags(
    change: &mut Change<'_>,
    resource: &Resource,
    edit: impl FnOnce(&mut Tags) -> Result<(), ServiceError>,
) -> Output {
    let missing = || not_found(resource);
    match resource {
        Resource::WorkloadIdentity(name) => {
            let mut identity: WorkloadIdentity = change.get(name)?.ok_or_else(missing)?;
            edit(&mut identity.tags)?;
            change.put(&identity)?;
        }
        Resource::ApiKeyProvider(name) => {
            let mut provider: ApiKeyProvider = change.get(name)?.ok_or_else(missing)?;
            edit(&mut provider.tags)?;
            change.put(&provider)?;
        }
    }
    Ok(Value::Null)
}

fn not_found(resource: &Resource) -> ServiceError {
    let what = match resource {
        Resource::WorkloadIdentity(name) => format!("WorkloadIdentity {name:?}"),
        Resource::ApiKeyProvider(name) => format!("Credential provider {name:?}"),
    };
    ServiceError::new(Code::NotFound, format!("{what} was not found"))
}
