//! What the program says when it is up: comments for people, `export` lines for a shell.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use agentcore_identity_local::LocalIdentity;

use crate::args::Serve;

/// Prints it all to standard output at once. The last line is a mark that scripts can wait for.
pub(crate) fn started(local: &LocalIdentity, serve: &Serve) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text(local, serve).as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever closed the pipe has read enough; the service goes on.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn text(local: &LocalIdentity, serve: &Serve) -> String {
    let mut text = String::new();
    let mut comment = |line: &str| {
        let _ = writeln!(text, "# {line}");
    };
    comment(&format!("AgentCore Identity is up on this machine: {} ({})", local.endpoint_url(), local.region()));
    comment("In a browser, that address shows providers, open authorizations and the last calls.");
    match &serve.data {
        // Escaped, so that a strange name cannot put a line of its own into what a shell will run.
        Some(directory) => {
            let directory = directory.display().to_string();
            comment(&format!(
                "Providers, workload identities and access tokens are kept in {directory:?}, secrets encrypted."
            ));
        }
        None => comment(
            "Everything is in memory and gone when it stops; --data DIR keeps providers, identities and tokens.",
        ),
    }
    if serve.workload_identities.is_empty() {
        comment("No workload identity was named: add --workload-identity NAME, or create one through the API.");
    }
    comment("In the terminal of your agent, run these lines. Any AWS SDK then talks to this service instead of AWS:");
    for (name, value) in local.environment() {
        let _ = writeln!(text, "export {name}={}", quoted(&value));
    }
    if let Some(exempt) = exempt_from_proxies(local.endpoint_url(), |name| env::var(name).ok()) {
        // Python heeds the lower-case name where both are there; others know one of the two.
        for name in ["NO_PROXY", "no_proxy"] {
            let _ = writeln!(text, "export {name}={}", quoted(&exempt));
        }
    }
    text.push_str("# Ctrl-C stops it. A new terminal, or `unset` of these variables, leads back to AWS.\n");
    text
}

pub(crate) const REMOTE_CALLERS: &str = "\
WARNING: other machines can call this service. Whoever reaches the port and learns the signing credentials gets every API \
key and access token, and traffic is NOT ENCRYPTED. Use it only on a network that you trust.";

/// The hosts for which no proxy is to be asked, this service's among them; nothing where no proxy would be.
fn exempt_from_proxies(url: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |names: [&str; 2]| names.into_iter().filter_map(&variable).find(|value| !value.is_empty());
    set(["http_proxy", "HTTP_PROXY"]).or_else(|| set(["all_proxy", "ALL_PROXY"]))?;
    let host = url.trim_start_matches("http://").rsplit_once(':')?.0;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let known = set(["no_proxy", "NO_PROXY"]).unwrap_or_default();
    let mut hosts: Vec<&str> = known.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    if hosts.contains(&"*") || hosts.contains(&host) {
        return None;
    }
    hosts.push(host);
    // Some read an IPv6 address with brackets, some without.
    hosts.extend((bare != host).then_some(bare));
    Some(hosts.join(","))
}

/// For a POSIX shell.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/+=@%".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{exempt_from_proxies, quoted};

    #[test]
    fn a_proxy_is_not_asked_for_this_machine() {
        let exempt = |url: &str, variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
            exempt_from_proxies(url, variable)
        };
        let (v4, proxy) = ("http://127.0.0.1:4566", ("HTTP_PROXY", "http://proxy:3128"));
        assert_eq!(exempt(v4, &[]), None);
        assert_eq!(exempt(v4, &[("http_proxy", "")]), None);
        assert_eq!(exempt(v4, &[proxy]).as_deref(), Some("127.0.0.1"));
        assert_eq!(exempt(v4, &[("all_proxy", "socks5://proxy")]).as_deref(), Some("127.0.0.1"));
        assert_eq!(exempt("http://[::1]:4566", &[proxy]).as_deref(), Some("[::1],::1"));
        assert_eq!(exempt(v4, &[proxy, ("NO_PROXY", "a.example, b")]).as_deref(), Some("a.example,b,127.0.0.1"));
        assert_eq!(exempt(v4, &[proxy, ("NO_PROXY", "*")]), None);
        assert_eq!(exempt(v4, &[proxy, ("NO_PROXY", "a"), ("no_proxy", "127.0.0.1")]), None);
    }

    #[test]
    fn values_survive_a_shell() {
        for value in ["http://[::1]:4566", "it's $HOME `x` \\ \"q\"", "", "a-b_c.d"] {
            let script = format!("printf %s {}", quoted(value));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }
}
