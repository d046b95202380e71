//! Access tokens, and all that is on the way to them: users' JWTs, sessions, links, states, codes and client secrets.

use std::fmt::{Debug, Write as _};
use std::time::Duration;

use agentcore_identity::session_binding::LoopbackListener;
use agentcore_identity::{
    AccessToken, AuthFlow, Error, MemoryStore, PendingAuthorization, PendingRecord, Polling, UserIdentifier,
    WorkloadToken, requires_access_token, requires_iam_access_token, requires_workload_token,
};
use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::browser::{Browser, with_parameter};
use agentcore_identity_tests::control::{CLIENT_SECRET, oauth2_provider_at};
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, user_id};
use axum::http::HeaderMap;

use crate::{assert_hidden, assert_logged, log, print_error};

const STATE: &str = "state-of-the-application-83c1";
const PARAMETER: &str = "parameter-of-the-tenant-11fe";
const INJECTED: &str = "code-of-somebody-else-97b4";
const TOO_LONG: &str = "state-that-is-too-long-6d20";

#[requires_access_token(provider = provider, scopes = ["repo"], auth_flow = flow)]
#[tracing::instrument(level = "trace", err)]
async fn of_agent(provider: &str, flow: AuthFlow, access_token: &AccessToken) -> Result<String, Error> {
    Ok(access_token.expose().to_owned())
}

#[requires_access_token(
    provider = PROVIDER,
    scopes = [scope],
    auth_flow = "USER_FEDERATION",
    force_authentication = force,
    custom_state = STATE,
    custom_parameters = [("tenant", PARAMETER)],
)]
#[tracing::instrument(level = "trace", err)]
async fn of_user(scope: &'static str, force: bool, access_token: String) -> Result<Hidden, Error> {
    Ok(Hidden(access_token))
}

#[requires_iam_access_token(audience = "https://api.example", tags = [("tenant", "of the test")])]
async fn of_process(access_token: &AccessToken) -> Result<Hidden, Error> {
    Ok(Hidden(access_token.expose().to_owned()))
}

#[requires_workload_token]
async fn headers_of_next_hop(workload_token: &WorkloadToken) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    workload_token.set_header(&mut headers)?;
    Ok(headers)
}

/// What a function gives away of its credential is its own affair.
struct Hidden(String);

#[derive(Default)]
struct Findings {
    printed: String,
    secrets: Vec<(&'static str, String)>,
}

impl Findings {
    fn print(&mut self, value: &impl Debug) {
        writeln!(self.printed, "{value:?} {value:#?}").unwrap();
    }

    fn error(&mut self, error: &Error) {
        print_error(error, &mut self.printed);
    }

    fn secret(&mut self, what: &'static str, secret: &str) {
        self.secrets.push((what, secret.to_owned()));
    }

