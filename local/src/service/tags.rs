//! Tags on workload identities and credential providers.

use serde_json::{Value, json};

use super::{Input, Output, Service, credential_providers, workload_identities};
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::place::Resource;
use crate::store::{ApiKeyProvider, Change, Oauth2Provider, Tagged, Tags, View, WorkloadIdentity};

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
            Resource::WorkloadIdentity(name) => tags_of::<WorkloadIdentity>(&view, name)?,
            Resource::ApiKeyProvider(name) => tags_of::<ApiKeyProvider>(&view, name)?,
            Resource::Oauth2Provider(name) => tags_of::<Oauth2Provider>(&view, name)?,
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
    let found = match resource {
        Resource::WorkloadIdentity(name) => edit_tags_of::<WorkloadIdentity>(change, name, edit)?,
        Resource::ApiKeyProvider(name) => edit_tags_of::<ApiKeyProvider>(change, name, edit)?,
        Resource::Oauth2Provider(name) => edit_tags_of::<Oauth2Provider>(change, name, edit)?,
    };
    if found { Ok(Value::Null) } else { Err(not_found(resource)) }
}

fn tags_of<R: Tagged>(view: &View<'_>, name: &str) -> Result<Option<Tags>, ServiceError> {
    Ok(view.get::<R>(name)?.map(|mut record| std::mem::take(record.tags())))
}

/// Whether there is such a record.
fn edit_tags_of<R: Tagged>(
    change: &mut Change<'_>,
    name: &str,
    edit: impl FnOnce(&mut Tags) -> Result<(), ServiceError>,
) -> Result<bool, ServiceError> {
    let Some(mut record) = change.get::<R>(name)? else { return Ok(false) };
    edit(record.tags())?;
    change.put(&record)?;
    Ok(true)
}

fn not_found(resource: &Resource) -> ServiceError {
    match resource {
        Resource::WorkloadIdentity(name) => workload_identities::not_found(name),
        Resource::ApiKeyProvider(name) | Resource::Oauth2Provider(name) => credential_providers::not_found(name),
    }
}
