use std::fmt;
use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::callback;
use crate::{Error, IdentityClient, UserIdentifier};

const PATH: &str = "/callback";

/// A callback URL on this machine, for a laptop with one user. It listens until it is dropped, on `127.0.0.1` alone.
///
/// ```no_run
/// # async fn example(client: agentcore_identity::IdentityClient) -> Result<(), agentcore_identity::Error> {
/// use agentcore_identity::session_binding::LoopbackListener;
/// use agentcore_identity::{RequestContext, UserIdentifier};
///
/// let user = UserIdentifier::UserId("ada".into());
/// let listener = LoopbackListener::bind(&client, user.clone(), 8081).await?;
/// let context = RequestContext::builder()
///     .client(client)
///     .workload_name("my-agent")
///     .user(user)
///     .callback_url(listener.callback_url())
///     .on_auth_url(|authorization| println!("open {}", authorization.url()))
///     .build();
/// # let _ = context; Ok(()) }
/// ```
pub struct LoopbackListener {
    callback_url: String,
    _server: JoinSet<()>,
}

impl LoopbackListener {
    /// Listens for the browser of `user`, the one that the [`RequestContext`](crate::RequestContext) names. On port 0,
    /// the system chooses one; but the service takes a callback URL only if it is among the workload identity's
    /// `allowedResourceOauth2ReturnUrls`, so it has to be known beforehand.
    ///
    /// `client` has to be the one that the agent's calls use, or a clone of it; or both have to share a
    /// `pending_store`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when the port is taken.
    pub async fn bind(client: &IdentityClient, user: UserIdentifier, port: u16) -> Result<Self, Error> {
        let runtime = crate::service::current_runtime()?;
        let failed = |error| Error::configuration(format!("cannot listen on port {port} of 127.0.0.1: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let signed_in = move |_| std::future::ready(Some(user.clone()));
        let router: Router = Router::new()
            .route(PATH, callback(client, signed_in))
            .layer(middleware::from_fn(move |request, next| for_this_machine(port, request, next)));
        let mut server = JoinSet::new();
        server.spawn_on(
            async move {
                // It ends with the listener, and an error of a single connection is not one of the server.
                let _ = axum::serve(listener, router).await;
            },
            &runtime,
        );
        Ok(Self { callback_url: format!("http://127.0.0.1:{port}{PATH}"), _server: server })
    }

    /// What the browser is sent back to: `http://127.0.0.1:<port>/callback`.
    #[must_use]
    pub fn callback_url(&self) -> &str {
        &self.callback_url
    }
}

impl fmt::Debug for LoopbackListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackListener").field("callback_url", &self.callback_url).finish_non_exhaustive()
    }
}

/// Refuses a request for a name that was made to resolve to this machine by somebody else.
async fn for_this_machine(port: u16, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}
