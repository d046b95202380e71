//! What the tests of this package share.

pub mod api;
pub mod bench;
pub mod browser;
pub mod control;
mod failure;
mod http;
pub mod stage;
pub mod time;
pub mod wire;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

pub use self::failure::Failure;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use agentcore_identity::{IdentityClient, RequestContext, UserIdentifier};
use agentcore_identity_local::LocalIdentity;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// The workload identity that [`local`] comes with.
pub const WORKLOAD: &str = "my-agent";

/// The API key that [`local`] holds for the provider `openai`.
pub const API_KEY: &str = "sk-local-0123456789";

/// Local AgentCore Identity with one workload identity and one API key.
///
/// # Panics
///
/// When it does not start.
pub async fn local() -> LocalIdentity {
    LocalIdentity::builder()
        .workload_identity(WORKLOAD)
        .api_key("openai", API_KEY)
        .start()
        .await
        .expect("the local service starts")
}

/// As an application would configure the AWS SDK, but with retries that do not wait.
#[must_use]
pub fn sdk_config(local: &LocalIdentity) -> SdkConfig {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    local.sdk_config().into_builder().retry_config(retries).build()
}

/// A client of `local`.
#[must_use]
pub fn client(local: &LocalIdentity) -> IdentityClient {
    IdentityClient::new(&sdk_config(local))
}

/// The context of an agent that fetches its own workload tokens, for nobody in particular.
#[must_use]
pub fn agent(local: &LocalIdentity) -> RequestContext {
    RequestContext::builder().workload_name(WORKLOAD).client(client(local)).build()
}

/// A user whom the application vouches for.
#[must_use]
pub fn user_id(id: &str) -> UserIdentifier {
    UserIdentifier::UserId(id.into())
}

/// A JWT for `subject` that ends `ends_in` from now. Nobody has signed it.
#[must_use]
pub fn jwt(subject: &str, ends_in: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let claims = serde_json::json!({"sub": subject, "iss": "https://idp.example", "exp": (now + ends_in).as_secs()});
    let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!("{}.{}.{}", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&claims.to_string()), encode("signature"))
}

/// What an access token of the local service's identity provider says, or another JWT.
///
/// # Panics
///
/// When it is no JWT.
#[must_use]
pub fn claims(token: &str) -> serde_json::Value {
    let claims = token.split('.').nth(1).expect("a JWT has three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("in base64url");
    serde_json::from_slice(&claims).expect("of JSON")
}

/// Log output, to look through afterwards.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Of the spans that end while the guard lives, at `DEBUG` and above, on this thread.
    #[must_use]
    pub fn of_spans() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// All that was written so far.
    ///
    /// # Panics
    ///
    /// When a writer panicked.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no writer panics")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
