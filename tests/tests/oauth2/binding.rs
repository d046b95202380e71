//! The browser that comes back, and the application that says whose it is.

use std::time::Duration;

use agentcore_identity::session_binding::{LoopbackListener, callback};
use agentcore_identity::{Error, UserIdentifier, requires_access_token};
use agentcore_identity_local::{Fault, Operation};
use agentcore_identity_tests::browser::Browser;
use agentcore_identity_tests::stage::{INTERVAL, PROVIDER, Stage};
use agentcore_identity_tests::{WORKLOAD, claims, jwt, user_id};
use axum::Router;
use axum::http::request::Parts;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[requires_access_token(provider = PROVIDER, scopes = ["repo"], auth_flow = "USER_FEDERATION")]
pub(crate) async fn repositories(access_token: String) -> Result<String, Error> {
    Ok(access_token)
}

/// An application that knows its users by a cookie.
pub(crate) struct Application {
    pub(crate) url: String,
    _server: JoinSet<()>,
}

impl Application {
    /// Serves the client's callback, which the service is told of.
    pub(crate) async fn serve(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oauth2/callback", listener.local_addr().unwrap());
        stage.local.allow_return_url(WORKLOAD, &url).await.unwrap();
        let router: Router = Router::new().route("/oauth2/callback", callback(&stage.client, signed_in));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, _server: server }
    }
}

async fn signed_in(request: Parts) -> Option<UserIdentifier> {
    let cookies = request.headers.get("cookie")?.to_str().ok()?;
    let user = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("user="))?;
    // A JWT has dots.
    Some(if user.contains('.') { UserIdentifier::UserToken(user.into()) } else { user_id(user) })
}

#[tokio::test(start_paused = true)]
async fn the_application_s_router_lets_the_agent_go_on() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let ada = stage.context().user(user_id("ada")).callback_url(&application.url).build();
    let call = stage.begin(&ada, repositories()).await;
    let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();
    assert!(back.starts_with(&application.url), "{back}");

    let mut browser = Browser::default();
    let page = browser.open(&back).await;
    assert_eq!((page.status, page.heading()), (403, "You are not signed in"));
    assert!(page.body.contains("reload"), "{}", page.body);

    let page = Browser::of("ada").open(&back).await;
    assert_eq!((page.status, page.heading()), (200, "Access granted"));
    assert!(page.body.contains("You can close this window"), "{}", page.body);
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 1);
}

/// The service compares JWTs to the letter; the application's session has a newer one by the time the user is back.
#[tokio::test(start_paused = true)]
async fn a_jwt_that_was_renewed_meanwhile_is_of_the_same_user() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let jwt = stage.local.user_jwt("ada").unwrap();
    let ada =
        stage.context().user(UserIdentifier::UserToken(jwt.as_str().into())).callback_url(&application.url).build();
    let call = stage.begin(&ada, repositories()).await;
    let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();

    let renewed = stage.local.user_jwt("ada").unwrap();
    assert_ne!(jwt, renewed);
    let page = Browser::of(&renewed).open(&back).await;
    assert_eq!((page.status, page.heading()), (200, "Access granted"));
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_jwt_of_somebody_else_is_not() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    // Another's, one of the same name from another issuer, and a name that nobody has verified.
    for other in [stage.local.user_jwt("bob").unwrap(), jwt("ada", Duration::from_hours(1)), "ada".to_owned()] {
        let ada = UserIdentifier::UserToken(stage.local.user_jwt("ada").unwrap().into());
        let context = stage.context().user(ada).callback_url(&application.url).build();
        let call = stage.begin(&context, repositories()).await;
        let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();
        let page = Browser::of(&other).open(&back).await;
        assert_eq!((page.status, page.heading()), (403, "This was asked of somebody else"));
        let error = stage.outcome(call).await.unwrap_err();
        assert!(error.to_string().contains("opened in another user's browser"), "{error}");
    }
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 0);
}

#[tokio::test(start_paused = true)]
async fn on_a_laptop_a_listener_does_it() {
    let stage = Stage::set().await;
    let listener = LoopbackListener::bind(&stage.client, user_id("ada"), 0).await.unwrap();
    stage.local.allow_return_url(WORKLOAD, listener.callback_url()).await.unwrap();
    let ada = stage.context().user(user_id("ada")).callback_url(listener.callback_url()).build();
    let call = stage.begin(&ada, repositories()).await;
    let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();
    let page = Browser::default().open(&back).await;
    assert_eq!((page.status, page.heading()), (200, "Access granted"));
    stage.time.pass(INTERVAL).await;
    assert_eq!(claims(&stage.outcome(call).await.unwrap())["sub"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_the_service_has_no_time_for_is_there_for_a_reload() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let ada = stage.context().user(user_id("ada")).callback_url(&application.url).build();
    let call = stage.begin(&ada, repositories()).await;
    let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();
    let mut browser = Browser::of("ada");
    for fault in [Fault::Throttle, Fault::InternalError, Fault::DropConnection] {
        stage.local.fail_next(Operation::CompleteResourceTokenAuth, 1, fault);
        let page = browser.open(&back).await;
        assert_eq!((page.status, page.heading()), (503, "That did not work yet"), "{fault:?}");
    }
    assert_eq!(browser.open(&back).await.heading(), "Access granted");
    stage.time.pass(INTERVAL).await;
    stage.outcome(call).await.unwrap();
}

/// Ten minutes after the link was made, neither the service nor the application knows of it.
#[tokio::test(start_paused = true)]
async fn a_browser_that_comes_too_late() {
    let stage = Stage::set().await;
    let application = Application::serve(&stage).await;
    let ada = stage.context().user(user_id("ada")).callback_url(&application.url).build();
    let call = stage.begin(&ada, repositories()).await;
    let back = stage.local.consent(stage.link().await.url(), "ada").await.unwrap();
    stage.time.pass(Duration::from_mins(10)).await;
    assert!(matches!(stage.outcome(call).await, Err(Error::AuthorizationTimedOut { .. })));
    let page = Browser::of("ada").open(&back).await;
    assert_eq!((page.status, page.heading()), (410, "This link is no longer valid"));
    assert!(page.body.contains("you will get a new link"), "{}", page.body);
    assert_eq!(stage.local.call_count(Operation::CompleteResourceTokenAuth), 0);
}
