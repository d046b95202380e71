//! The program as a user meets it.

#[path = "support/program.rs"]
mod program;
mod support;

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use program::{Program, command, failure};
use serde_json::json;
use support::Client;

fn serve(arguments: &[&str]) -> Command {
    command(&[&["serve", "--port", "0"], arguments].concat())
}

fn usage_error(command: &mut Command) -> String {
    let (code, error) = failure(command);
    assert_eq!(code, 2, "{error}");
    assert!(error.starts_with("error: ") && error.trim_end().lines().count() == 1, "{error}");
    error
}

#[tokio::test]
async fn it_serves_what_it_was_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    fs::write(&file, "sk-from-a-file\n").unwrap();
    let from_file = format!("anthropic={}", file.display());
    let return_url = "http://localhost:8081/callback?agent=1";
    let workload_and_url = format!("my-agent={return_url}");
    let mut command = serve(&[
        "--workload-identity",
        "my-agent",
        "--api-key",
        "openai=OPENAI_API_KEY",
        "--api-key-file",
        &from_file,
        "--oauth2-provider",
        "github",
        "--return-url",
        &workload_and_url,
        "--region",
        "eu-central-1",
    ]);
    command.env("OPENAI_API_KEY", "sk-from-the-environment");
    let program = Program::start(command);
    let announcement = &program.announcement;
    assert!(announcement.contains("export AGENTCORE_WORKLOAD_NAME=my-agent\n"), "{announcement}");
    assert!(announcement.lines().all(|line| line.starts_with("# ") || line.starts_with("export ")), "{announcement}");
    assert!(!announcement.contains("sk-from"), "{announcement}");
    let page = "# In a browser, that address shows providers, open authorizations and the last calls.\n";
    assert!(announcement.contains(page), "{announcement}");

    let client = Client::of_exports(announcement);
    assert_eq!(client.region, "eu-central-1");
    let token = client.token().await;
    assert_eq!(client.api_key(&token).await.json(), json!({ "apiKey": "sk-from-the-environment" }));
    let input = json!({ "workloadIdentityToken": token, "resourceCredentialProviderName": "anthropic" });
    assert_eq!(client.call("GetResourceApiKey", input).await.json(), json!({ "apiKey": "sk-from-a-file" }));
    let identity = client.call("GetWorkloadIdentity", json!({ "name": "my-agent" })).await.json();
    assert_eq!(identity["allowedResourceOauth2ReturnUrls"], json!([return_url]));
    let provider = client.call("GetOauth2CredentialProvider", json!({ "name": "github" })).await.json();
    assert_eq!(provider["credentialProviderVendor"], "CustomOauth2");
}

#[tokio::test]
async fn signals_stop_it_gracefully() {
    // Under nohup, these tests and the program ignore SIGHUP.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let hangup = ignored.is_some_and(|mask| mask.ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e'])).then_some("HUP");
    for signal in ["INT", "TERM"].into_iter().chain(hangup) {
        let program = Program::serve(&[]);
        let client = Client::of_exports(&program.announcement);
        assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
        let (status, error) = program.signal(signal);
        assert_eq!(status.code(), Some(0), "{error}");
        assert!(error.contains("GetTokenVault") && error.ends_with("stopped\n"), "{error}");
    }
}

#[tokio::test]
async fn a_second_ctrl_c_does_not_wait_for_calls() {
    let mut program = Program::serve(&[]);
    let _call = Client::of_exports(&program.announcement).begin("/identities/get-token-vault", b"{}").await;
    program.send("INT");
    program.says("stopping; Ctrl-C again");
    let (status, error) = program.signal("INT");
    assert_eq!(status.code(), Some(0), "{error}");
    assert!(error.contains("stopped at once\n"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_that_is_to_outlive_its_terminal_does() {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" serve --port 0", env!("CARGO_BIN_EXE_agentcore-identity-local")]);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = Program::start(command);
    let client = Client::of_exports(&program.announcement);
    program.send("HUP");
    for _ in 0..10 {
        assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
    }
    assert_eq!(program.signal("TERM").0.code(), Some(0));
}

#[tokio::test]
async fn it_serves_on_when_nobody_reads_its_log() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = serve(&["--log", "debug", "--allow-remote"]);
    command.stderr(writer);
    let program = Program::start(command);
    let client = Client::of_exports(&program.announcement);
    assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
    assert_eq!(client.plain("GET", "/", &[("origin", "null")], "").await.status, 403);
    assert_eq!(program.signal("TERM").0.code(), Some(0));
}

