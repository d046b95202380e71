use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::{LoopbackListener, callback};
use crate::scripted::{Reply, Scripted};
use crate::{AuthFlow, Error, IdentityClient, PendingRecord, PendingStore, RequestContext, UserIdentifier};

const SESSION: &str = "urn:ietf:params:oauth:request_uri:session-secret";

/// Whose users all have to consent, and where `complete` says how completing goes.
fn service(complete: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Scripted {
    let completions = AtomicUsize::new(0);
    Scripted::new(move |request| match request.path.as_str() {
        "token" => Reply::Json(json!({ "authorizationUrl": "https://idp.example", "sessionUri": SESSION })),
        "CompleteResourceTokenAuth" => complete(completions.fetch_add(1, Ordering::Relaxed)),
        _ => Reply::Json(json!({ "workloadAccessToken": "wat" })),
    })
}

fn completed(_: usize) -> Reply {
    Reply::Json(json!({}))
}

fn completions(service: &Scripted) -> Vec<serde_json::Value> {
    let requests = service.requests().into_iter();
    requests.filter(|request| request.path == "CompleteResourceTokenAuth").map(|request| request.body).collect()
}

/// The application's login: a header that says who it is.
async fn signed_in(request: Parts) -> Option<UserIdentifier> {
    let user = request.headers.get("user")?.to_str().ok()?.to_owned();
    Some(if user.contains('.') { UserIdentifier::UserToken(user.into()) } else { UserIdentifier::UserId(user) })
}

fn app(client: &IdentityClient) -> Router {
    Router::new().route("/callback", callback(client, signed_in))
}

/// Begins an authorization for `user` and gives the `state` that goes with it.
async fn begin(service: &Scripted, client: &IdentityClient, user: UserIdentifier) -> String {
    let context = RequestContext::builder().workload_name("my-agent").user(user).build();
    let request =
        client.access_token("github").auth_flow(AuthFlow::UserFederation).callback_url("https://app.example/callback");
    let error = context.scope(request.into_future()).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationRequired(_)), "{error}");
    service.requests().last().unwrap().text("customState").unwrap().to_owned()
}

fn ada() -> UserIdentifier {
    UserIdentifier::UserId("ada".into())
}

fn query(state: &str) -> String {
    format!("session_id={SESSION}&state={state}")
}

async fn visit(app: &Router, method: Method, query: &str, user: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(format!("/callback?{query}"));
    if let Some(user) = user {
        request = request.header("user", user);
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(!body.contains("secret") && !body.contains("<script"), "{body}");
    (status, body)
}

async fn get(app: &Router, query: &str, user: Option<&str>) -> StatusCode {
    visit(app, Method::GET, query, user).await.0
}

#[tokio::test(start_paused = true)]
async fn the_user_who_was_asked_completes_it_once() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    let (status, page) = visit(&app, Method::GET, &query, Some("ada")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("“github”") && page.contains("close this window"), "{page}");
    assert_eq!(completions(&service), [json!({ "sessionUri": SESSION, "userIdentifier": { "userId": "ada" } })]);

    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::GONE, "replayed");
    assert_eq!(completions(&service).len(), 1);
}

