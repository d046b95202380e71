//! API key credential providers: the names under which API keys are kept.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::credential_providers::{check_new, not_found};
use super::{Input, Output, Service};
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::limits;
use crate::operation::Operation;
use crate::place::Place;
use crate::random;
use crate::store::{ApiKeyProvider, Change, Tags};

impl Service {
    pub(super) async fn create_api_key_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let key = managed_key(&mut input)?;
        let tags = input.optional_tags()?.unwrap_or_default();
        let now = UnixMillis::of_machine();
        let created = self.store.change(move |change| create(change, name, &key, tags, now)).await?;
        Ok(describe(&self.place, &created))
    }

    pub(super) fn get_api_key_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let provider = self.store.view()?.get(&name)?.ok_or_else(|| not_found(&name))?;
        Ok(describe_with_times(&self.place, &provider))
    }

    pub(super) async fn update_api_key_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let key = managed_key(&mut input)?;
        let now = UnixMillis::of_machine();
        let updated = self
            .store
            .change(move |change| {
                let provider = change.get(&name)?.ok_or_else(|| not_found(&name))?;
                rotate(change, provider, &key, now)
            })
            .await?;
        Ok(describe_with_times(&self.place, &updated))
    }

    pub(super) async fn delete_api_key_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        self.store.change(move |change| remove(change, &name)).await?;
        Ok(Value::Null)
    }

    pub(super) fn list_api_key_providers(&self, input: Input) -> Output {
        let view = self.store.view()?;
        let page =
            self.pages.page(Operation::ListApiKeyCredentialProviders, &limits::PROVIDERS_PER_PAGE, input, &view)?;
        let item = |provider: &ApiKeyProvider| {
            json!({
                "name": provider.name,
                "credentialProviderArn": self.place.api_key_provider_arn(&provider.name),
                "createdTime": provider.created.as_json(),
                "lastUpdatedTime": provider.updated.as_json(),
            })
        };
        Ok(page.output("credentialProviders", item))
    }

    pub(super) fn get_resource_api_key(&self, mut input: Input) -> Output {
        let token = input.secret("workloadIdentityToken", &limits::WORKLOAD_TOKEN)?;
        let name = input.text("resourceCredentialProviderName", &limits::PROVIDER_NAME)?;
        let claims = self.tokens.check(&token, self.clock.now())?;
        self.check_identity(&claims)?;
        let key = self.store.view()?.api_key(&name)?.ok_or_else(|| not_found(&name))?;
        Ok(json!({ "apiKey": key.as_str() }))
    }
}

/// Makes a provider with its key.
///
/// # Errors
/// Those of [`check_new`], and of the store.
pub(crate) fn create(
    change: &mut Change<'_>,
    name: String,
    key: &str,
    tags: Tags,
    now: UnixMillis,
) -> Result<ApiKeyProvider, ServiceError> {
    check_new::<ApiKeyProvider>(change, &name, "API key", limits::API_KEY_PROVIDERS)?;
    let secret_suffix = random::secret_suffix()?;
    rotate(change, ApiKeyProvider { name, secret_suffix, tags, created: now, updated: now }, key, now)
}

/// Makes the provider, or gives the one there is a new key.
pub(crate) fn set(
    change: &mut Change<'_>,
    name: &str,
    key: &str,
    now: UnixMillis,
) -> Result<ApiKeyProvider, ServiceError> {
    limits::PROVIDER_NAME.check("name", name)?;
    limits::API_KEY.check("apiKey", key)?;
    match change.get(name)? {
        Some(provider) => rotate(change, provider, key, now),
        None => create(change, name.to_owned(), key, Tags::new(), now),
    }
}

pub(crate) fn remove(change: &mut Change<'_>, name: &str) -> Result<(), ServiceError> {
    change.remove_api_key(name)?;
    if change.remove::<ApiKeyProvider>(name)? { Ok(()) } else { Err(not_found(name)) }
}

fn rotate(
    change: &mut Change<'_>,
    provider: ApiKeyProvider,
    key: &str,
    now: UnixMillis,
) -> Result<ApiKeyProvider, ServiceError> {
    let provider = ApiKeyProvider { updated: now, ..provider };
    change.put(&provider)?;
    change.put_api_key(&provider.name, key)?;
    Ok(provider)
}

/// The key in the request. A secret that lives in AWS Secrets Manager is out of reach here.
fn managed_key(input: &mut Input) -> Result<Zeroizing<String>, ServiceError> {
    const MANAGED_ONLY: &str = "the local service keeps only MANAGED secrets; send the key itself as apiKey";
    let source = input.optional_text("apiKeySecretSource", &limits::SECRET_SOURCE)?;
    if source.is_some_and(|source| source != "MANAGED") {
        return Err(ServiceError::invalid_member("apiKeySecretSource", MANAGED_ONLY));
    }
    if input.has("apiKeySecretConfig") {
        return Err(ServiceError::invalid_member("apiKeySecretConfig", MANAGED_ONLY));
    }
    input.secret("apiKey", &limits::API_KEY)
}

fn describe(place: &Place, provider: &ApiKeyProvider) -> Value {
    json!({
        "name": provider.name,
        "credentialProviderArn": place.api_key_provider_arn(&provider.name),
        "apiKeySecretArn": { "secretArn": place.api_key_secret_arn(&provider.name, &provider.secret_suffix) },
        "apiKeySecretSource": "MANAGED",
    })
}

fn describe_with_times(place: &Place, provider: &ApiKeyProvider) -> Value {
    let mut output = describe(place, provider);
    output["createdTime"] = provider.created.as_json();
    output["lastUpdatedTime"] = provider.updated.as_json();
    output
}