#[tokio::test]
async fn credentials_can_be_chosen() {
    let mut command = serve(&[]);
    command.env("AGENTCORE_LOCAL_ACCESS_KEY_ID", "LOCALCHOSEN000000000");
    command.env("AGENTCORE_LOCAL_SECRET_ACCESS_KEY", "it's-a-chosen-secret");
    let program = Program::start(command);
    let exports = &program.announcement;
    assert!(exports.contains("export AWS_ACCESS_KEY_ID=LOCALCHOSEN000000000\n"), "{exports}");
    assert!(exports.contains(r"export AWS_SECRET_ACCESS_KEY='it'\''s-a-chosen-secret'"), "{exports}");
    let client = Client { secret_access_key: "it's-a-chosen-secret".into(), ..Client::of_exports(exports) };
    assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);

    let mut half = serve(&[]);
    half.env("AGENTCORE_LOCAL_ACCESS_KEY_ID", "LOCALCHOSEN000000000");
    assert!(usage_error(&mut half).contains("or neither"));
}

#[tokio::test]
async fn it_reads_nothing_of_aws() {
    let mut command = serve(&[]);
    command.env("AWS_REGION", "ap-south-1").env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "x");
    let program = Program::start(command);
    assert!(program.announcement.contains("export AWS_REGION=us-east-1\n"));
    assert!(!program.announcement.contains("AKIDEXAMPLE"));
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let (code, error) = failure(&mut command(&["serve", "--port", &port]));
    assert_eq!(code, 1);
    assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}")) && error.contains("--port"), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_announcement_that_cannot_be_written_is_named() {
    let mut command = serve(&[]);
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let (code, error) = failure(command.arg("--log").arg("error"));
    assert_eq!(code, 1);
    assert!(error.starts_with("error: cannot write to standard output: No space left"), "{error}");
}

#[test]
fn a_bad_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    fs::write(&file, "").unwrap();
    let (code, error) = failure(&mut serve(&["--data", file.to_str().unwrap()]));
    assert_eq!((code, error), (1, format!("error: {}: is not a directory\n", file.display())));

    let data = directory.path().join("data");
    let held = Program::serve(&["--data", data.to_str().unwrap()]);
    let (code, error) = failure(&mut serve(&["--data", data.to_str().unwrap()]));
    assert_eq!(code, 1);
    assert!(error.contains("serves from this directory; shut that one down"), "{error}");
    held.kill();

    fs::write(data.join("identity.redb"), "this is no database").unwrap();
    let (code, error) = failure(&mut serve(&["--data", data.to_str().unwrap()]));
    assert_eq!(code, 1);
    assert!(error.contains("identity.redb: ") && error.trim_end().lines().count() == 1, "{error}");
}

#[test]
fn a_key_on_the_command_line_is_refused_without_an_echo() {
    for argument in ["openai=sk-secret-0001", "sk-secret-0001", "sk-secret-0001=", "openai=secret_0001_like_a_name"] {
        let error = usage_error(&mut serve(&["--api-key", argument]));
        assert!(error.contains("--api-key") && error.contains("never") | error.contains("Never"), "{error}");
        assert!(!error.contains("0001"), "{error}");
    }
    for argument in ["sk-secret-0001", "sk-secret-0001=", "sk-secret-0001==", "openai=sk-secret-0001"] {
        let error = usage_error(&mut serve(&["--api-key-file", argument]));
        assert!(error.contains("--api-key-file") && !error.contains("0001"), "{error}");
    }
    let error = usage_error(&mut serve(&["--api-key-file", "openai=/no/such/file"]));
    assert!(error.contains("argument number 1 names cannot be read: No such file"), "{error}");
}

