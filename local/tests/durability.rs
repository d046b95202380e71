//! Killed with `SIGKILL` at any moment, the program comes back with every write that it had answered.

#[path = "support/program.rs"]
mod program;
mod support;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use program::{Program, command};
use serde_json::{Value, json};
use support::Client;
use tokio::sync::Mutex;

const ROUNDS: usize = 8;
const WRITERS: usize = 4;

/// What the answers have promised so far: names and the return URL that was last confirmed, or `None` once deleted.
type Promised = Arc<Mutex<BTreeMap<String, Option<String>>>>;

/// Creates, updates and deletes identities of its own names until the service is gone. A write that got no answer may
/// or may not have happened, so its name is taken out of what is promised.
async fn write_until_killed(client: Client, writer: String, promised: Promised, answered: Arc<AtomicUsize>) {
    for number in 0.. {
        let name = format!("{writer}-{number}");
        let url = |step: &str| format!("https://{name}.example.com/{step}");
        let input = |step: &str| json!({ "name": name, "allowedResourceOauth2ReturnUrls": [url(step)] });
        let mut steps = vec![
            ("CreateWorkloadIdentity", input("created"), 201, Some(url("created"))),
            ("UpdateWorkloadIdentity", input("updated"), 200, Some(url("updated"))),
        ];
        if number % 3 == 0 {
            steps.push(("DeleteWorkloadIdentity", json!({ "name": name }), 204, None));
        }
        for (operation, input, status, state) in steps {
            let Ok(answer) = client.try_call(operation, input).await else {
                promised.lock().await.remove(&name);
                return;
            };
            assert_eq!(answer.status, status, "{operation} {name}: {answer:?}");
            promised.lock().await.insert(name.clone(), state);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn check(client: &Client, promised: &BTreeMap<String, Option<String>>) {
    for (name, state) in promised {
        let answer = client.call("GetWorkloadIdentity", json!({ "name": name })).await;
        match state {
            Some(url) => {
                assert_eq!(answer.status, 200, "{name} was answered and is gone");
                assert_eq!(answer.json()["allowedResourceOauth2ReturnUrls"], json!([url]), "{name}");
            }
            None => assert_eq!(answer.status, 404, "{name} was deleted and is back"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answered_write_survives_sigkill() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let serve = || Program::serve(&["--log", "error", "--data", data.to_str().unwrap()]);
    let promised = Promised::default();
    for round in 0..ROUNDS {
        let program = serve();
        let client = Client::of_exports(&program.announcement);
        check(&client, &*promised.lock().await).await;
        let answered = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let writer = format!("round-{round}-writer-{writer}");
                tokio::spawn(write_until_killed(client.clone(), writer, Arc::clone(&promised), Arc::clone(&answered)))
            })
            .collect();
        // A different number of writes in each round, and whatever moment of the next ones that falls on.
        let enough = 5 + round * 17;
        while answered.load(Ordering::Relaxed) < enough {
            assert!(!writers.iter().any(tokio::task::JoinHandle::is_finished), "a writer ended before the kill");
            tokio::task::yield_now().await;
        }
        program.kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let program = serve();
    let promised = promised.lock().await;
    assert!(promised.len() >= ROUNDS, "{} promises are too few to show anything", promised.len());
    check(&Client::of_exports(&program.announcement), &promised).await;
}

#[tokio::test]
async fn a_first_start_can_be_killed_at_any_step() {
    // In the order in which the first start makes them.
    let files = ["identity.lock", "vault.unfinished", "vault.key", "identity.unfinished", "identity.redb"];
    for (at, file) in files.iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let arguments = ["serve", "--port", "0", "--log", "error", "--data", data.to_str().unwrap()];
        let mut child = command(&arguments).stderr(Stdio::inherit()).spawn().unwrap();
        // A file that is there for a moment only may be missed, and the next one is as good a moment.
        while !files[at..].iter().any(|file| data.join(file).exists()) {
            assert_eq!(child.try_wait().unwrap(), None, "the program ended before it made {file}");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let program = Program::serve(&arguments[3..]);
        let client = Client::of_exports(&program.announcement);
        assert_eq!(client.call("CreateWorkloadIdentity", json!({ "name": "my-agent" })).await.status, 201, "{file}");
        assert!(!data.join("vault.unfinished").exists() && !data.join("identity.unfinished").exists(), "{file}");
    }
}

#[tokio::test]
async fn exports_and_keys_outlive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let arguments = ["--data", data.to_str().unwrap(), "--workload-identity", "my-agent"];
    let program = Program::serve(&arguments);
    let client = Client::of_exports(&program.announcement);
    let input = json!({ "name": "openai", "apiKey": "sk-under-lock-and-key" });
    assert_eq!(client.call("CreateApiKeyCredentialProvider", input).await.status, 201);
    let provider = json!({
        "name": "github",
        "credentialProviderVendor": "GithubOauth2",
        "oauth2ProviderConfigInput": { "githubOauth2ProviderConfig": { "clientId": "id", "clientSecret": "secret" } },
    });
    assert_eq!(client.call("CreateOauth2CredentialProvider", provider).await.status, 201);
    let described = client.call("GetOauth2CredentialProvider", json!({ "name": "github" })).await.json();
    let token = client.token().await;
    program.kill();

    let program = Program::serve(&arguments);
    let again = Client::of_exports(&program.announcement);
    let client = Client { authority: again.authority, ..client };
    assert_eq!(client.api_key(&token).await.json(), json!({ "apiKey": "sk-under-lock-and-key" }));
    let again = client.call("GetOauth2CredentialProvider", json!({ "name": "github" })).await.json();
    for member in ["oauth2ProviderConfigOutput", "clientSecretArn", "createdTime"] {
        assert_eq!(again[member], described[member], "{member}");
    }
    let id = |answer: &Value| answer["callbackUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(id(&again), id(&described), "what is registered at the vendor stays good");
}
