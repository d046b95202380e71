//! A web application whose agent works for the users that are signed in to it, with the session binding of the library
//! at `/callback`. A test drives it with browsers. Its client is configured by the environment; it prints its URL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentcore_identity::{
    AccessToken, AuthFlow, Error, IdentityClient, PendingAuthorization, Polling, RequestContext, UserIdentifier,
    session_binding,
};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Application {
    client: IdentityClient,
    callback_url: String,
    /// The agent's work for each user.
    work: Mutex<HashMap<String, JoinHandle<Result<AccessToken, Error>>>>,
}

/// Signs in whoever says a name.
async fn sign_in(Path(user): Path<String>) -> impl IntoResponse {
    ([(SET_COOKIE, format!("user={user}; Path=/; HttpOnly; SameSite=Lax"))], format!("Signed in: {user}"))
}

async fn signed_in(request: Parts) -> Option<UserIdentifier> {
    let cookies = request.headers.get(COOKIE)?.to_str().ok()?;
    let user = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("user="))?;
    Some(UserIdentifier::UserId(user.to_owned()))
}

/// Sends the agent to work for a user. Answers the link with which they consent.
async fn ask(State(application): State<Arc<Application>>, Path(user): Path<String>) -> String {
    let (send, link) = oneshot::channel();
    let send = Mutex::new(Some(send));
    let show = move |authorization: PendingAuthorization| {
        let send = send.lock().expect("no panic while it is held").take();
        if let Some(send) = send {
            // Gone, if whoever asked is.
            let _ = send.send(authorization.url().to_owned());
        }
    };
    let context = RequestContext::builder()
        .workload_name("my-agent")
        .user(UserIdentifier::UserId(user.clone()))
        .callback_url(&application.callback_url)
        .build();
    let client = application.client.clone();
    let work = tokio::spawn(context.scope(async move {
        client.access_token("idp").scopes(["profile"]).auth_flow(AuthFlow::UserFederation).on_auth_url(show).await
    }));
    application.work.lock().expect("no panic while it is held").insert(user, work);
    link.await.unwrap_or_default()
}

/// How the work for a user ended.
async fn outcome(State(application): State<Arc<Application>>, Path(user): Path<String>) -> String {
    let work = application.work.lock().expect("no panic while it is held").remove(&user);
    match work.expect("the agent was sent to work").await.expect("its work does not panic") {
        Ok(token) => token.expose().to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let polling = Polling::default().interval(Duration::from_millis(100)).timeout(Duration::from_secs(20));
    let client = IdentityClient::builder().polling(polling).build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let callback = session_binding::callback(&client, signed_in);
    let application = Application { client, callback_url: format!("{url}/callback"), work: Mutex::default() };
    let router = Router::new()
        .route("/sign-in/{user}", get(sign_in))
        .route("/ask/{user}", get(ask))
        .route("/outcome/{user}", get(outcome))
        .route("/callback", callback)
        .with_state(Arc::new(application));
    println!("{url}");
    axum::serve(listener, router).await?;
    Ok(())
}
