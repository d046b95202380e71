//! The main job, on your machine alone: an annotated function receives its API key from AgentCore Identity.
//!
//! It starts AgentCore Identity inside this process, with one API key in it, and calls it through the same AWS SDK
//! client that talks to the real service. Nothing of the machine's AWS configuration is read.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use agentcore_identity::{ApiKey, Error, IdentityClient, RequestContext, UserIdentifier, requires_api_key};
use agentcore_identity_local::{LocalIdentity, Operation};

/// The service that the agent calls; it accepts one key at a time.
struct Llm {
    accepted: Mutex<String>,
    refusals: AtomicUsize,
}

struct Agent {
    llm: Llm,
}

impl Agent {
    /// Asks the LLM. Callers pass the prompt; the key is filled in, and when the LLM refuses it, a fresh one is tried.
    #[requires_api_key(provider = "openai", retry_if = AskError::is_key_refused)]
    async fn ask(&self, prompt: &str, api_key: &ApiKey) -> Result<Answer, AskError> {
        self.llm.answer(prompt, api_key)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let first_key = "sk-demo-4f1c09aa";
    let local =
        LocalIdentity::builder().workload_identity("quickstart-agent").api_key("openai", first_key).start().await?;
    let agent = Agent { llm: Llm { accepted: Mutex::new(first_key.into()), refusals: AtomicUsize::new(0) } };

    println!("AgentCore Identity runs inside this process, at {}.", local.endpoint_url());
    println!("Its vault holds an API key for the credential provider `openai`.");
    println!("The agent `quickstart-agent` works for the user `ada`, and needs that key to ask its LLM.\n");

    let context = RequestContext::builder()
        .workload_name("quickstart-agent")
        .user(UserIdentifier::UserId("ada".into()))
        .client(IdentityClient::new(&local.sdk_config()))
        .build();
    let account = Account { local: &local, agent: &agent };

    context
        .scope(async {
            account.of_a_call("What is a vault?").await?;
            account.of_a_call("And who may open it?").await?;

            let second_key = "sk-demo-b7730d52";
            local.set_api_key("openai", second_key).await?;
            *agent.llm.accepted.lock().unwrap() = second_key.into();
            println!("The key is rotated: the vault has a new one, and the LLM refuses the old one.\n");

            account.of_a_call("Did you notice?").await
        })
        .await?;

    println!("`ask` has no key in its signature, and no caller ever held one.");
    Ok(())
}

/// Tells what happened in a call, from what the local service saw of it.
struct Account<'a> {
    local: &'a LocalIdentity,
    agent: &'a Agent,
}

impl Account<'_> {
    async fn of_a_call(&self, prompt: &str) -> Result<(), Box<dyn StdError>> {
        let seen = || {
            let refusals = self.agent.llm.refusals.load(Ordering::Relaxed);
            (self.local.call_count(Operation::GetResourceApiKey), refusals)
        };
        let before = seen();
        let start = Instant::now();
        let answer = self.agent.ask(prompt).await?;
        let took = start.elapsed();

        let after = seen();
        let origin = match (after.0 - before.0, after.1 - before.1) {
            (0, _) => "from the cache",
            (_, 0) => "from the service",
            _ => "from the service, after the LLM refused the cached one",
        };
        println!("  ada asks    {prompt}");
        println!("  the LLM     {}", answer.text);
        println!("  key         {}, {origin}", answer.masked_key);
        println!("  took        {}\n", Took(took));
        Ok(())
    }
}

struct Answer {
    text: String,
    masked_key: String,
}

impl Llm {
    fn answer(&self, prompt: &str, key: &ApiKey) -> Result<Answer, AskError> {
        if key.expose() != *self.accepted.lock().unwrap() {
            self.refusals.fetch_add(1, Ordering::Relaxed);
            return Err(AskError::KeyRefused);
        }
        Ok(Answer { text: format!("I heard {} words.", prompt.split(' ').count()), masked_key: mask(key) })
    }
}

fn mask(key: &ApiKey) -> String {
    let (hidden, shown) = key.expose().split_at(key.expose().len() - 4);
    format!("{}{shown}", "•".repeat(hidden.len()))
}

struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_micros() {
            micros @ 0..1_000 => write!(f, "{micros} µs"),
            micros => write!(f, "{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        }
    }
}

#[derive(Debug)]
enum AskError {
    Identity(Error),
    KeyRefused,
}

impl AskError {
    fn is_key_refused(&self) -> bool {
        matches!(self, Self::KeyRefused)
    }
}

impl From<Error> for AskError {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(error) => error.fmt(f),
            Self::KeyRefused => f.write_str("the LLM refuses the API key"),
        }
    }
}

impl StdError for AskError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            // Its own text is this one's already.
            Self::Identity(error) => error.source(),
            Self::KeyRefused => None,
        }
    }
}
