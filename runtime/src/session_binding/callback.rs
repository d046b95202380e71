use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use super::identity::same_user;
use super::page::Page;
use crate::binding::{DynPendingStore, PendingRecord, Record, key};
use crate::digest::Digest;
use crate::error::Cause;
use crate::{Error, IdentityClient, UserIdentifier, limits};

type BoxError = Box<dyn StdError + Send + Sync>;

/// How long the user has to reload the page when the service did not answer.
const TIME_TO_RELOAD: Duration = Duration::from_mins(1);

/// What says who is logged in: `Option<UserIdentifier>`, where `None` is nobody, or a `Result` of that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who is signed in",
    label = "not an `Option<UserIdentifier>`",
    note = "return `Option<UserIdentifier>` or `Result<Option<UserIdentifier>, E>`, where `None` is nobody"
)]
pub trait SignedIn: Send {
    /// Who it is.
    ///
    /// # Errors
    ///
    /// Nobody can say at the moment. The person is asked to reload the page.
    fn user(self) -> Result<Option<UserIdentifier>, BoxError>;
}

impl SignedIn for Option<UserIdentifier> {
    fn user(self) -> Result<Self, BoxError> {
        Ok(self)
    }
}

impl<E: Into<BoxError> + Send> SignedIn for Result<Option<UserIdentifier>, E> {
    fn user(self) -> Result<Option<UserIdentifier>, BoxError> {
        self.map_err(Into::into)
    }
}

/// What answers at the application's callback URL.
///
/// `signed_in` gets the request without its body and says who is logged in to the application in that browser: from its
/// session cookie, or from an extension that a middleware has put there. It has to say so in the way that the
/// [`RequestContext`](crate::RequestContext) of the agent's call did, with a user id or with a JWT that the application
/// has verified; a JWT that was renewed since will do. Only for the user that the authorization was started for is it
/// completed, once, and if the browser brings the right `state`. In another user's browser it ends, and the calls that
/// wait for it in this process fail with [`Error::AuthorizationFailed`]; those in another process wait until their
/// deadline. Everybody reads what to do.
///
/// `client` has to be the one that the agent's calls use, or a clone of it; or both have to share a `pending_store`.
///
/// The client keeps its authorizations for this: in the
/// [`pending_store`](crate::IdentityClientBuilder::pending_store) it was built with, else in memory from now on. An
/// application of several replicas needs a store that they share.
///
/// ```
/// use agentcore_identity::{IdentityClient, UserIdentifier, session_binding};
/// use axum::http::request::Parts;
///
/// # struct Session;
/// # impl Session { fn user_id(&self) -> String { todo!() } }
/// async fn signed_in(request: Parts) -> Option<UserIdentifier> {
///     let session: &Session = request.extensions.get()?;
///     Some(UserIdentifier::UserId(session.user_id()))
/// }
///
/// # fn app(client: &IdentityClient) -> axum::Router {
/// axum::Router::new().route("/oauth2/callback", session_binding::callback(client, signed_in))
/// # }
/// ```
pub fn callback<S, F, R>(client: &IdentityClient, signed_in: F) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    F: Fn(Parts) -> R + Send + Sync + 'static,
    R: Future<Output: SignedIn> + Send + 'static,
{
    let callback = Arc::new((Callback { store: client.keep_pending(), client: client.clone() }, signed_in));
    get(move |request: Request| {
        let callback = Arc::clone(&callback);
        async move { answer(&callback.0, &callback.1, request).await }
    })
}

async fn answer<F, R>(callback: &Callback, signed_in: &F, request: Request) -> Response
where
    F: Fn(Parts) -> R,
    R: Future<Output: SignedIn>,
{
    // A HEAD request is a preview of the link by something that is not the user.
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (parts, _) = request.into_parts();
    let open = match callback.open(parts.uri.query().unwrap_or_default()).await {
        Ok(open) => open,
        Err(page) => return page.into_response(),
    };
    let page = match signed_in(parts).await.user() {
        Ok(Some(user)) => callback.complete_anyway(open, user).await,
        Ok(None) => Page::NotSignedIn,
        Err(error) => {
            tracing::error!(error = &*error as &dyn StdError, "nobody can say who is signed in");
            Page::TryAgain
        }
    };
    page.into_response()
}

