//! The two programs of the README side by side: the local service, and an agent that knows of it only by its
//! environment.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const API_KEY: &str = "sk-of-the-programs-test";

/// Built here, so that what runs is what the sources say, however this test was started.
fn programs() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--workspace"])
        .args(["--bin", "agentcore-identity-local", "--example", "agent"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .env("CARGO_TARGET_DIR", target)
        .status()
        .unwrap();
    assert!(status.success());
    target.join("debug")
}

struct Service {
    process: Child,
    exports: HashMap<String, String>,
}

impl Service {
    fn start(programs: &Path) -> Self {
        let mut process = Command::new(programs.join("agentcore-identity-local"))
            .args(["serve", "--port", "0", "--workload-identity", "my-agent", "--api-key", "openai=OPENAI_API_KEY"])
            .env_clear()
            .env("OPENAI_API_KEY", API_KEY)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut exports = HashMap::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            assert!(!line.contains(API_KEY), "{line}");
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
                exports.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            }
            if exports.contains_key("AGENTCORE_WORKLOAD_NAME") && exports.len() >= 6 {
                break;
            }
        }
        Self { process, exports }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn agent(programs: &Path, directory: &Path, environment: &HashMap<String, String>) -> Output {
    Command::new(programs.join("examples/agent"))
        .env_clear()
        // No AWS configuration of this machine, and no metadata service to ask for one.
        .env("HOME", directory)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_agent_finds_the_local_service_by_its_environment() {
    let programs = programs();
    let service = Service::start(&programs);
    let directory = tempfile::tempdir().unwrap();

    let output = agent(&programs, directory.path(), &service.exports);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains(&format!("an API key of {} characters", API_KEY.len())), "{stdout}");

    let mut nameless = service.exports.clone();
    nameless.remove("AGENTCORE_WORKLOAD_NAME");
    let error = stderr(&agent(&programs, directory.path(), &nameless));
    assert!(error.contains("set") && error.contains("AGENTCORE_WORKLOAD_NAME"), "{error}");

    let file = r#"{"workload_identity_name": "my-agent", "user_id": "ada"}"#;
    std::fs::write(directory.path().join(".agentcore.json"), file).unwrap();
    assert!(agent(&programs, directory.path(), &nameless).status.success());
}

#[test]
fn an_agent_without_aws_configuration_is_told_what_is_missing() {
    let programs = programs();
    let directory = tempfile::tempdir().unwrap();
    let mut environment = HashMap::from([("AGENTCORE_WORKLOAD_NAME".to_owned(), "my-agent".to_owned())]);

    let error = stderr(&agent(&programs, directory.path(), &environment));
    assert!(error.contains("no AWS Region") && error.contains("AWS_REGION"), "{error}");

    environment.insert("AWS_REGION".into(), "us-east-1".into());
    let error = stderr(&agent(&programs, directory.path(), &environment));
    assert!(error.contains("AWS credentials of this process could not be loaded"), "{error}");
}
