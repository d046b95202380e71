//! The clients: the OAuth2 credential providers whose authorization server this is.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::error::OAuthError;
use crate::jwt::KeySet;
use crate::service::Service;
use crate::signing::{SigningKey, key_set};
use crate::store::{ClientAuthentication, Oauth2Provider, PrivateKeyJwt, StoreError, View};

/// A client, as one credential provider or several of the same client id describe it.
pub(super) struct Client {
    pub(super) id: String,
    providers: Vec<Registered>,
}

struct Registered {
    name: String,
    redirect_uri: String,
    secret: Option<Zeroizing<String>>,
    keys: KeySet,
    may_use_aws_identity: bool,
}

impl Client {
    pub(super) fn find(service: &Service, id: &str) -> Result<Option<Self>, StoreError> {
        Self::of_providers(service, Some(id), id)
    }

    /// The client of providers that have no client id: who it is, its AWS identity tells.
    pub(super) fn without_id(service: &Service, aws_identity: &str) -> Result<Option<Self>, StoreError> {
        Self::of_providers(service, None, aws_identity)
    }

    fn of_providers(service: &Service, client_id: Option<&str>, id: &str) -> Result<Option<Self>, StoreError> {
        let view = service.store.view()?;
        let providers = own(service, &view)?.into_iter().filter(|provider| provider.client_id.as_deref() == client_id);
        let providers = providers.map(|provider| Registered::new(&view, &service.url, provider));
        let providers = providers.collect::<Result<Vec<_>, _>>()?;
        Ok((!providers.is_empty()).then(|| Self { id: id.to_owned(), providers }))
    }

    /// What the client is called, for people.
    pub(super) fn names(&self) -> String {
        self.providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.providers.iter().any(|provider| provider.redirect_uri == uri)
    }

    /// The redirect URI of a client that has one.
    pub(super) fn only_redirect_uri(&self) -> Option<&str> {
        match &self.providers[..] {
            [provider] => Some(&provider.redirect_uri),
            _ => None,
        }
    }

    pub(super) fn has_secret(&self, secret: &str) -> bool {
        let mut secrets = self.providers.iter().filter_map(|provider| provider.secret.as_ref());
        secrets.any(|known| verify_slices_are_equal(known.as_bytes(), secret.as_bytes()).is_ok())
    }

    /// Whether one of the client's own keys signed the assertion.
    pub(super) fn signed(&self, assertion: &str) -> bool {
        self.providers.iter().any(|provider| provider.keys.verify(assertion).is_ok())
    }

    pub(super) fn may_use_aws_identity(&self) -> bool {
        self.providers.iter().any(|provider| provider.may_use_aws_identity)
    }
}

/// Whether on-behalf-of grants are open to callers that are no client, as a provider with `NO_CLIENT` needs it.
pub(super) fn strangers_may_exchange(service: &Service) -> Result<bool, OAuthError> {
    let providers = own(service, &service.store.view()?)?;
    Ok(providers.iter().any(|provider| provider.on_behalf_of.as_ref().is_some_and(|exchange| exchange.without_client)))
}

fn own(service: &Service, view: &View<'_>) -> Result<Vec<Oauth2Provider>, StoreError> {
    let mut providers = view.page::<Oauth2Provider>(None, usize::MAX)?;
    providers.retain(|provider| provider.is_own(&service.url));
    Ok(providers)
}

impl Registered {
    fn new(view: &View<'_>, url: &str, provider: Oauth2Provider) -> Result<Self, StoreError> {
        let redirect_uri = provider.callback_url(url);
        let (secret, keys) = match &provider.client_authentication {
            ClientAuthentication::PrivateKeyJwt(settings) => (None, keys(view, settings)?),
            ClientAuthentication::AwsIamIdToken => (None, KeySet::default()),
            ClientAuthentication::Basic | ClientAuthentication::Post => {
                (view.client_secret(&provider.name)?, KeySet::default())
            }
        };
        let may_use_aws_identity = matches!(provider.client_authentication, ClientAuthentication::AwsIamIdToken);
        Ok(Self { name: provider.name, redirect_uri, secret, keys, may_use_aws_identity })
    }
}

/// The public half of the key that stands in for the provider's key of KMS.
fn keys(view: &View<'_>, settings: &PrivateKeyJwt) -> Result<KeySet, StoreError> {
    let private = view.signing_key(&settings.kms_key_arn)?;
    let key = private.and_then(|pkcs8| SigningKey::from_pkcs8(settings.algorithm.into(), &pkcs8).ok());
    Ok(key.map_or_else(KeySet::default, |key| KeySet::of_value(key_set([&key]))))
}
