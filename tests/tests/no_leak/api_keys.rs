//! API keys, and the workload tokens that they are fetched with.

use std::fmt::Write as _;
use std::time::Duration;

use agentcore_identity::{
    ApiKey, Error, IdentityClient, RequestContext, UserIdentifier, WorkloadToken, requires_api_key,
};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::{WORKLOAD, client, jwt, sdk_config, user_id};
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

use crate::{assert_hidden, assert_logged, log, print_error};

const FIRST_KEY: &str = "sk-first-4f1c09aa77";
const SECOND_KEY: &str = "sk-second-b7730d5299";

#[derive(Debug)]
enum AskError {
    Identity(Error),
    KeyRefused,
}

impl From<Error> for AskError {
    fn from(error: Error) -> Self {
        Self::Identity(error)
    }
}

impl AskError {
    fn is_key_refused(&self) -> bool {
        match self {
            Self::Identity(error) => panic!("{error}"),
            Self::KeyRefused => true,
        }
    }
}

/// An agent that logs its arguments: the injected one is not among them.
#[requires_api_key(provider = "openai", retry_if = AskError::is_key_refused)]
#[tracing::instrument(level = "trace", ret, err(Debug))]
async fn ask(prompt: &str, api_key: &ApiKey) -> Result<usize, AskError> {
    if api_key.expose() == FIRST_KEY { Err(AskError::KeyRefused) } else { Ok(prompt.len()) }
}

async fn fail(local: &LocalIdentity, client: &IdentityClient, out: &mut String, operation: Operation, fault: Fault) {
    local.fail_next(operation, 9, fault);
    print_error(&client.api_key("missing").await.unwrap_err(), out);
    local.clear_faults();
}

/// An endpoint that answers everything with this.
async fn answering(status: u16, code: Option<&'static str>, message: &'static str) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    let body = serde_json::json!({ "message": message }).to_string();
    let answer = move || std::future::ready((status, code.map(|code| [("x-amzn-errortype", code)]), body.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    endpoint
}

#[derive(Debug)]
struct Unreadable;

impl ProvideCredentials for Unreadable {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error("foreign-text Of3b71")))
    }
}

/// What others than the service say stays out of our own texts.
async fn foreign(local: &LocalIdentity, context: &RequestContext, printed: &mut String) {
    for (kind, status, code, message) in [
        ("AccessDenied", 403, Some("AccessDeniedException"), "is not authorized to perform: foreign-text:Of3b71 on it"),
        ("InvalidRequest", 418, Some("foreign-text Of3b71"), "of a teapot"),
        ("Unavailable", 502, None, "foreign-text Of3b71"),
        ("Configuration", 200, None, ""),
    ] {
        let endpoint = answering(status, code, message).await;
        let misled = IdentityClient::new(&sdk_config(local).into_builder().endpoint_url(endpoint).build());
        let error = context.scope(async { misled.api_key("openai").await }).await.unwrap_err();
        let own = format!("{error} {error:?} {error:#?}");
        assert!(own.contains(kind) && !own.contains("Of3b71"), "{own}");
        print_error(&error, printed);
    }
    let unsigned = SharedCredentialsProvider::new(Unreadable);
    let unsigned = IdentityClient::new(&sdk_config(local).into_builder().credentials_provider(unsigned).build());
    let error = context.scope(async { unsigned.api_key("openai").await }).await.unwrap_err();
    let own = format!("{error} {error:?} {error:#?}");
    assert!(own.contains("could not be loaded") && !own.contains("Of3b71"), "{own}");
    print_error(&error, printed);
}

