//! OAuth2 credential providers: the authorization servers at which the service is a client.

mod config;
mod describe;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::credential_providers::{check_new, not_found};
use super::{Input, Output, Service};
use crate::clock::UnixMillis;
use crate::error::ServiceError;
use crate::kms;
use crate::limits;
use crate::operation::Operation;
use crate::random;
use crate::store::{
    ActorToken, Change, ClientAuthentication, Endpoints, Oauth2Provider, OnBehalfOf, OnBehalfOfGrant, PrivateKeyJwt,
    Tags,
};
use crate::vendor::Vendor;
use config::Configuration;
use describe::{describe, describe_in_full};

impl Service {
    pub(super) async fn create_oauth2_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let configuration = Configuration::read(&mut input, &self.place)?;
        let tags = input.optional_tags()?.unwrap_or_default();
        let key = self.signing_key_for(&configuration).await?;
        let now = UnixMillis::of_machine();
        let created = self
            .store
            .change(move |change| {
                put_signing_key(change, &configuration, key)?;
                create(change, name, configuration, tags, now)
            })
            .await?;
        Ok(describe(&self.place, &self.url, &created))
    }

    pub(super) fn get_oauth2_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let provider = self.store.view()?.get(&name)?.ok_or_else(|| not_found(&name))?;
        Ok(describe_in_full(&self.place, &self.url, &provider))
    }

    pub(super) async fn update_oauth2_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        let configuration = Configuration::read(&mut input, &self.place)?;
        let key = self.signing_key_for(&configuration).await?;
        let now = UnixMillis::of_machine();
        let updated = self
            .store
            .change(move |change| {
                let provider: Oauth2Provider = change.get(&name)?.ok_or_else(|| not_found(&name))?;
                if provider.vendor != configuration.vendor {
                    return Err(ServiceError::invalid_member(
                        "credentialProviderVendor",
                        format!(
                            "{name:?} is a provider of {} and cannot become one of {}; create another one",
                            provider.vendor, configuration.vendor
                        ),
                    ));
                }
                put_signing_key(change, &configuration, key)?;
                configure(change, provider, configuration, now)
            })
            .await?;
        Ok(describe_in_full(&self.place, &self.url, &updated))
    }

    pub(super) async fn delete_oauth2_provider(&self, mut input: Input) -> Output {
        let name = input.text("name", &limits::PROVIDER_NAME)?;
        self.store.change(move |change| remove(change, &name)).await?;
        Ok(Value::Null)
    }

    pub(super) fn list_oauth2_providers(&self, input: Input) -> Output {
        let view = self.store.view()?;
        let page = self.pages.page(
            Operation::ListOauth2CredentialProviders,
            &limits::OAUTH2_PROVIDERS_PER_PAGE,
            input,
            &view,
        )?;
        let item = |provider: &Oauth2Provider| {
            json!({
                "name": provider.name,
                "credentialProviderVendor": provider.vendor.as_str(),
                "credentialProviderArn": self.place.oauth2_provider_arn(&provider.name),
                "createdTime": provider.created.as_json(),
                "lastUpdatedTime": provider.updated.as_json(),
            })
        };
        Ok(page.output("credentialProviders", item))
    }

    /// A new key where the configuration asks for one that is not there yet. Making it takes a moment, for which no
    /// change of the store should be open.
    async fn signing_key_for(&self, configuration: &Configuration) -> Result<Option<Zeroizing<Vec<u8>>>, ServiceError> {
        let ClientAuthentication::PrivateKeyJwt(config) = &configuration.client_authentication else {
            return Ok(None);
        };
        if self.store.view()?.signing_key(&config.kms_key_arn)?.is_some() {
            return Ok(None);
        }
        let algorithm = config.algorithm;
        let key = tokio::task::spawn_blocking(move || kms::generate(algorithm)).await;
        Ok(Some(key.map_err(|error| ServiceError::internal(&error))??))
    }
}

