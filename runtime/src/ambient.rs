//! The workload identity that the surroundings of the process name, for calls whose context names none.

use std::path::Path;

use serde::Deserialize;

use crate::digest::Digest;
use crate::limits;
use crate::{Error, UserIdentifier};

pub(crate) const WORKLOAD_NAME_VARIABLE: &str = "AGENTCORE_WORKLOAD_NAME";
pub(crate) const USER_ID_VARIABLE: &str = "AGENTCORE_USER_ID";
pub(crate) const FILE: &str = ".agentcore.json";

/// An existing workload identity, and the user that goes with it on this machine.
pub(crate) struct Ambient {
    pub(crate) name: String,
    pub(crate) name_digest: Digest,
    pub(crate) user: Option<(UserIdentifier, Digest)>,
}

/// As the Python SDK writes it.
#[derive(Deserialize)]
struct File {
    workload_identity_name: Option<String>,
    user_id: Option<String>,
}

impl Ambient {
    /// Reads the environment of the process and its current directory.
    pub(crate) fn of_process() -> Result<Option<Self>, Error> {
        Self::find(|name| std::env::var(name).ok(), Path::new(""))
    }

    fn find(variable: impl Fn(&str) -> Option<String>, directory: &Path) -> Result<Option<Self>, Error> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(name) = variable(WORKLOAD_NAME_VARIABLE) {
            return Self::new(name, WORKLOAD_NAME_VARIABLE, variable(USER_ID_VARIABLE), USER_ID_VARIABLE).map(Some);
        }
        let text = match std::fs::read_to_string(directory.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::configuration(format!("`{FILE}` cannot be read: {error}"))),
        };
        let file: File = serde_json::from_str(&text).map_err(|error| {
            // serde_json's own text may quote the file.
            Error::configuration(format!(
                "`{FILE}` is not the JSON object that the AgentCore SDKs write (line {}, column {}): correct or remove it",
                error.line(),
                error.column()
            ))
        })?;
        file.workload_identity_name
            .map(|name| Self::new(name, "`workload_identity_name` in .agentcore.json", file.user_id, FILE))
            .transpose()
    }

    fn new(name: String, name_origin: &str, user_id: Option<String>, user_origin: &str) -> Result<Self, Error> {
        if let Some(violation) = limits::WORKLOAD_NAME.violation(&name) {
            return Err(Error::configuration(format!(
                "the workload identity name {name:?} from {name_origin} {violation}"
            )));
        }
        if let Some(violation) = user_id.as_deref().and_then(|id| limits::USER_ID.violation(id)) {
            return Err(Error::configuration(format!("the user id from {user_origin} {violation}")));
        }
        let user = user_id.map(UserIdentifier::UserId).map(|user| {
            let digest = user.digest();
            (user, digest)
        });
        Ok(Self { name_digest: Digest::of("workload name", &name), name, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn directory_with(file: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), file).unwrap();
        directory
    }

    fn user_id(ambient: &Ambient) -> Option<&str> {
        match &ambient.user {
            Some((UserIdentifier::UserId(id), _)) => Some(id),
            _ => None,
        }
    }

    #[test]
    fn environment_comes_before_the_file_and_brings_its_own_user() {
        let directory = directory_with(r#"{"workload_identity_name": "from-file", "user_id": "file-user"}"#);
        let named = |name: &str| (name == WORKLOAD_NAME_VARIABLE).then(|| "from-env".to_owned());
        let ambient = Ambient::find(named, directory.path()).unwrap().unwrap();
        assert_eq!((ambient.name.as_str(), user_id(&ambient)), ("from-env", None));

        let both = |name: &str| Some(if name == WORKLOAD_NAME_VARIABLE { "from-env" } else { "ada" }.to_owned());
        let ambient = Ambient::find(both, directory.path()).unwrap().unwrap();
        assert_eq!((ambient.name.as_str(), user_id(&ambient)), ("from-env", Some("ada")));
    }

    #[test]
    fn file_names_workload_and_user() {
        let directory = directory_with(r#"{"workload_identity_name": "from-file", "user_id": "ada", "more": 1}"#);
        let ambient = Ambient::find(nothing, directory.path()).unwrap().unwrap();
        assert_eq!((ambient.name.as_str(), user_id(&ambient)), ("from-file", Some("ada")));
    }

    #[test]
    fn a_user_without_a_workload_names_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let user_only = |name: &str| (name == USER_ID_VARIABLE).then(|| "ada".to_owned());
        assert!(Ambient::find(user_only, directory.path()).unwrap().is_none());
        assert!(Ambient::find(nothing, directory_with("{}").path()).unwrap().is_none());
        assert!(Ambient::find(|_| Some(String::new()), directory.path()).unwrap().is_none());
    }

    #[test]
    fn a_bad_file_is_named_and_not_quoted() {
        let directory = directory_with(r#"{"workload_identity_name": "secret-sauce"#);
        let error = Ambient::find(nothing, directory.path()).err().unwrap().to_string();
        assert!(error.contains(".agentcore.json") && error.contains("line 1"), "{error}");
        assert!(!error.contains("secret-sauce"), "{error}");
    }

    #[test]
    fn a_bad_name_says_where_it_came_from() {
        let directory = tempfile::tempdir().unwrap();
        let bad = |name: &str| (name == WORKLOAD_NAME_VARIABLE).then(|| "my agent".to_owned());
        let error = Ambient::find(bad, directory.path()).err().unwrap().to_string();
        assert!(error.contains("AGENTCORE_WORKLOAD_NAME") && error.contains("\"my agent\""), "{error}");
    }
}
