//! What `GetResourceOauth2Token` is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zeroize::Zeroizing;

use super::Flow;
use crate::error::ServiceError;
use crate::limits;
use crate::service::Input;

/// The members that every call for one authorization repeats. Lists are sets: neither their order nor a repetition means
/// anything.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenRequest {
    pub(crate) provider: String,
    pub(crate) flow: Flow,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) resources: BTreeSet<String>,
    pub(crate) audiences: BTreeSet<String>,
    pub(crate) custom_parameters: BTreeMap<String, Zeroizing<String>>,
    pub(crate) return_url: Option<String>,
    pub(crate) custom_state: Option<Zeroizing<String>>,
}

const PROVIDER: &str = "resourceCredentialProviderName";
const FLOW: &str = "oauth2Flow";
const SCOPES: &str = "scopes";
const RESOURCES: &str = "resources";
const AUDIENCES: &str = "audiences";
const CUSTOM_PARAMETERS: &str = "customParameters";
const CUSTOM_STATE: &str = "customState";
const RETURN_URL: &str = "resourceOauth2ReturnUrl";

impl TokenRequest {
    pub(crate) fn read(input: &mut Input) -> Result<Self, ServiceError> {
        let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
        Ok(Self {
            provider: input.text(PROVIDER, &limits::PROVIDER_NAME)?,
            scopes: input.list(SCOPES, &limits::SCOPE)?.into_iter().collect(),
            flow: {
                let flow = input.text(FLOW, &limits::OAUTH2_FLOW)?;
                Flow::parse(&flow).ok_or_else(|| ServiceError::invalid_member(FLOW, "is unknown"))?
            },
            resources: set(input.optional_list(RESOURCES, &limits::OAUTH2_RESOURCE)?),
            audiences: set(input.optional_list(AUDIENCES, &limits::AUDIENCE)?),
            custom_parameters: input
                .optional_map(CUSTOM_PARAMETERS, &limits::CUSTOM_PARAMETER_KEY, &limits::CUSTOM_PARAMETER_VALUE)?
                .unwrap_or_default(),
            return_url: input.optional_text(RETURN_URL, &limits::RETURN_URL)?,
            custom_state: input.optional_text(CUSTOM_STATE, &limits::CUSTOM_STATE)?.map(Zeroizing::new),
        })
    }

    /// The names of the members in which the two differ.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            (PROVIDER, self.provider == other.provider),
            (FLOW, self.flow == other.flow),
            (SCOPES, self.scopes == other.scopes),
            (RESOURCES, self.resources == other.resources),
            (AUDIENCES, self.audiences == other.audiences),
            (CUSTOM_PARAMETERS, self.custom_parameters == other.custom_parameters),
            (RETURN_URL, self.return_url == other.return_url),
            (CUSTOM_STATE, self.custom_state == other.custom_state),
        ]
        .into_iter()
        .filter_map(|(member, same)| (!same).then_some(member))
        .collect()
    }
}

/// Custom parameters and the custom state are the caller's secrets.
impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("provider", &self.provider)
            .field("flow", &self.flow)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
