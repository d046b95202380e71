//! Workload identities: the names under which agents ask for credentials.

use serde_json::{Value, json};

use super::{Input, Output, Service};
use crate::clock::UnixMillis;
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::operation::Operation;
use crate::place::Place;
use crate::random;
use crate::store::{Change, Record as _, Tags, WorkloadIdentity};

const RETURN_URLS: &str = "allowedResourceOauth2ReturnUrls";

impl Service {
    pub(super) async fn create_workload_identity(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::WORKLOAD_NAME)?;
        let return_urls = input.optional_list(RETURN_URLS, &limits::RETURN_URL)?.unwrap_or_default();
        let tags = input.optional_tags()?.unwrap_or_default();
        let now = UnixMillis::of_machine();
        let created = self.store.change(move |change| create(change, name, return_urls, tags, now)).await?;
        Ok(json!({
            "name": created.name,
            "workloadIdentityArn": self.place.workload_identity_arn(&created.name),
            RETURN_URLS: created.return_urls,
        }))
    }

    pub(super) fn get_workload_identity(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::WORKLOAD_NAME)?;
        Ok(describe(&self.place, &self.workload_identity(&name)?))
    }

    pub(super) async fn update_workload_identity(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::WORKLOAD_NAME)?;
        let return_urls = input.optional_list(RETURN_URLS, &limits::RETURN_URL)?;
        let now = UnixMillis::of_machine();
        let updated = self
            .store
            .change(move |change| {
                let mut identity: WorkloadIdentity = change.get(&name)?.ok_or_else(|| not_found(&name))?;
                if let Some(return_urls) = return_urls {
                    identity.return_urls = return_urls;
                }
                identity.updated = now;
                change.put(&identity)?;
                Ok(identity)
            })
            .await?;
        Ok(describe(&self.place, &updated))
    }

    pub(super) async fn delete_workload_identity(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::WORKLOAD_NAME)?;
        self.store.change(move |change| remove(change, &name)).await?;
        Ok(Value::Null)
    }

    pub(super) fn list_workload_identities(&self, input: Input) -> Output {
        let view = self.store.view()?;
        let page = self.pages.page(Operation::ListWorkloadIdentities, &limits::WORKLOADS_PER_PAGE, input, &view)?;
        let item = |identity: &WorkloadIdentity| {
            json!({
                "name": identity.name(),
                "workloadIdentityArn": self.place.workload_identity_arn(identity.name()),
            })
        };
        Ok(page.output("workloadIdentities", item))
    }

    pub(crate) fn workload_identity(&self, name: &str) -> Result<WorkloadIdentity, ServiceError> {
        self.store.view()?.get(name)?.ok_or_else(|| not_found(name))
    }
}

/// Makes a workload identity.
///
/// # Errors
/// `ConflictException` for a name that is taken. For the quota the model has no code of its own on this operation, so
/// it is a `ValidationException`.
pub(crate) fn create(
    change: &mut Change<'_>,
    name: String,
    return_urls: Vec<String>,
    tags: Tags,
    now: UnixMillis,
) -> Result<WorkloadIdentity, ServiceError> {
    if change.get::<WorkloadIdentity>(&name)?.is_some() {
        return Err(ServiceError::new(Code::Conflict, format!("WorkloadIdentity {name:?} already exists")));
    }
    if change.count::<WorkloadIdentity>()? >= limits::WORKLOAD_IDENTITIES {
        return Err(ServiceError::no_room(format!(
            "There are {} workload identities already, the most that an account and Region may have",
            limits::WORKLOAD_IDENTITIES
        )));
    }
    let identity = WorkloadIdentity { name, id: random::uuid()?, return_urls, tags, created: now, updated: now };
    change.put(&identity)?;
    Ok(identity)
}

/// Adds a return URL to those that a workload identity allows.
pub(crate) fn allow_return_url(
    change: &mut Change<'_>,
    name: &str,
    url: String,
    now: UnixMillis,
) -> Result<(), ServiceError> {
    limits::WORKLOAD_NAME.check("name", name)?;
    limits::USED_RETURN_URL.check("url", &url)?;
    let mut identity: WorkloadIdentity = change.get(name)?.ok_or_else(|| not_found(name))?;
    if !identity.return_urls.contains(&url) {
        identity.return_urls.push(url);
        identity.updated = now;
        change.put(&identity)?;
    }
    Ok(())
}

/// Removes a workload identity with the tokens that were had for it.
pub(crate) fn remove(change: &mut Change<'_>, name: &str) -> Result<(), ServiceError> {
    change.remove_access_tokens(|key| key.workload == name)?;
    if change.remove::<WorkloadIdentity>(name)? { Ok(()) } else { Err(not_found(name)) }
}

pub(crate) fn not_found(name: &str) -> ServiceError {
    ServiceError::new(Code::NotFound, format!("WorkloadIdentity {name:?} was not found"))
}

fn describe(place: &Place, identity: &WorkloadIdentity) -> Value {
    json!({
        "name": identity.name,
        "workloadIdentityArn": place.workload_identity_arn(&identity.name),
        RETURN_URLS: identity.return_urls,
        "createdTime": identity.created.as_json(),
        "lastUpdatedTime": identity.updated.as_json(),
    })
}
