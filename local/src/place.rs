//! Where the local service pretends to be: the region and account in its ARNs, and the ARNs themselves.

use crate::error::{Code, ServiceError};
use crate::limits;

/// The partition, region and account of every ARN.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    region: String,
    account: String,
}

/// A resource that can carry tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    WorkloadIdentity(String),
    ApiKeyProvider(String),
    Oauth2Provider(String),
}

const API_KEY_PROVIDER: &str = "token-vault/default/apikeycredentialprovider/";
const OAUTH2_PROVIDER: &str = "token-vault/default/oauth2credentialprovider/";
const WORKLOAD_IDENTITY: &str = "workload-identity-directory/default/workload-identity/";

/// AWS's own texts give a provider's ARN under either of these; answers use the first.
const SERVICES: [&str; 2] = ["bedrock-agentcore", "acps"];

impl Place {
    /// `Err` says what is wrong with the region or the account id.
    pub(crate) fn new(region: String, account: String) -> Result<Self, String> {
        if !(1..=64).contains(&region.len()) || !region.bytes().all(is_name_byte) {
            return Err(format!("region {region:?} is not like us-east-1: 1 to 64 of a-z 0-9 -"));
        }
        if !is_account(&account) {
            return Err(format!("account id {account:?} is not 12 digits"));
        }
        Ok(Self { region, account })
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// Whose the signing credentials are.
    pub(crate) fn caller_arn(&self) -> String {
        format!("arn:{}:iam::{}:role/agentcore-identity-local", self.partition(), self.account)
    }

    fn partition(&self) -> &'static str {
        if self.region.starts_with("us-gov-") { "aws-us-gov" } else { "aws" }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    pub(crate) fn workload_identity_arn(&self, name: &str) -> String {
        self.arn(SERVICES[0], &format!("{WORKLOAD_IDENTITY}{name}"))
    }

    pub(crate) fn api_key_provider_arn(&self, name: &str) -> String {
        self.arn(SERVICES[0], &format!("{API_KEY_PROVIDER}{name}"))
    }

    /// `suffix` is what Secrets Manager appends to a secret's name.
    pub(crate) fn api_key_secret_arn(&self, name: &str, suffix: &str) -> String {
        self.arn("secretsmanager", &format!("secret:bedrock-agentcore-identity!default/apikey/{name}-{suffix}"))
    }

    pub(crate) fn oauth2_provider_arn(&self, name: &str) -> String {
        self.arn(SERVICES[0], &format!("{OAUTH2_PROVIDER}{name}"))
    }

    /// `suffix` is what Secrets Manager appends to a secret's name.
    pub(crate) fn client_secret_arn(&self, name: &str, suffix: &str) -> String {
        self.arn("secretsmanager", &format!("secret:bedrock-agentcore-identity!default/oauth2/{name}-{suffix}"))
    }

    /// The taggable resource that `arn` names.
    ///
    /// # Errors
    /// `ValidationException` for what is no ARN of this service, `ResourceNotFoundException` for a resource that cannot
    /// be here.
    pub(crate) fn resource(&self, arn: &str) -> Result<Resource, ServiceError> {
        limits::RESOURCE_ARN.check("resourceArn", arn)?;
        let (partition, region, account, resource) = parts(arn).ok_or_else(|| {
            ServiceError::invalid_member(
                "resourceArn",
                format!("{} is not an ARN such as {}", limits::quoted(arn), self.workload_identity_arn("my-agent")),
            )
        })?;
        let here = partition == self.partition() && region == self.region && account == self.account;
        let named = |prefix| resource.strip_prefix(prefix).map(str::to_owned);
        let found = named(WORKLOAD_IDENTITY)
            .map(Resource::WorkloadIdentity)
            .or_else(|| named(API_KEY_PROVIDER).map(Resource::ApiKeyProvider))
            .or_else(|| named(OAUTH2_PROVIDER).map(Resource::Oauth2Provider));
        found.filter(|_| here).ok_or_else(|| {
            ServiceError::new(
                Code::NotFound,
                format!(
                    "{arn:?} is not here. What can have tags are workload identities, as {}, and credential providers, as \
                     {} or {}.",
                    self.workload_identity_arn("<name>"),
                    self.api_key_provider_arn("<name>"),
                    self.oauth2_provider_arn("<name>"),
                ),
            )
        })
    }
}

/// Partition, region, account and resource of an ARN in the form that the model demands.
fn parts(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let ("arn", partition, service) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let mut segments = resource.split('/');
    let mut pairs = 0;
    while let Some(kind) = segments.next() {
        let name = segments.next()?;
        // The model's pattern has no digits here, and so no room for the service's own `oauth2credentialprovider`.
        let is_kind = !kind.is_empty() && kind.bytes().all(is_name_byte);
        if !is_kind || name.is_empty() {
            return None;
        }
        pairs += 1;
    }
    let valid = SERVICES.contains(&service)
        && !region.is_empty()
        && region.bytes().all(is_name_byte)
        && is_account(account)
        && pairs > 0;
    valid.then_some((partition, region, account, resource))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn is_account(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Place {
        Place::new("us-east-1".into(), "123456789012".into()).unwrap()
    }

    #[test]
    fn its_own_arns_lead_back() {
        let place = place();
        assert_eq!(
            place.resource(&place.workload_identity_arn("my-agent")),
            Ok(Resource::WorkloadIdentity("my-agent".into()))
        );
        let provider = place.api_key_provider_arn("openai");
        assert_eq!(
            provider,
            "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/apikeycredentialprovider/openai"
        );
        assert_eq!(place.resource(&provider), Ok(Resource::ApiKeyProvider("openai".into())));
        let oauth2 = place.oauth2_provider_arn("github");
        assert!(oauth2.ends_with(":token-vault/default/oauth2credentialprovider/github"), "{oauth2}");
        assert_eq!(place.resource(&oauth2), Ok(Resource::Oauth2Provider("github".into())));
        let other_spelling = provider.replace("bedrock-agentcore", "acps");
        assert_eq!(place.resource(&other_spelling), Ok(Resource::ApiKeyProvider("openai".into())));
    }

    #[test]
    fn the_partition_follows_the_region() {
        let place = Place::new("us-gov-west-1".into(), "123456789012".into()).unwrap();
        assert!(place.api_key_secret_arn("a", "xxxxxx").starts_with("arn:aws-us-gov:secretsmanager:us-gov-west-1:"));
    }

    #[test]
    fn what_is_elsewhere_is_not_found() {
        let arn = place().workload_identity_arn("my-agent");
        for elsewhere in [
            arn.replace("us-east-1", "eu-west-1"),
            arn.replace("123456789012", "210987654321"),
            arn.replace("/default/", "/other/"),
            "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/abc".to_owned(),
        ] {
            let error = place().resource(&elsewhere).unwrap_err();
            assert_eq!(error.status(), 404, "{error}");
            assert!(error.message().contains(&elsewhere), "{error}");
        }
    }

    #[test]
    fn what_is_no_arn_is_invalid() {
        let arn = place().workload_identity_arn("my-agent");
        for bad in [
            "x",
            "this is certainly not an ARN",
            &arn.replace("arn:", "urn:"),
            &arn.replace("bedrock-agentcore", "s3"),
            &arn.replace("123456789012", "12345"),
            &arn.replace("/default/", "//"),
            &format!("{arn}/"),
            &format!("{arn}{}", "x".repeat(1011)),
        ] {
            assert_eq!(place().resource(bad).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn bad_places_are_refused() {
        assert!(Place::new("US East".into(), "123456789012".into()).unwrap_err().contains("\"US East\""));
        assert!(Place::new("us-east-1".into(), "12".into()).unwrap_err().contains("12 digits"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(arn in any::<String>()) {
            let _ = place().resource(&arn);
        }

        #[test]
        fn no_arn_like_text_breaks_the_parser(arn in "arn:[a-z:/0-9-]{0,80}") {
            let _ = place().resource(&arn);
        }
    }
}