/// Keeps a new key, unless another call was faster, and checks that the key there is now fits.
fn put_signing_key(
    change: &mut Change<'_>,
    configuration: &Configuration,
    new: Option<Zeroizing<Vec<u8>>>,
) -> Result<(), ServiceError> {
    let ClientAuthentication::PrivateKeyJwt(PrivateKeyJwt { kms_key_arn, algorithm, .. }) =
        &configuration.client_authentication
    else {
        return Ok(());
    };
    let key = match (change.signing_key(kms_key_arn)?, new) {
        (Some(key), _) => key,
        (None, Some(new)) => {
            change.put_signing_key(kms_key_arn, &new)?;
            new
        }
        (None, None) => return Err(ServiceError::internal(&"a signing key has disappeared")),
    };
    if kms::fits(&key, *algorithm) {
        return Ok(());
    }
    Err(ServiceError::invalid_member(
        "oauth2ProviderConfigInput.customOauth2ProviderConfig.privateKeyJwtConfig.signingAlgorithm",
        format!("does not fit the key {kms_key_arn:?}: RS256 and PS256 take an RSA key, ES256 one on P-256"),
    ))
}

/// Makes a provider.
///
/// # Errors
/// Those of [`check_new`], and of the store.
fn create(
    change: &mut Change<'_>,
    name: String,
    configuration: Configuration,
    tags: Tags,
    now: UnixMillis,
) -> Result<Oauth2Provider, ServiceError> {
    check_new::<Oauth2Provider>(change, &name, "OAuth2", limits::OAUTH2_PROVIDERS)?;
    let provider = Oauth2Provider {
        name,
        vendor: configuration.vendor,
        client_id: None,
        endpoints: Endpoints::Own,
        client_authentication: ClientAuthentication::Basic,
        on_behalf_of: None,
        callback_id: random::uuid()?,
        secret_suffix: random::secret_suffix()?,
        tags,
        created: now,
        updated: now,
    };
    configure(change, provider, configuration, now)
}

fn configure(
    change: &mut Change<'_>,
    provider: Oauth2Provider,
    configuration: Configuration,
    now: UnixMillis,
) -> Result<Oauth2Provider, ServiceError> {
    let Configuration { vendor, client_id, client_secret, endpoints, client_authentication, on_behalf_of } =
        configuration;
    let earlier = provider.registration();
    let provider =
        Oauth2Provider { vendor, client_id, endpoints, client_authentication, on_behalf_of, updated: now, ..provider };
    change.put(&provider)?;
    if provider.registration() != earlier {
        change.remove_access_tokens(|key| key.provider == provider.name)?;
    }
    match client_secret {
        Some(secret) => change.put_client_secret(&provider.name, &secret)?,
        None => {
            change.remove_client_secret(&provider.name)?;
        }
    }
    Ok(provider)
}

/// Makes a provider whose authorization server is the service's own, or points the one there is to it. Either way it is
/// a new client there.
pub(crate) fn set_own(change: &mut Change<'_>, name: &str, now: UnixMillis) -> Result<(), ServiceError> {
    limits::PROVIDER_NAME.check("name", name)?;
    let configuration = Configuration {
        vendor: Vendor::Custom,
        client_id: Some(random::uuid()?),
        client_secret: Some(Zeroizing::new(random::text(CLIENT_SECRET_LENGTH, random::ALPHANUMERIC)?)),
        endpoints: Endpoints::Own,
        client_authentication: ClientAuthentication::Basic,
        on_behalf_of: Some(OnBehalfOf {
            grant: OnBehalfOfGrant::TokenExchange(ActorToken::None),
            without_client: false,
        }),
    };
    match change.get::<Oauth2Provider>(name)? {
        Some(provider) => configure(change, provider, configuration, now)?,
        None => create(change, name.to_owned(), configuration, Tags::new(), now)?,
    };
    Ok(())
}

const CLIENT_SECRET_LENGTH: usize = 43;

/// Removes the tokens of the service's own identity provider, whose keys and grants ended with an earlier process.
/// `url` is the service's own.
pub(crate) fn forget_own_tokens(change: &mut Change<'_>, url: &str) -> Result<(), ServiceError> {
    let mut own = change.all::<Oauth2Provider>()?;
    own.retain(|provider| provider.is_own(url));
    Ok(change.remove_access_tokens(|key| own.iter().any(|provider| provider.name == key.provider))?)
}

pub(crate) fn remove(change: &mut Change<'_>, name: &str) -> Result<(), ServiceError> {
    change.remove_client_secret(name)?;
    change.remove_access_tokens(|key| key.provider == name)?;
    if change.remove::<Oauth2Provider>(name)? { Ok(()) } else { Err(not_found(name)) }
}

#[cfg(test)]
mod tests;
