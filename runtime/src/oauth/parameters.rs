//! What the service is asked for, and what it would refuse.

use crate::digest::{Digest, Parts};
use crate::limits::excerpt;
use crate::{AuthFlow, Error, limits};

#[derive(Clone, Default)]
#[expect(clippy::struct_field_names, reason = "the service's own name")]
pub(crate) struct Parameters {
    pub(crate) provider: String,
    pub(crate) flow: Option<AuthFlow>,
    pub(crate) scopes: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) force_authentication: bool,
    pub(crate) custom_state: Option<String>,
    pub(crate) custom_parameters: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn flow(&self) -> Result<AuthFlow, Error> {
        self.flow.ok_or_else(|| {
            let names = AuthFlow::ALL.map(|flow| format!("`{flow}`")).join(", ");
            Error::invalid_request(format!(
                "the request for an access token of the credential provider `{}` does not say how to come by it: set \
                 `auth_flow` to one of {names}",
                excerpt(&self.provider)
            ))
        })
    }

    /// Refuses what the service would refuse, in words that say which argument it is. A value that could be a secret is
    /// not repeated.
    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::unless_provider_name(&self.provider)?;
        each("scope", &self.scopes, limits::SCOPE)?;
        each("resource", &self.resources, limits::RESOURCE)?;
        each("audience", &self.audiences, limits::RESOURCE)?;
        if let Some(url) = &self.callback_url {
            let shown = excerpt(url.split(['?', '#']).next().unwrap_or_default());
            Error::unless_fits(format_args!("the callback URL {shown:?}"), limits::return_url_violation(url))?;
        }
        if let Some(state) = &self.custom_state {
            Error::unless_fits("the custom state", limits::CUSTOM_STATE.violation(state))?;
        }
        for (n, (name, value)) in self.custom_parameters.iter().enumerate() {
            let shown = excerpt(name);
            Error::unless_fits(
                format_args!("the key of the custom parameter {shown:?}"),
                limits::CUSTOM_PARAMETER_NAME.violation(name),
            )?;
            Error::unless_fits(
                format_args!("the value of the custom parameter `{name}`"),
                limits::CUSTOM_PARAMETER_VALUE.violation(value),
            )?;
            if self.custom_parameters[..n].iter().any(|(other, _)| other == name) {
                return Err(Error::invalid_request(format!(
                    "the custom parameter `{name}` is there twice: give it one value"
                )));
            }
        }
        Ok(())
    }

    /// Of what decides which token is the right one.
    pub(super) fn token_digest(&self) -> Digest {
        self.token_parts().digest()
    }

    /// Of what decides which authorization is the right one.
    pub(super) fn authorization_digest(&self) -> Digest {
        self.token_parts()
            .one(&self.provider)
            .maybe(self.callback_url.as_deref())
            .maybe(self.custom_state.as_deref())
            .one(if self.force_authentication { "forced" } else { "" })
            .digest()
    }

    fn token_parts(&self) -> Parts {
        let mut parameters: Vec<_> = self.custom_parameters.iter().collect();
        parameters.sort_unstable();
        let parts = Parts::new("access token")
            .maybe(self.flow.map(AuthFlow::as_str))
            .set(texts(&self.scopes))
            .set(texts(&self.resources))
            .set(texts(&self.audiences))
            .one(&parameters.len().to_string());
        parameters.into_iter().fold(parts, |parts, (name, value)| parts.one(name).one(value))
    }
}

fn texts(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}

fn each(what: &str, values: &[String], limit: limits::Limit) -> Result<(), Error> {
    values.iter().try_for_each(|value| {
        let shown = excerpt(value);
        Error::unless_fits(format_args!("the {what} {shown:?}"), limit.violation(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        Parameters { provider: "github".into(), flow: Some(AuthFlow::UserFederation), ..Parameters::default() }
    }

    fn refused(change: impl FnOnce(&mut Parameters)) -> String {
        let mut parameters = parameters();
        change(&mut parameters);
        let error = parameters.validate().unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }));
        error.to_string()
    }

    #[test]
    fn each_argument_that_is_refused_is_named() {
        assert!(parameters().validate().is_ok());
        for (text, hint) in [
            (refused(|p| p.provider = "git hub".into()), "\"git hub\" contains ' '"),
            (refused(|p| p.provider = "x".repeat(1000)), "x…\" has 1000 characters"),
            (refused(|p| p.scopes = vec!["repo".into(), String::new()]), "scope \"\" has 0 characters"),
            (refused(|p| p.scopes = vec!["x".repeat(129)]), "129 characters; the service takes 1 to 128"),
            (refused(|p| p.resources = vec!["x".repeat(2049)]), "the resource \"xxx"),
            (refused(|p| p.audiences = vec![String::new()]), "the audience \"\""),
            (refused(|p| p.callback_url = Some("app.example/cb?key=secret".into())), "callback URL \"app.example/cb\""),
            (refused(|p| p.custom_state = Some(String::new())), "the custom state has 0"),
            (refused(|p| p.custom_parameters = vec![("a b".into(), "c".into())]), "parameter \"a b\" contains"),
            (refused(|p| p.custom_parameters = vec![("a".into(), String::new())]), "parameter `a` has 0"),
            (
                refused(|p| p.custom_parameters = vec![("a".into(), "1".into()), ("a".into(), "2".into())]),
                "`a` is there",
            ),
        ] {
            assert!(text.contains(hint), "{text}");
            assert!(!text.contains("secret") && text.len() < 300, "{text}");
        }
    }

    #[test]
    fn without_a_flow_the_error_lists_them() {
        let error = Parameters { flow: None, ..parameters() }.flow().unwrap_err().to_string();
        assert!(error.contains("auth_flow") && error.contains("`ON_BEHALF_OF_TOKEN_EXCHANGE`"), "{error}");
    }

    #[test]
    fn what_changes_the_answer_changes_the_key() {
        type Change = fn(&mut Parameters);
        let digests = |change: Change| {
            let mut parameters = parameters();
            change(&mut parameters);
            (parameters.token_digest(), parameters.authorization_digest())
        };
        let of_token: [Change; 6] = [
            |_| {},
            |p| p.flow = Some(AuthFlow::M2m),
            |p| p.scopes = vec!["repo".into()],
            |p| p.resources = vec!["repo".into()],
            |p| p.audiences = vec!["repo".into()],
            |p| p.custom_parameters = vec![("prompt".into(), "login".into())],
        ];
        for (n, change) in of_token.iter().enumerate() {
            assert!(of_token[..n].iter().all(|other| digests(*other).0 != digests(*change).0), "{n}");
        }
        // These decide about the way to the token, not about the token.
        let of_authorization: [Change; 4] = [
            |_| {},
            |p| p.callback_url = Some("https://a.example".into()),
            |p| p.custom_state = Some("https://a.example".into()),
            |p| p.force_authentication = true,
        ];
        for (n, change) in of_authorization.iter().enumerate() {
            assert!(digests(*change).0 == digests(|_| {}).0, "{n}");
            assert!(of_authorization[..n].iter().all(|other| digests(*other).1 != digests(*change).1), "{n}");
        }
        let scopes = |scopes: [&str; 2]| {
            let scopes = scopes.map(str::to_owned).to_vec();
            Parameters { scopes, ..parameters() }.token_digest()
        };
        assert!(scopes(["a", "b"]) == scopes(["b", "a"]));
    }
}
