//! The workload identity that the surroundings of the process name, for calls whose context names none.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::digest::Digest;
use crate::error::Cause;
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
        Self::find(|name| std::env::var_os(name), Path::new(""))
    }

    fn find(variable: impl Fn(&str) -> Option<OsString>, directory: &Path) -> Result<Option<Self>, Error> {
        let variable = |name| text_of(name, variable(name).filter(|value| !value.is_empty()));
        if let Some(name) = variable(WORKLOAD_NAME_VARIABLE)? {
            return Self::new(name, WORKLOAD_NAME_VARIABLE, variable(USER_ID_VARIABLE)?, USER_ID_VARIABLE).map(Some);
        }
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, error)),
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

fn text_of(variable: &str, value: Option<OsString>) -> Result<Option<String>, Error> {
    value.map(OsString::into_string).transpose().map_err(|_| {
        Error::configuration(format!("the value of {variable} is not UTF-8: set it to another one, or unset it"))
    })
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Error::Configuration {
        reason: format!(
            "`{}` cannot be read, as the error's source says why: let this process read it, or move it away and set \
             {WORKLOAD_NAME_VARIABLE}",
            path.display()
        ),
        cause: Cause::new(error, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<OsString> {
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
        let named = |name: &str| (name == WORKLOAD_NAME_VARIABLE).then(|| "from-env".into());
        let ambient = Ambient::find(named, directory.path()).unwrap().unwrap();
        assert_eq!((ambient.name.as_str(), user_id(&ambient)), ("from-env", None));

        let both = |name: &str| Some(if name == WORKLOAD_NAME_VARIABLE { "from-env" } else { "ada" }.into());
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
        let user_only = |name: &str| (name == USER_ID_VARIABLE).then(|| "ada".into());
        assert!(Ambient::find(user_only, directory.path()).unwrap().is_none());
        assert!(Ambient::find(nothing, directory_with("{}").path()).unwrap().is_none());
        assert!(Ambient::find(|_| Some(OsString::new()), directory.path()).unwrap().is_none());
    }

    #[test]
    fn a_bad_file_is_named_and_not_quoted() {
        let directory = directory_with(r#"{"workload_identity_name": "secret-sauce"#);
        let error = Ambient::find(nothing, directory.path()).err().unwrap().to_string();
        assert!(error.contains(".agentcore.json") && error.contains("line 1"), "{error}");
        assert!(!error.contains("secret-sauce"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(FILE)).unwrap();
        let error = Ambient::find(nothing, directory.path()).err().unwrap();
        let path = directory.path().join(FILE).display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_not_taken_for_none() {
        use std::os::unix::ffi::OsStringExt as _;

        let directory = tempfile::tempdir().unwrap();
        let latin = |name: &str| (name == WORKLOAD_NAME_VARIABLE).then(|| OsString::from_vec(b"\xe4gent".to_vec()));
        let error = Ambient::find(latin, directory.path()).err().unwrap().to_string();
        assert!(error.contains("AGENTCORE_WORKLOAD_NAME is not UTF-8"), "{error}");
    }

    #[test]
    fn a_bad_name_says_where_it_came_from() {
        let directory = tempfile::tempdir().unwrap();
        let bad = |name: &str| (name == WORKLOAD_NAME_VARIABLE).then(|| "my agent".into());
        let error = Ambient::find(bad, directory.path()).err().unwrap().to_string();
        assert!(error.contains("AGENTCORE_WORKLOAD_NAME") && error.contains("\"my agent\""), "{error}");
    }
}