/// Mallory has sent the link to Ada, and knows all that is in it.
#[tokio::test(start_paused = true)]
async fn another_users_browser_ends_it_for_everybody() {
    for other in ["mallory", "a.b.c"] {
        let service = service(completed);
        let client = service.client();
        let app = app(&client);
        let query = query(&begin(&service, &client, ada()).await);
        let (status, page) = visit(&app, Method::GET, &query, Some(other)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{other:?}");
        assert!(page.contains("start again") && page.contains("close this window"), "{page}");
        assert!(!page.contains("ada") && !page.contains("mallory"), "{page}");
        assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::GONE);
        assert!(completions(&service).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_that_waits_hears_of_another_users_browser() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let context = RequestContext::builder().workload_name("my-agent").user(ada()).build();
    let request = client
        .access_token("github")
        .auth_flow(AuthFlow::UserFederation)
        .callback_url("https://app.example/callback")
        .on_auth_url(|_| ());
    let waiting = tokio::spawn(context.scope(request.into_future()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let state = service.requests().last().unwrap().text("customState").unwrap().to_owned();
    assert_eq!(get(&app, &query("forged"), Some("mallory")).await, StatusCode::FORBIDDEN);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished(), "who does not know the state ends nothing");

    let asked = service.requests().len();
    let before = tokio::time::Instant::now();
    assert_eq!(get(&app, &query(&state), Some("mallory")).await, StatusCode::FORBIDDEN);
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("another user's browser: call again"), "{error}");
    assert_eq!(before.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(service.requests().len(), asked, "and nobody polls");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_signed_in_can_still_do_so() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    let (status, page) = visit(&app, Method::GET, &query, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("reload"), "{page}");
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_forged_or_missing_state_is_refused() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let state = begin(&service, &client, ada()).await;
    for forged in [query("forged"), query(""), format!("session_id={SESSION}"), query(&state[1..])] {
        assert_eq!(get(&app, &forged, Some("ada")).await, StatusCode::FORBIDDEN, "{forged}");
    }
    assert!(completions(&service).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_none_of_ours_is_refused() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let state = begin(&service, &client, ada()).await;
    for (query, status) in [
        (String::new(), StatusCode::BAD_REQUEST),
        (format!("state={state}"), StatusCode::BAD_REQUEST),
        (format!("session_id=https://evil.example&state={state}"), StatusCode::BAD_REQUEST),
        (format!("session_id={SESSION}&session_id={SESSION}x&state={state}"), StatusCode::BAD_REQUEST),
        (format!("session_id={SESSION}&state={state}&state=x"), StatusCode::BAD_REQUEST),
        (format!("session_id={SESSION}x&state={state}"), StatusCode::GONE),
    ] {
        assert_eq!(get(&app, &query, Some("ada")).await, status, "{query}");
    }
    assert!(completions(&service).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_link_of_more_than_ten_minutes_ago_is_over() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    tokio::time::advance(Duration::from_mins(10)).await;
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_the_link_completes_nothing() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    for method in [Method::HEAD, Method::POST] {
        assert_eq!(visit(&app, method, &query, Some("ada")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(completions(&service).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_identifier_is_the_one_that_the_workload_token_was_made_from() {
    let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
    let (then, now) = (jwt(r#"{"iss":"i","sub":"ada","exp":1}"#), jwt(r#"{"iss":"i","sub":"ada","exp":2}"#));
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, UserIdentifier::UserToken(then.as_str().into())).await);
    assert_eq!(get(&app, &query, Some(&now)).await, StatusCode::OK);
    assert_eq!(completions(&service)[0]["userIdentifier"], json!({ "userToken": then }));
}

#[tokio::test(start_paused = true)]
async fn a_token_from_outside_leaves_the_comparison_to_the_service() {
    let service = service(completed);
    let client = service.client();
    let app = app(&client);
    let given = RequestContext::builder().workload_token("wat").callback_url("https://app.example/callback").build();
    let request = client.access_token("github").auth_flow(AuthFlow::UserFederation).custom_state("mine");
    given.scope(request.into_future()).await.unwrap_err();
    assert_eq!(get(&app, &query("mine"), Some("ada")).await, StatusCode::OK);
    assert_eq!(completions(&service)[0]["userIdentifier"], json!({ "userId": "ada" }));
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_of_the_service_can_be_reloaded() {
    let service = service(|n| match n {
        0 => Reply::Refused(429, "ThrottlingException", ""),
        _ => completed(n),
    });
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_does_not_wait_loses_nothing() {
    let service = service(|n| match n {
        0 => {
            let throttled = Reply::Refused(429, "ThrottlingException", "");
            Reply::After(Duration::from_secs(2), Box::new(throttled))
        }
        _ => completed(n),
    });
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    let visit = get(&app, &query, Some("ada"));
    assert!(tokio::time::timeout(Duration::from_secs(1), visit).await.is_err());
    assert_eq!(completions(&service).len(), 1, "under way");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_has_the_page_reloaded() {
    struct Broken(crate::MemoryStore, AtomicUsize);
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    impl PendingStore for Broken {
        async fn put(&self, key: &str, record: PendingRecord, life: Duration) -> Result<(), BoxError> {
            self.0.put(key, record, life).await
        }
        async fn get(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
            self.0.get(key).await
        }
        async fn take(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
            assert!(self.1.fetch_add(1, Ordering::Relaxed) > 0, "for the test");
            self.0.take(key).await
        }
    }
    let service = service(completed);
    let client = service.builder().pending_store(Broken(crate::MemoryStore::default(), AtomicUsize::new(0))).build();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_service_is_the_end() {
    let service = service(|_| Reply::Refused(400, "ValidationException", "session-secret of ada"));
    let client = service.client();
    let app = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::BAD_GATEWAY);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn an_application_that_cannot_say_who_it_is_loses_nothing() {
    let service = service(completed);
    let client = service.client();
    let broken =
        Router::new().route("/callback", callback(&client, |_| async { Err("no connection to the sessions") }));
    let working = app(&client);
    let query = query(&begin(&service, &client, ada()).await);
    assert_eq!(get(&broken, &query, None).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&working, &query, Some("ada")).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn replicas_share_a_store_and_its_faults_are_passing() {
    struct Flaky(crate::MemoryStore, AtomicUsize);
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    impl PendingStore for Flaky {
        async fn put(&self, key: &str, record: PendingRecord, life: Duration) -> Result<(), BoxError> {
            self.0.put(key, record, life).await
        }
        async fn get(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
            if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err("no connection to the store".into());
            }
            self.0.get(key).await
        }
        async fn take(&self, key: &str) -> Result<Option<PendingRecord>, BoxError> {
            self.0.take(key).await
        }
    }
    let service = service(completed);
    let store = Arc::new(Flaky(crate::MemoryStore::default(), AtomicUsize::new(0)));
    let began = service.builder().pending_store(Arc::clone(&store)).build();
    let answers = service.builder().pending_store(store).build();
    let app = app(&answers);
    let query = query(&begin(&service, &began, ada()).await);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&app, &query, Some("ada")).await, StatusCode::OK);
}

async fn request(url: &str, host: &str, target: &str) -> String {
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_loopback_listener_completes_it_for_its_user() {
    let service = service(completed);
    let client = service.client();
    let listener = LoopbackListener::bind(&client, ada(), 0).await.unwrap();
    let url = listener.callback_url().to_owned();
    let host = url.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap().to_owned();
    assert!(host.starts_with("127.0.0.1:"), "{url}");
    let target = format!("/callback?{}", query(&begin(&service, &client, ada()).await));

    let elsewhere = request(&url, "evil.example", &target).await;
    assert!(elsewhere.starts_with("HTTP/1.1 421"), "{elsewhere}");
    assert!(completions(&service).is_empty());
    let granted = request(&url, &host, &target).await;
    assert!(granted.starts_with("HTTP/1.1 200"), "{granted}");
    assert_eq!(completions(&service).len(), 1);

    let port = host.rsplit(':').next().unwrap().parse().unwrap();
    let error = LoopbackListener::bind(&client, ada(), port).await.unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }) && error.to_string().contains(&port.to_string()), "{error}");
    drop(listener);
    while TcpStream::connect(&host).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_loopback_listener_refuses_what_another_user_began() {
    let service = service(completed);
    let client = service.client();
    let listener = LoopbackListener::bind(&client, ada(), 0).await.unwrap();
    let state = begin(&service, &client, UserIdentifier::UserId("mallory".into())).await;
    let url = listener.callback_url();
    let host = url.strip_prefix("http://").unwrap().strip_suffix("/callback").unwrap();
    let refused = request(url, host, &format!("/callback?{}", query(&state))).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(completions(&service).is_empty());
}
