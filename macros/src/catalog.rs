//! The credential attributes and what each of them takes.
//!
//! Every attribute knows its siblings: to say which of them an option belongs to, and to take over those that stand
//! below it on the same function.

/// One credential attribute.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    /// The attribute's name, as in `#[requires_api_key]`.
    pub(crate) name: &'static str,
    /// The parameter it fills unless `into` names another.
    pub(crate) parameter: &'static str,
    /// The type of the credential, which is also the last part of the name of the trait that hands it over.
    pub(crate) credential: &'static str,
    /// The options it takes, in the order in which errors list them.
    pub(crate) options: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ApiKey,
    AccessToken,
    IamAccessToken,
    WorkloadToken,
}

pub(crate) const API_KEY: &Spec = &Spec {
    kind: Kind::ApiKey,
    name: "requires_api_key",
    parameter: "api_key",
    credential: "ApiKey",
    options: &["provider", "into", "client", "retry_if", "crate"],
};

pub(crate) const ACCESS_TOKEN: &Spec = &Spec {
    kind: Kind::AccessToken,
    name: "requires_access_token",
    parameter: "access_token",
    credential: "AccessToken",
    options: &[
        "provider",
        "scopes",
        "auth_flow",
        "into",
        "client",
        "retry_if",
        "resources",
        "audiences",
        "on_auth_url",
        "callback_url",
        "force_authentication",
        "token_poller",
        "custom_state",
        "custom_parameters",
        "crate",
    ],
};

pub(crate) const IAM_ACCESS_TOKEN: &Spec = &Spec {
    kind: Kind::IamAccessToken,
    name: "requires_iam_access_token",
    parameter: "access_token",
    credential: "AccessToken",
    options: &["audience", "signing_algorithm", "duration_seconds", "tags", "into", "client", "crate"],
};

pub(crate) const WORKLOAD_TOKEN: &Spec = &Spec {
    kind: Kind::WorkloadToken,
    name: "requires_workload_token",
    parameter: "workload_token",
    credential: "WorkloadToken",
    options: &["into", "crate"],
};

/// Every credential attribute.
pub(crate) const ALL: [&Spec; 4] = [API_KEY, ACCESS_TOKEN, IAM_ACCESS_TOKEN, WORKLOAD_TOKEN];

/// What the Python SDK and the service's API call an option, without underscores, and what it is called here.
const OTHER_SPELLINGS: &[(&str, &str)] = &[
    ("name", "provider"),
    ("providername", "provider"),
    ("credentialprovidername", "provider"),
    ("resourcecredentialprovidername", "provider"),
    ("oauth2flow", "auth_flow"),
    ("flow", "auth_flow"),
    ("resourceoauth2returnurl", "callback_url"),
    ("returnurl", "callback_url"),
    ("redirecturi", "callback_url"),
    ("algorithm", "signing_algorithm"),
    ("duration", "duration_seconds"),
    ("state", "custom_state"),
];

/// What other interfaces ask for at the call and this one does not, without underscores, and where it comes from here.
const FROM_ELSEWHERE: &[(&str, &str)] = &[
    ("sessionid", "the client keeps the session of an authorization itself, and `RequestContext` has the agent's"),
    ("sessionuri", "the client keeps the session of an authorization itself"),
    ("userid", "who is calling is said by the `RequestContext`"),
    ("usertoken", "who is calling is said by the `RequestContext`"),
    ("useridentifier", "who is calling is said by the `RequestContext`"),
    ("agentidentitytoken", "who is calling is said by the `RequestContext`"),
    ("workloadidentitytoken", "who is calling is said by the `RequestContext`"),
    ("workloadname", "who is calling is said by the `RequestContext`"),
    ("region", "the Region is that of the `IdentityClient`, which `client = …` names"),
];

impl Spec {
    pub(crate) fn takes(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    /// The option that goes by the name `spelling` elsewhere, or in another number.
    pub(crate) fn translate(&self, spelling: &str) -> Option<&'static str> {
        let folded = folded(spelling);
        OTHER_SPELLINGS
            .iter()
            .find(|(other, option)| *other == folded && self.takes(option))
            .map(|(_, option)| *option)
            .or_else(|| self.options.iter().copied().find(|option| folded == self::folded(option)))
            .or_else(|| self.options.iter().copied().find(|option| singular(option) == singular(spelling)))
    }

    /// The attributes other than this one that take `option`.
    pub(crate) fn siblings_with(&self, option: &str) -> Vec<&'static Spec> {
        ALL.into_iter().filter(|spec| spec.name != self.name && spec.takes(option)).collect()
    }
}

/// Where the value comes from that goes by the name `spelling` elsewhere and is no option of any attribute here.
pub(crate) fn from_elsewhere(spelling: &str) -> Option<&'static str> {
    let folded = folded(spelling);
    FROM_ELSEWHERE.iter().find(|(other, _)| *other == folded).map(|(_, origin)| *origin)
}

/// `name` as both `snake_case` and `camelCase` have it.
fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// The credential attribute called `name`, if it is one.
pub(crate) fn named(name: &str) -> Option<&'static Spec> {
    ALL.into_iter().find(|spec| spec.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_from_elsewhere_are_understood() {
        for (spec, spelling, option) in [
            (API_KEY, "provider_name", "provider"),
            (API_KEY, "resourceCredentialProviderName", "provider"),
            (ACCESS_TOKEN, "oauth2_flow", "auth_flow"),
            (ACCESS_TOKEN, "resource_oauth2_return_url", "callback_url"),
            (ACCESS_TOKEN, "forceAuthentication", "force_authentication"),
            (ACCESS_TOKEN, "scope", "scopes"),
            (ACCESS_TOKEN, "audience", "audiences"),
            (IAM_ACCESS_TOKEN, "audiences", "audience"),
            (IAM_ACCESS_TOKEN, "DurationSeconds", "duration_seconds"),
        ] {
            assert_eq!(spec.translate(spelling), Some(option), "{spelling}");
        }
        assert_eq!(API_KEY.translate("oauth2_flow"), None);
        assert!(from_elsewhere("agent_identity_token").is_some());
        assert!(from_elsewhere("timeout").is_none());
    }

    #[test]
    fn every_translation_is_into_an_option() {
        for (_, option) in OTHER_SPELLINGS {
            assert!(ALL.iter().any(|spec| spec.takes(option)), "{option}");
        }
        for (other, _) in FROM_ELSEWHERE {
            assert!(ALL.iter().all(|spec| spec.options.iter().all(|option| folded(option) != *other)), "{other}");
        }
    }
}
