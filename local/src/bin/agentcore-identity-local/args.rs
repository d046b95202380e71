//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

#[derive(Debug, Parser)]
#[command(
    name = "agentcore-identity-local",
    version,
    about = "AgentCore Identity on your own machine, for development and tests without AWS.",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until Ctrl-C, and print the environment variables that lead an AWS SDK here.
    Serve(Serve),
}

const EXAMPLES: &str = "\
Examples:
  One agent and one API key, which is read from the environment variable OPENAI_API_KEY:
    agentcore-identity-local serve --workload-identity my-agent --api-key openai=OPENAI_API_KEY

  An OAuth2 provider that needs no account elsewhere, and where people come back to after they consented:
    agentcore-identity-local serve --workload-identity my-agent --oauth2-provider github \\
      --return-url my-agent=http://localhost:8081/callback

  Keep providers, workload identities and access tokens in a directory, secrets encrypted:
    agentcore-identity-local serve --data ~/.agentcore-identity-local

  In a script: any free port, and the variables for the agent from a file that only its owner can read:
    umask 077
    agentcore-identity-local serve --port 0 --workload-identity my-agent > env.sh &
    until grep -q '^# Ctrl-C' env.sh; do sleep 0.1; done; . ./env.sh

  Let the next two calls of an operation be throttled (see also /_local/calls, /_local/counters, /_local/clock):
    curl -H 'content-type: application/json' http://127.0.0.1:4566/_local/faults \\
      -d '{\"operation\": \"GetResourceApiKey\", \"fault\": \"Throttle\", \"times\": 2}'

The signing credentials are random at each start, or with --data at the first. To choose them, set
AGENTCORE_LOCAL_ACCESS_KEY_ID and AGENTCORE_LOCAL_SECRET_ACCESS_KEY. No AWS_* variable and no file of AWS is read.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 4566, allow_negative_numbers = true, value_parser = parse_port)]
    pub(crate) port: u16,

    /// Address to listen on. One that is not loopback needs --allow-remote.
    #[arg(long, default_value = "127.0.0.1", value_parser = parse_host)]
    pub(crate) host: IpAddr,

    /// Let other machines call. Traffic is not encrypted: only for a network that you trust.
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// Keep providers, workload identities and access tokens in this directory instead of in memory, secrets encrypted.
    /// They survive a crash at any moment. Open authorizations, and what the service's own identity provider issued,
    /// end with it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// AWS Region for which requests are signed.
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,

    /// AWS account that stands in ARNs.
    #[arg(long, default_value = "123456789012")]
    pub(crate) account_id: String,

    /// Have a workload identity of this name. Repeatable.
    #[arg(long = "workload-identity", value_name = "NAME")]
    pub(crate) workload_identities: Vec<String>,

    /// Let a workload identity have people sent back to this URL after they consented at an OAuth2 provider.
    /// Repeatable.
    #[arg(long = "return-url", value_name = "WORKLOAD=URL")]
    pub(crate) return_urls: Vec<String>,

    /// Have an API key provider whose key is the value of this environment variable. Repeatable.
    #[arg(long = "api-key", value_name = "PROVIDER=ENV_VAR")]
    pub(crate) api_keys: Vec<String>,

    /// Have an API key provider whose key stands in this file; a line end after it is left out. Repeatable.
    #[arg(long = "api-key-file", value_name = "PROVIDER=PATH")]
    pub(crate) api_key_files: Vec<String>,

    /// Have an OAuth2 provider of this name whose authorization server is the service's own. Repeatable.
    #[arg(long = "oauth2-provider", value_name = "NAME")]
    pub(crate) oauth2_providers: Vec<String>,

    /// Sign client assertions that name this key of AWS KMS with the private key (PKCS #8, PEM) in this file.
    /// Repeatable. Without it, such a key is made when a provider names it.
    #[arg(long = "kms-key", value_name = "ARN=PEM_FILE")]
    pub(crate) kms_keys: Vec<String>,

    /// How long a workload access token is valid.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 900,
        allow_negative_numbers = true,
        value_parser = parse_seconds
    )]
    pub(crate) workload_token_lifetime: u64,

    /// Check the signatures of users' JWTs of this issuer with the keys in this file. Repeatable. Without any, every
    /// signature is accepted.
    #[arg(long = "trusted-issuer", value_name = "ISSUER=JWKS_FILE")]
    pub(crate) trusted_issuers: Vec<String>,

    /// Throttle as AWS does: 200 calls a second of each data-plane operation, 20 of each control-plane operation.
    #[arg(long)]
    pub(crate) enforce_rate_quotas: bool,

    /// What to log on standard error, never a secret.
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        value_parser = clap::builder::PossibleValuesParser::new(["off", "error", "warn", "info", "debug"])
            .try_map(|level| level.parse::<LevelFilter>())
    )]
    pub(crate) log: LevelFilter,
}

fn parse_port(port: &str) -> Result<u16, String> {
    port.parse().map_err(|_| "expected a port, from 0 to 65535".to_owned())
}

fn parse_seconds(seconds: &str) -> Result<u64, String> {
    seconds.parse().map_err(|_| "expected a whole number of seconds, at least 1".to_owned())
}

fn parse_host(host: &str) -> Result<IpAddr, String> {
    if host == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    host.parse().map_err(|_| "expected an IP address, such as 127.0.0.1 or ::1, or localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn hosts() {
        assert_eq!(parse_host("localhost"), Ok(Ipv4Addr::LOCALHOST.into()));
        assert!(parse_host("::1").unwrap().is_loopback());
        assert!(parse_host("example.com").is_err());
    }
}
