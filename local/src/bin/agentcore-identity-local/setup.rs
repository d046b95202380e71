//! From the command line to a service. Secrets come from the environment or from files, and no error quotes what could
//! be one.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use agentcore_identity_local::{LocalIdentity, LocalIdentityBuilder, StartError};
use zeroize::Zeroizing;

use crate::args::Serve;

const ACCESS_KEY_ID: &str = "AGENTCORE_LOCAL_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AGENTCORE_LOCAL_SECRET_ACCESS_KEY";

/// Why the program ends. Each prints as one line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the environment asks for something that cannot be.
    Usage(String),
    Start(StartError),
    /// What the system did not let the program do, and why.
    System(&'static str, io::Error),
}

impl Failure {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System(action, error)
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Start(StartError::Configuration(_) | StartError::Seed { .. }) => ExitCode::from(2),
            Self::Start(_) | Self::System(..) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Start(error @ StartError::Listen { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "{error}; stop the program that has the port, or choose another with --port")
            }
            Self::Start(error) => error.fmt(f),
            Self::System(action, error) => write!(f, "cannot {action}: {error}"),
        }
    }
}

pub(crate) fn builder(serve: &Serve) -> Result<LocalIdentityBuilder, Failure> {
    if !serve.host.to_canonical().is_loopback() && !serve.allow_remote {
        return Err(Failure::Usage(format!(
            "--host {} is reachable from other machines; add --allow-remote if you want that, or use 127.0.0.1",
            serve.host
        )));
    }
    let mut builder = LocalIdentity::builder()
        .bind(SocketAddr::new(serve.host, serve.port))
        .region(&serve.region)
        .account_id(&serve.account_id)
        .workload_token_lifetime(Duration::from_secs(serve.workload_token_lifetime));
    if serve.allow_remote {
        builder = builder.allow_remote();
    }
    if serve.enforce_rate_quotas {
        builder = builder.enforce_rate_quotas();
    }
    if let Some(directory) = &serve.data {
        builder = builder.data_dir(directory);
    }
    for name in &serve.workload_identities {
        builder = builder.workload_identity(name);
    }
    for (at, argument) in serve.api_keys.iter().enumerate() {
        let (provider, key) = key_from_environment(at + 1, argument)?;
        builder = builder.api_key(provider, key.as_str());
    }
    for (at, argument) in serve.api_key_files.iter().enumerate() {
        let (provider, key) = key_from_file(at + 1, argument)?;
        builder = builder.api_key(provider, key.as_str());
    }
    for argument in &serve.return_urls {
        let (workload, url) = pair(argument).ok_or_else(|| {
            Failure::Usage(format!(
                "--return-url takes WORKLOAD=URL, such as my-agent=http://localhost:8081/callback, and {argument:?} is not \
                 that"
            ))
        })?;
        builder = builder.return_url(workload, url);
    }
    for name in &serve.oauth2_providers {
        builder = builder.oauth2_provider(name);
    }
    for (at, argument) in serve.kms_keys.iter().enumerate() {
        let (arn, pem) = kms_key_from_file(at + 1, argument)?;
        builder = builder.kms_key(arn, pem.as_str());
    }
    for argument in &serve.trusted_issuers {
        let (issuer, path) = pair(argument).ok_or_else(|| {
            Failure::Usage(format!("--trusted-issuer takes ISSUER=JWKS_FILE, and {argument:?} is not that"))
        })?;
        let jwks = fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("--trusted-issuer {issuer}: cannot read {path:?}: {error}")))?;
        builder = builder.trusted_issuer(issuer, jwks);
    }
    if let Some((access_key_id, secret_access_key)) = chosen_credentials()? {
        builder = builder.signing_credentials(access_key_id, secret_access_key.as_str());
    }
    Ok(builder)
}

/// Whoever mistakes the option may have written the key itself, in any place, so nothing of the argument is shown.
fn key_from_environment(number: usize, argument: &str) -> Result<(&str, Zeroizing<String>), Failure> {
    let (provider, variable) = pair(argument).filter(|(_, variable)| is_variable_name(variable)).ok_or_else(|| {
        Failure::Usage(format!(
            "--api-key takes PROVIDER=ENV_VAR, the name of an environment variable that holds the key, and argument \
             number {number} is not that. Never write a key itself on a command line: other users of the machine and \
             the shell's history would have it"
        ))
    })?;
    match env::var(variable) {
        Ok(key) => Ok((provider, Zeroizing::new(key))),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::Usage(format!(
            "the environment variable that --api-key argument number {number} names holds no UTF-8 text"
        ))),
        Err(env::VarError::NotPresent) => Err(Failure::Usage(format!(
            "--api-key argument number {number} names no environment variable that is set. It takes PROVIDER=ENV_VAR, \
             and never the key itself (which is why its text is not shown here)"
        ))),
    }
}

fn key_from_file(number: usize, argument: &str) -> Result<(&str, Zeroizing<String>), Failure> {
    let (provider, path) = pair(argument).ok_or_else(|| {
        Failure::Usage(format!(
            "--api-key-file takes PROVIDER=PATH, the path of a file that holds the key, and argument number {number} is \
             not that"
        ))
    })?;
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Failure::Usage(format!("the file that --api-key-file argument number {number} names cannot be read: {error}"))
    })?;
    Ok((provider, Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

fn kms_key_from_file(number: usize, argument: &str) -> Result<(&str, Zeroizing<String>), Failure> {
    let (arn, path) = pair(argument).ok_or_else(|| {
        Failure::Usage(format!(
            "--kms-key takes ARN=PEM_FILE, the path of a file that holds the private key, and argument number {number} is not \
             that"
        ))
    })?;
    let pem = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Failure::Usage(format!("the file that --kms-key argument number {number} names cannot be read: {error}"))
    })?;
    Ok((arn, pem))
}

fn pair(argument: &str) -> Option<(&str, &str)> {
    argument.split_once('=').filter(|(left, right)| !left.is_empty() && !right.is_empty())
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn chosen_credentials() -> Result<Option<(String, Zeroizing<String>)>, Failure> {
    let read = |name: &str| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{name} holds no UTF-8 text"))),
    };
    match (read(ACCESS_KEY_ID)?, read(SECRET_ACCESS_KEY)?) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Ok(Some((id, Zeroizing::new(secret)))),
        _ => Err(Failure::Usage(format!("set both {ACCESS_KEY_ID} and {SECRET_ACCESS_KEY}, or neither"))),
    }
}