#[tokio::test]
async fn no_secret_is_printed() {
    let log = log();
    let mut printed = String::new();

    let local =
        LocalIdentity::builder().workload_identity(WORKLOAD).api_key("openai", FIRST_KEY).start().await.unwrap();
    let client = client(&local);
    let user_token = jwt("ada@example.com", Duration::from_hours(1));
    let given_token = local.issue_workload_token(WORKLOAD, None).await.unwrap();
    let builder = || RequestContext::builder().workload_name(WORKLOAD).client(client.clone());
    let contexts = [
        builder().build(),
        builder().user(user_id("ada")).build(),
        builder().user(UserIdentifier::UserToken(user_token.as_str().into())).build(),
        builder().workload_token(given_token.as_str()).build(),
    ];
    writeln!(printed, "{local:?} {local:#?} {client:?} {client:#?}").unwrap();

    for context in &contexts {
        writeln!(printed, "{context:?} {context:#?}").unwrap();
        local.set_api_key("openai", FIRST_KEY).await.unwrap();
        context
            .scope(async {
                let key = client.api_key("openai").await.unwrap();
                writeln!(printed, "{key:?} {key:#?}").unwrap();
                local.set_api_key("openai", SECOND_KEY).await.unwrap();
                // The first run of the body is refused, the second has the new key.
                ask("hello").await.unwrap();

                for fault in [
                    Fault::Throttle,
                    Fault::InternalError,
                    Fault::AccessDenied,
                    Fault::DropConnection,
                    Fault::RejectToken,
                ] {
                    fail(&local, &client, &mut printed, Operation::GetResourceApiKey, fault).await;
                }
                print_error(&client.api_key("missing").await.unwrap_err(), &mut printed);
                print_error(&client.api_key("not a name").await.unwrap_err(), &mut printed);
            })
            .await;
    }

    let ended = jwt("bob@example.com", Duration::ZERO);
    let forged = format!("{}x", &given_token[..given_token.len() - 1]);
    for refused in [
        builder().user(UserIdentifier::UserToken(ended.as_str().into())).build(),
        builder().user(UserIdentifier::UserToken("no-jwt-but-secret".into())).build(),
        builder().user(user_id(&"u".repeat(129))).build(),
        builder().workload_token(forged.as_str()).build(),
        builder().workload_name("nobody").build(),
    ] {
        writeln!(printed, "{refused:?} {refused:#?}").unwrap();
        let error = refused.scope(async { client.api_key("openai").await }).await.unwrap_err();
        print_error(&error, &mut printed);
    }
    print_error(&client.api_key("openai").await.unwrap_err(), &mut printed);

    let hasty = TimeoutConfig::builder().operation_timeout(Duration::from_millis(1)).build();
    let hasty = IdentityClient::new(&sdk_config(&local).into_builder().timeout_config(hasty).build());
    local.fail_next(Operation::GetResourceApiKey, 1, Fault::Delay(Duration::from_hours(1)));
    print_error(&contexts[3].scope(async { hasty.api_key("openai").await }).await.unwrap_err(), &mut printed);

    // The AWS SDK's error for this quotes the whole request.
    for endpoint in ["not a url", "localhost:4566", "http://", "ftp://localhost", "http://127.0.0.1:1"] {
        let misled = IdentityClient::new(&sdk_config(&local).into_builder().endpoint_url(endpoint).build());
        for context in &contexts {
            let error = context.scope(async { misled.api_key("openai").await }).await.unwrap_err();
            print_error(&error, &mut printed);
        }
    }

    foreign(&local, &contexts[3], &mut printed).await;

    let panic = tokio::spawn(async { panic!("{:?}", (ApiKey::new(FIRST_KEY), WorkloadToken::new(SECOND_KEY))) });
    writeln!(printed, "{:?}", panic.await.unwrap_err()).unwrap();
    writeln!(printed, "{:?}", local.calls()).unwrap();

    let log = log.text();
    assert_logged(
        &log,
        ["fetch_credential", "TRACE ask", "aws_smithy_runtime", "aws_sigv4", "hyper_util", "agentcore_identity_local"],
    );
    let secret_access_key = local.secret_access_key();
    let secrets = [
        ("the first API key", FIRST_KEY),
        ("the second API key", SECOND_KEY),
        ("a workload token that was handed in", &given_token),
        ("a forged workload token", &forged),
        ("a user's JWT", &user_token),
        ("a JWT that ended", &ended),
        ("a malformed JWT", "no-jwt-but-secret"),
        ("the secret access key", secret_access_key),
        // As members of a body, however it is quoted: these hold the tokens that the client fetched.
        ("a request with a workload token", "workloadIdentityToken"),
        ("an answer with a workload token", "workloadAccessToken"),
    ];
    for (what, secret) in secrets {
        assert_hidden(what, secret, &log, &printed);
    }
}