#[derive(Clone)]
struct Callback {
    client: IdentityClient,
    store: Arc<dyn DynPendingStore>,
}

/// An authorization whose browser is back.
struct Open {
    session_uri: String,
    key: String,
    record: Record,
}

impl Callback {
    /// The authorization that the query is about.
    async fn open(&self, query: &str) -> Result<Open, Page> {
        let [session_uri, state] = ["session_id", "state"].map(|name| only(query, name));
        let (Ok(Some(session_uri)), Ok(state)) = (session_uri, state) else { return Err(Page::Incomplete) };
        if limits::session_uri_violation(&session_uri).is_some() {
            return Err(Page::Incomplete);
        }
        let key = key(&session_uri);
        let kept = self.store.get(&key).await.map_err(|error| store_failed(&*error))?;
        let record = kept.as_ref().and_then(Record::open).ok_or(Page::Unknown)?;
        // By digest, so that how long it takes tells nothing about how much of it is right.
        let digest = |state: &String| Digest::of("state", state);
        if record.state.is_some() && record.state.as_ref().map(digest) != state.as_ref().map(digest) {
            tracing::warn!(provider = record.provider, "refused a callback with another `state`");
            return Err(Page::OtherState);
        }
        Ok(Open { session_uri, key, record })
    }

    /// Completes it in a task of its own: a browser that reloads drops the future that answers it, and what was taken
    /// from the store would be lost.
    async fn complete_anyway(&self, open: Open, present: UserIdentifier) -> Page {
        let callback = self.clone();
        let completion = async move { callback.complete(open, present).await };
        tokio::spawn(completion.in_current_span().with_current_subscriber()).await.unwrap_or_else(|error| {
            // Without the text of the panic, which may quote anything.
            tracing::error!(panicked = error.is_panic(), "the task that completes an authorization is gone");
            Page::TryAgain
        })
    }

    async fn complete(&self, open: Open, present: UserIdentifier) -> Page {
        let Open { session_uri, key, record: Record { provider, user: asked, .. } } = open;
        let taken = match self.store.take(&key).await {
            Ok(Some(taken)) => taken,
            Ok(None) => return Page::Unknown,
            Err(error) => return store_failed(&*error),
        };
        // For good: the consent is another user's, and who sent them the link could come next and take it.
        if asked.as_ref().is_some_and(|asked| !same_user(asked, &present)) {
            tracing::warn!(provider, "refused a callback in the browser of another user");
            let reason = format!(
                "the link to grant access through the credential provider `{provider}` was opened in another user's \
                 browser: call again for a new link"
            );
            self.client.authorizations().fail(&key, Error::authorization_failed(reason, Cause::default()));
            return Page::OtherUser;
        }
        // Where nobody said whom the workload access token was made for, the service knows and compares.
        match self.client.complete_authorization(&session_uri, asked.unwrap_or(present)).await {
            Ok(()) => Page::Granted { provider },
            Err(error) => {
                tracing::warn!(provider, outcome = error.kind(), "an authorization could not be completed");
                if error.is_retryable() { self.put_back(&key, taken).await } else { Page::Failed }
            }
        }
    }

    async fn put_back(&self, key: &str, record: PendingRecord) -> Page {
        match self.store.put(key, record, TIME_TO_RELOAD).await {
            Ok(()) => Page::TryAgain,
            Err(error) => {
                store_failed(&*error);
                Page::Failed
            }
        }
    }
}

fn store_failed(error: &(dyn StdError + Send + Sync + 'static)) -> Page {
    tracing::error!(error = error as &dyn StdError, "the store of pending authorizations failed");
    Page::TryAgain
}

/// The value of the parameter `name`, if it is there; an error if it is there twice.
fn only(query: &str, name: &str) -> Result<Option<String>, ()> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { Err(()) } else { Ok(value.map(Into::into)) }
}