    fn authorization(&mut self, authorization: &PendingAuthorization) {
        self.print(authorization);
        let (_, query) = authorization.url().split_once('?').unwrap();
        let (_, session) = authorization.session_uri().rsplit_once(':').unwrap();
        self.secret("the query of a link", query);
        self.secret("a session", session);
    }
}

/// A user consents in their browser, and comes back to the listener.
async fn consent(stage: &Stage, found: &mut Findings) -> String {
    let listener = LoopbackListener::bind(&stage.client, user_id("ada"), 0).await.unwrap();
    stage.local.allow_return_url(WORKLOAD, listener.callback_url()).await.unwrap();
    let ada = stage.context().user(user_id("ada")).callback_url(listener.callback_url()).build();
    found.print(&listener);
    found.print(&ada);
    let call = stage.begin(&ada, of_user("repo", false)).await;
    let authorization = stage.link().await;
    found.authorization(&authorization);
    let mut browser = Browser::default();
    let answer = browser.allow(authorization.url(), "ada").await;
    let back = browser.open(&answer).await.location().to_owned();
    found.print(&browser.open(&with_parameter(&back, "state", "forged")).await);
    found.print(&browser.open(&back).await);
    found.print(&browser.open(&back).await);
    found.print(&browser.open(&answer).await);
    for secret in browser.secrets().filter(|secret| *secret != "forged") {
        found.secret("what the browser was given", secret);
    }
    for fault in [Fault::Throttle, Fault::InternalError, Fault::DropConnection] {
        stage.local.fail_next(Operation::GetResourceOauth2Token, 1, fault);
    }
    stage.time.pass(INTERVAL * 7).await;
    let Hidden(token) = stage.outcome(call).await.unwrap();
    found.secret("a user's token", &token);
    token
}

/// Each way in which a consent fails.
async fn failures(stage: &Stage, found: &mut Findings) {
    let begin = async |found: &mut Findings| {
        let call = stage.begin(&stage.user("bob"), of_user("mail", true)).await;
        let authorization = stage.link().await;
        found.authorization(&authorization);
        (call, authorization)
    };
    let (call, authorization) = begin(found).await;
    stage.local.deny_consent(authorization.url(), "bob").await.unwrap();
    stage.time.pass(INTERVAL).await;
    found.error(&stage.outcome(call).await.err().unwrap());

    let (call, authorization) = begin(found).await;
    let mut browser = Browser::default();
    let answer = browser.allow(authorization.url(), "bob").await;
    found.print(&browser.open(&with_parameter(&answer, "code", INJECTED)).await);
    stage.time.pass(INTERVAL).await;
    found.error(&stage.outcome(call).await.err().unwrap());

    let (call, authorization) = begin(found).await;
    stage.local.consent(authorization.url(), "bob").await.unwrap();
    let session = authorization.session_uri();
    for (session, user) in [(session, "ada"), (session, "bob"), ("urn:of-no-session", "bob")] {
        found.error(&stage.client.complete_authorization(session, user_id(user)).await.unwrap_err());
    }
    stage.time.pass(INTERVAL).await;
    found.error(&stage.outcome(call).await.err().unwrap());

    let (call, _) = begin(found).await;
    stage.local.advance_clock(Duration::from_mins(10));
    stage.time.pass(INTERVAL).await;
    found.error(&stage.outcome(call).await.err().unwrap());

    let (call, _) = begin(found).await;
    stage.time.pass(Duration::from_mins(10)).await;
    found.error(&stage.outcome(call).await.err().unwrap());

    for fault in [Fault::Throttle, Fault::InternalError, Fault::AccessDenied, Fault::DropConnection, Fault::RejectToken]
    {
        stage.local.fail_next(Operation::GetResourceOauth2Token, 2, fault);
        found.error(&stage.user("bob").scope(of_user("mail", true)).await.err().unwrap());
        stage.local.clear_faults();
        stage.local.fail_next(Operation::CompleteResourceTokenAuth, 1, fault);
        found.error(&stage.client.complete_authorization(session, user_id("bob")).await.unwrap_err());
    }

    let unasked = stage.context_without_handler().user(user_id("bob")).build();
    let error = unasked.scope(of_user("mail", true)).await.err().unwrap();
    found.error(&error);
    let Error::AuthorizationRequired(authorization) = error else { panic!("{error:?}") };
    found.authorization(&authorization);
}

/// What is refused before it is sent, and what is printed of it.
async fn requests(stage: &Stage, found: &mut Findings) {
    let ada = stage.user("ada");
    let request = || stage.client.access_token(PROVIDER).auth_flow(AuthFlow::UserFederation).scopes(["repo"]);
    for request in [
        request().custom_state(TOO_LONG.repeat(200)),
        request().custom_parameters([("tenant", TOO_LONG.repeat(100))]),
        request().custom_parameters([("tenant", PARAMETER), ("tenant", PARAMETER)]),
        request().callback_url(format!("app.example/callback?session={TOO_LONG}")),
        request().callback_url(format!("https://evil.example/callback?session={TOO_LONG}")),
    ] {
        found.print(&request);
        found.error(&ada.scope(request.into_future()).await.unwrap_err());
    }
    let iam = stage.client.iam_access_token(["https://api.example"]).tags([("tenant", format!("{TOO_LONG}\n"))]);
    found.print(&iam);
    found.error(&ada.scope(iam.into_future()).await.unwrap_err());
    found.print(&MemoryStore::default());
    found.print(&PendingRecord::new(TOO_LONG));
    found.print(&Polling::default());
    found.print(&AccessToken::new(TOO_LONG));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_printed() {
    let log = log();
    let stage = Stage::set().await;
    let mut found = Findings::default();
    let token = consent(&stage, &mut found).await;

    // The vault renews the token, then has to ask for another.
    stage.local.advance_clock(Duration::from_hours(2));
    stage.time.pass(Duration::from_hours(1)).await;
    let Hidden(refreshed) = stage.user("ada").scope(of_user("repo", false)).await.unwrap();
    assert_ne!(token, refreshed);
    found.secret("a refreshed token", &refreshed);
    stage.local.revoke_tokens(PROVIDER).await.unwrap();

    oauth2_provider_at(&stage.local, "custom", &format!("{}/idp", stage.local.endpoint_url())).await;
    oauth2_provider_at(&stage.local, "down", "http://127.0.0.1:9").await;
    let jwt = stage.local.user_jwt("ada").unwrap();
    let verified = stage.context().user(UserIdentifier::UserToken(jwt.as_str().into())).build();
    found.print(&verified);
    found.secret("a user's JWT", &jwt);
    for (provider, flow) in [("custom", AuthFlow::M2m), (PROVIDER, AuthFlow::OnBehalfOfTokenExchange)] {
        found.secret("an agent's token", &verified.scope(of_agent(provider, flow)).await.unwrap());
    }
    for (provider, flow) in [
        ("down", AuthFlow::M2m),
        ("down", AuthFlow::OnBehalfOfTokenExchange),
        ("custom", AuthFlow::OnBehalfOfTokenExchange),
        ("missing", AuthFlow::M2m),
    ] {
        found.error(&verified.scope(of_agent(provider, flow)).await.unwrap_err());
    }
    let Hidden(signed) = verified.scope(of_process()).await.unwrap();
    found.secret("a JWT of AWS STS", &signed);
    let headers = verified.scope(headers_of_next_hop()).await.unwrap();
    found.print(&headers);
    found.secret("a workload token", headers[WorkloadToken::HEADER].to_str().unwrap());

    failures(&stage, &mut found).await;
    requests(&stage, &mut found).await;
    found.print(&stage.client);
    found.print(&stage.local);
    found.print(&stage.local.calls());

    let log = log.text();
    assert_logged(
        &log,
        [
            "fetch_credential",
            "await_consent",
            "TRACE of_user",
            "refused a callback with another `state`",
            "an authorization failed",
            "no consent was given",
            "hyper_util",
        ],
    );
    found.secret("a client secret", CLIENT_SECRET);
    found.secret("a custom state", STATE);
    found.secret("a custom parameter", PARAMETER);
    found.secret("a refused value", TOO_LONG);
    found.secret("a code", INJECTED);
    // As a member of a body, however it is quoted.
    found.secret("a refresh token", "refresh_token\"");
    for (what, secret) in &found.secrets {
        assert_hidden(what, secret, &log, &found.printed);
    }
}
