//! The build time of a crate with 500 annotated functions against one with the same functions written by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use agentcore_identity_tests::bench::{Ratio, report};

const FUNCTIONS: usize = 500;
const ROUNDS: usize = 7;

fn annotated(n: usize) -> String {
    format!(
        "#[requires_api_key(provider = \"openai\", client = client)]\n\
         pub async fn ask_{n}(client: &IdentityClient, prompt: &str, api_key: ApiKey) -> Result<String, Error> {{\n\
         \x20   Ok(format!(\"{{prompt}} {{}} {n}\", api_key.expose().len()))\n}}\n"
    )
}

fn by_hand(n: usize) -> String {
    format!(
        "pub async fn ask_{n}(client: &IdentityClient, prompt: &str) -> Result<String, Error> {{\n\
         \x20   let api_key: ApiKey = client.api_key(\"openai\").await?;\n\
         \x20   Ok(format!(\"{{prompt}} {{}} {n}\", api_key.expose().len()))\n}}\n"
    )
}

struct Package {
    source: PathBuf,
    text: String,
    name: &'static str,
}

impl Package {
    fn new(root: &Path, name: &'static str, imports: &str, function: fn(usize) -> String) -> Self {
        let source = root.join(name).join("src/lib.rs");
        fs::create_dir_all(source.parent().unwrap()).unwrap();
        fs::write(
            root.join(name).join("Cargo.toml"),
            format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nagentcore-identity = {{ path = \"{}\" }}\n",
                workspace().join("runtime").display()
            ),
        )
        .unwrap();
        let mut text = format!("use agentcore_identity::{imports};\n");
        for n in 0..FUNCTIONS {
            text.write_str(&function(n)).unwrap();
        }
        fs::write(&source, &text).unwrap();
        Self { source, text, name }
    }

    /// Builds this package alone; what it depends on is built already.
    fn build(&self, root: &Path, round: usize) -> Duration {
        fs::write(&self.source, format!("{}// {round}\n", self.text)).unwrap();
        let start = Instant::now();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline", "--package", self.name])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", root.join("target"))
            // All of it each time, and not what changed since the last.
            .env("CARGO_INCREMENTAL", "0")
            .status()
            .unwrap();
        assert!(status.success(), "{} does not build", self.name);
        start.elapsed()
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn main() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-time");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"annotated\", \"by-hand\"]\n")
        .unwrap();
    // The same versions as the workspace, so that everything is at hand offline.
    fs::copy(workspace().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let subject = Package::new(&root, "annotated", "{ApiKey, Error, IdentityClient, requires_api_key}", annotated);
    let reference = Package::new(&root, "by-hand", "{ApiKey, Error, IdentityClient}", by_hand);
    subject.build(&root, 0);
    reference.build(&root, 0);

    let rounds: Vec<_> =
        (1..=ROUNDS).map(|round| (subject.build(&root, round), reference.build(&root, round))).collect();
    let name = format!("build of {FUNCTIONS} annotated functions / of the same by hand");
    report(&name, &Ratio::of_rounds(&rounds), 1.2);
}
