//! The credential attributes and what each of them takes.
//!
//! Every attribute knows its siblings: to say which of them an option belongs to, and to notice that two of them
//! would fill the same parameter.

/// One credential attribute.
pub(crate) struct Spec {
    /// The attribute's name, as in `#[requires_api_key]`.
    pub(crate) name: &'static str,
    /// The parameter it fills unless `into` names another.
    pub(crate) parameter: &'static str,
    /// The options it takes, in the order in which errors list them.
    pub(crate) options: &'static [&'static str],
}

pub(crate) const API_KEY: &Spec = &Spec {
    name: "requires_api_key",
    parameter: "api_key",
    options: &["provider", "into", "client", "retry_if", "crate"],
};

const ACCESS_TOKEN: &Spec = &Spec {
    name: "requires_access_token",
    parameter: "access_token",
    options: &[
        "provider",
        "into",
        "client",
        "retry_if",
        "crate",
        "scopes",
        "auth_flow",
        "resources",
        "audiences",
        "on_auth_url",
        "callback_url",
        "force_authentication",
        "token_poller",
        "custom_state",
        "custom_parameters",
    ],
};

const IAM_ACCESS_TOKEN: &Spec = &Spec {
    name: "requires_iam_access_token",
    parameter: "access_token",
    options: &["audience", "signing_algorithm", "duration_seconds", "tags", "into", "client", "crate"],
};

const WORKLOAD_TOKEN: &Spec =
    &Spec { name: "requires_workload_token", parameter: "workload_token", options: &["into", "crate"] };

/// Every credential attribute.
pub(crate) const ALL: [&Spec; 4] = [API_KEY, ACCESS_TOKEN, IAM_ACCESS_TOKEN, WORKLOAD_TOKEN];

/// What the Python SDK and the service's API call an option, and what it is called here.
const OTHER_SPELLINGS: &[(&str, &str)] = &[
    ("provider_name", "provider"),
    ("credential_provider_name", "provider"),
    ("resource_credential_provider_name", "provider"),
];

impl Spec {
    pub(crate) fn takes(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    /// The option that goes by the name `spelling` elsewhere.
    pub(crate) fn translate(&self, spelling: &str) -> Option<&'static str> {
        OTHER_SPELLINGS
            .iter()
            .find(|(other, option)| *other == spelling && self.takes(option))
            .map(|(_, option)| *option)
    }

    /// The attributes other than this one that take `option`.
    pub(crate) fn siblings_with(&self, option: &str) -> Vec<&'static Spec> {
        ALL.into_iter().filter(|spec| spec.name != self.name && spec.takes(option)).collect()
    }
}

/// The credential attribute called `name`, if it is one.
pub(crate) fn named(name: &str) -> Option<&'static Spec> {
    ALL.into_iter().find(|spec| spec.name == name)
}