#[test]
fn bad_values_are_named() {
    for (arguments, expected) in [
        (&["--host", "0.0.0.0"][..], "add --allow-remote"),
        (&["--region", "US"], "region \"US\""),
        (&["--account-id", "12"], "account id \"12\""),
        (&["--workload-identity", "x"], "workload identity \"x\""),
        (&["--return-url", "http://localhost:8081/"], "--return-url takes WORKLOAD=URL"),
        (&["--return-url", "my-agent=http://localhost:8081/"], "WorkloadIdentity \"my-agent\" was not found"),
        (
            &["--workload-identity", "my-agent", "--return-url", "my-agent=http://localhost:99999/"],
            "\"http://localhost:99999/\" is not a URL to which a browser can be sent back",
        ),
        (&["--oauth2-provider", "bad name"], "OAuth2 provider \"bad name\""),
        (&["--kms-key", "arn"], "--kms-key takes ARN=PEM_FILE"),
        (&["--kms-key", "arn=/no/such/file"], "argument number 1 names cannot be read: No such file"),
        (&["--trusted-issuer", "https://issuer"], "takes ISSUER=JWKS_FILE"),
        (&["--trusted-issuer", "https://issuer=/no/such/file"], "\"/no/such/file\": No such file"),
        (&["--workload-token-lifetime", "0"], "lifetime of zero"),
    ] {
        let error = usage_error(&mut serve(arguments));
        assert!(error.contains(expected), "{error}");
    }
    for (arguments, expected) in [
        (["--prot", "1"], "--port"),
        (["--port", "99999"], "from 0 to 65535"),
        (["--port", "-1"], "from 0 to 65535"),
        (["--port", "abc"], "from 0 to 65535"),
        (["--workload-token-lifetime", "-1"], "a whole number of seconds, at least 1"),
        (["--workload-token-lifetime", "1h"], "a whole number of seconds, at least 1"),
        (["--host", "example.com"], "expected an IP address"),
        (["--log", "loud"], "debug"),
    ] {
        let (code, error) = failure(command(&["serve"]).args(arguments));
        assert_eq!(code, 2);
        assert!(error.starts_with("error: ") && error.contains(arguments[0]) && error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn remote_callers_come_with_a_loud_warning() {
    let program = Program::serve(&["--host", "0.0.0.0", "--allow-remote"]);
    let client = Client::of_exports(&program.announcement);
    assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
    let (_, error) = program.signal("TERM");
    assert!(error.contains("WARNING: other machines can call this service"), "{error}");
}

#[tokio::test]
async fn this_machine_alone_is_no_remote_caller() {
    for arguments in [&["--allow-remote"][..], &["--host", "::ffff:127.0.0.1"]] {
        let program = Program::serve(arguments);
        let client = Client::of_exports(&program.announcement);
        assert_eq!(client.call("GetTokenVault", json!({})).await.status, 200);
        let mapped = format!("[::ffff:127.0.0.1]:{}", client.authority.rsplit(':').next().unwrap());
        assert_eq!(client.plain("GET", "/_local/health", &[("host", &mapped)], "").await.status, 200);
        let (_, error) = program.signal("TERM");
        assert!(!error.contains("WARNING"), "{error}");
    }
}

#[test]
fn help_explains() {
    let help = command(&["serve", "--help"]).output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for expected in ["Examples:", "--api-key <PROVIDER=ENV_VAR>", "[default: 4566]", "/_local/", "--data"] {
        assert!(text.contains(expected), "{text}");
    }
}
