//! What `GetResourceOauth2Token` is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::json;
use zeroize::Zeroizing;

use super::Flow;
use crate::digest::sha256_hex;
use crate::error::ServiceError;
use crate::limits;
use crate::service::Input;
use crate::store::TokenKey;
use crate::workload_token::User;

/// The members that every call for one authorization repeats. Lists are sets: neither their order nor a repetition
/// means anything.
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

const RESOURCE: &str = "resource";
const AUDIENCE: &str = "audience";

/// The parameters of the standards that decide who asks, for whom, and where the answer goes.
const STANDARD_PARAMETERS: &[&str] = &[
    "actor_token",
    "actor_token_type",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "subject_token",
    "subject_token_type",
];

impl TokenRequest {
    pub(crate) fn read(input: &mut Input) -> Result<Self, ServiceError> {
        let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
        Ok(Self {
            provider: input.text(PROVIDER, &limits::PROVIDER_NAME)?,
            scopes: input.list(SCOPES, &limits::SCOPE)?.into_iter().collect(),
            flow: input.choice(FLOW, &Flow::ALL.map(|flow| (flow.as_str(), flow)))?,
            resources: set(input.optional_list(RESOURCES, &limits::OAUTH2_RESOURCE)?),
            audiences: set(input.optional_list(AUDIENCES, &limits::AUDIENCE)?),
            custom_parameters: input
                .optional_map(CUSTOM_PARAMETERS, &limits::CUSTOM_PARAMETER_KEY, &limits::CUSTOM_PARAMETER_VALUE)?
                .unwrap_or_default(),
            return_url: input.optional_text(RETURN_URL, &limits::RETURN_URL)?,
            custom_state: input.optional_text(CUSTOM_STATE, &limits::CUSTOM_STATE)?.map(Zeroizing::new),
        })
    }

    /// The parameters of RFC 8707 and RFC 8693 that say for which resources and audiences the token is to be.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&str, &str)> {
        let resources = self.resources.iter().map(|resource| (RESOURCE, resource.as_str()));
        resources.chain(self.audiences.iter().map(|audience| (AUDIENCE, audience.as_str())))
    }

    /// The custom parameters, without those that the service sets itself: a custom parameter overrides none of them.
    pub(super) fn custom(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.custom_parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        parameters.filter(|(name, _)| !self.is_standard(name))
    }

    /// # Errors
    /// `ValidationException` for more than can be asked of a user with one link.
    pub(crate) fn check_size(&self) -> Result<(), ServiceError> {
        let lists = [&self.scopes, &self.resources, &self.audiences].into_iter().flatten().map(String::len);
        let custom = self.custom_parameters.iter().map(|(name, value)| name.len() + value.len());
        let size: usize = lists.chain(custom).sum();
        if size <= limits::AUTHORIZATION_BYTES {
            return Ok(());
        }
        let most = limits::AUTHORIZATION_BYTES;
        let problem = format!("with {SCOPES}, {RESOURCES} and {AUDIENCES} {size} bytes, at most {most} allowed");
        Err(ServiceError::invalid_member(CUSTOM_PARAMETERS, problem))
    }

    /// What goes beside the scopes where there is no authorization request to carry it.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets().chain(self.custom())
    }

    /// Whether the caller has a word on a parameter.
    pub(super) fn names(&self, parameter: &str) -> bool {
        self.targets().any(|(name, _)| name == parameter) || self.custom_parameters.contains_key(parameter)
    }

    fn is_standard(&self, parameter: &str) -> bool {
        STANDARD_PARAMETERS.contains(&parameter)
            || (parameter == RESOURCE && !self.resources.is_empty())
            || (parameter == AUDIENCE && !self.audiences.is_empty())
    }

    /// What tells its token from others of one workload identity and provider. A token of the client's own (M2M) is no
    /// user's.
    pub(crate) fn key(&self, workload: &str, identity: &str, user: Option<&User>) -> TokenKey {
        let custom: Vec<_> = self.custom().collect();
        let differing =
            json!([self.flow.as_str(), user.map(User::person), self.scopes, self.resources, self.audiences, custom,]);
        TokenKey {
            provider: self.provider.clone(),
            workload: workload.to_owned(),
            identity: identity.to_owned(),
            digest: sha256_hex(differing.to_string().as_bytes()),
        }
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn request(change: impl FnOnce(&mut Value)) -> TokenRequest {
        let mut members = json!({
            "resourceCredentialProviderName": "github",
            "oauth2Flow": "USER_FEDERATION",
            "scopes": ["repo", "user"],
            "resourceOauth2ReturnUrl": "http://localhost:8081/callback",
        });
        change(&mut members);
        TokenRequest::read(&mut Input::parse(members.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn order_and_repetition_mean_nothing() {
        let reordered = request(|members| members["scopes"] = json!(["user", "repo", "user"]));
        assert_eq!(request(|_| ()).differences(&reordered), Vec::<&str>::new());
        assert_eq!(request(|_| ()).key("my-agent", "id", None), reordered.key("my-agent", "id", None));
    }

    #[test]
    fn what_changes_the_token_changes_its_key_and_what_does_not_does_not() {
        let (ada, bob) = (User::Id("ada".into()), User::Id("bob".into()));
        let key = request(|_| ()).key("my-agent", "id", Some(&ada));
        for other in [
            request(|_| ()).key("my-agent", "id", Some(&bob)),
            request(|_| ()).key("my-agent", "id", None),
            request(|_| ()).key("my-agent", "other", Some(&ada)),
            request(|members| members["resourceCredentialProviderName"] = json!("gitlab")).key(
                "my-agent",
                "id",
                Some(&ada),
            ),
            request(|members| members["scopes"] = json!(["repo user"])).key("my-agent", "id", Some(&ada)),
            request(|members| members["resources"] = json!(["a"])).key("my-agent", "id", Some(&ada)),
            request(|members| members["audiences"] = json!(["a"])).key("my-agent", "id", Some(&ada)),
            request(|members| members["customParameters"] = json!({ "tenant": "t" })).key("my-agent", "id", Some(&ada)),
            request(|members| members["oauth2Flow"] = json!("M2M")).key("my-agent", "id", Some(&ada)),
        ] {
            assert_ne!(other, key);
        }
        for same in [
            request(|members| members["customState"] = json!("s")),
            request(|members| members["resourceOauth2ReturnUrl"] = json!("https://example.com/")),
        ] {
            assert_eq!(same.key("my-agent", "id", Some(&ada)), key);
        }
    }

    #[test]
    fn a_custom_parameter_overrides_no_standard_one() {
        let request = request(|members| {
            members["audiences"] = json!(["https://api"]);
            members["customParameters"] = json!({
                "access_type": "offline", "audience": "https://evil", "resource": "https://kept",
                "redirect_uri": "https://evil", "state": "s", "code_challenge": "c", "request_uri": "urn:x",
            });
        });
        let custom: Vec<_> = request.custom().collect();
        assert_eq!(custom, [("access_type", "offline"), ("resource", "https://kept")]);
        assert_eq!(request.targets().collect::<Vec<_>>(), [("audience", "https://api")]);
        assert!(request.names("audience") && request.names("access_type") && !request.names("prompt"));
    }

    #[test]
    fn differences_are_named_and_secrets_not_shown() {
        let other = request(|members| {
            members["customState"] = json!("hunter2");
            members["customParameters"] = json!({ "k": "hunter2" });
            members["scopes"] = json!([]);
        });
        assert_eq!(request(|_| ()).differences(&other), ["scopes", "customParameters", "customState"]);
        assert!(!format!("{other:?}").contains("hunter2"));
    }

    #[test]
    fn a_link_has_an_end() {
        let parameters =
            |count: usize| -> Value { (0..count).map(|at| (format!("{at:04}"), "v".repeat(2044))).collect() };
        let sized = |count| request(|members| members["customParameters"] = parameters(count));
        assert_eq!(request(|members| members["scopes"] = json!([])).check_size(), Ok(()));
        let mut largest = sized(16);
        largest.scopes.clear();
        assert_eq!(largest.check_size(), Ok(()));
        let error = sized(16).check_size().unwrap_err();
        let expected = "customParameters: with scopes, resources and audiences 32776 bytes, at most 32768 allowed";
        assert_eq!((error.code(), error.message()), ("ValidationException", expected));
    }

    #[test]
    fn each_member_keeps_the_rules_of_the_model() {
        for (member, value, problem) in [
            ("oauth2Flow", json!("3LO"), "oauth2Flow: \"3LO\" is none of USER_FEDERATION, M2M"),
            ("oauth2Flow", Value::Null, "oauth2Flow: is required"),
            ("scopes", Value::Null, "scopes: is required"),
            ("scopes", json!([""]), "scopes[0]: \"\" has 0 characters"),
            ("scopes", json!(["s".repeat(129)]), "at most 128 allowed"),
            ("resources", json!(["r".repeat(2049)]), "at most 2048 allowed"),
            ("audiences", json!("a"), "audiences: must be a list"),
            ("resourceOauth2ReturnUrl", json!("nowhere"), "is not a URL"),
            ("customState", json!("s".repeat(4097)), "customState: the value has 4097 characters"),
            ("customParameters", json!({ "a b": "v" }), "customParameters: \"a b\" holds ' '"),
            ("customParameters", json!({ "a": "" }), "customParameters[\"a\"]: the value has 0 characters"),
            ("customParameters", json!({ "a": 1 }), "customParameters[\"a\"]: must be a string"),
            ("customParameters", json!([]), "customParameters: must be an object"),
        ] {
            let mut members = json!({
                "resourceCredentialProviderName": "github", "oauth2Flow": "M2M", "scopes": [],
            });
            members[member] = value;
            let error = TokenRequest::read(&mut Input::parse(members.to_string().as_bytes()).unwrap()).unwrap_err();
            assert!(error.message().contains(problem), "{error}");
            assert_eq!(error.code(), "ValidationException");
        }
    }
}
