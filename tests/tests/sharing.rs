//! Callers that want the same credential at the same time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentcore_identity::{ApiKey, Error, IdentityClient, RequestContext, WithContext as _, requires_api_key};
use agentcore_identity_local::{Fault, LocalIdentity, Operation};
use agentcore_identity_tests::{API_KEY, Failure, WORKLOAD, agent, client, local};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[requires_api_key(provider = "openai")]
async fn key(api_key: String) -> Result<String, Error> {
    Ok(api_key)
}

/// Calls a service that takes `accepted` alone.
#[requires_api_key(provider = "openai", retry_if = Failure::is_refused)]
async fn ask(accepted: &str, runs: &AtomicUsize, api_key: &ApiKey) -> Result<(), Failure> {
    runs.fetch_add(1, Ordering::Relaxed);
    if api_key.expose() == accepted { Ok(()) } else { Err(Failure::Refused) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_with_a_cold_cache_make_one_request() {
    let local = local().await;
    let context = agent(&local);
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        callers.spawn(key().in_context(context.clone()));
    }
    assert!(callers.join_all().await.iter().all(|answer| answer.as_deref().is_ok_and(|key| key == API_KEY)));
    assert_eq!(local.call_count(Operation::GetWorkloadAccessToken), 1);
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_all_notice_at_once_makes_one_request() {
    let local = local().await;
    let context = agent(&local);
    context.scope(key()).await.unwrap();
    local.set_api_key("openai", "sk-rotated").await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let runs = runs.clone();
        callers.spawn(async move { ask("sk-rotated", &runs).await }.in_context(context.clone()));
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    assert!((101..=200).contains(&runs.load(Ordering::Relaxed)), "{runs:?}");
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 2);
}

/// The first call is alive and not polled while the second one waits for what both want. Time is paused once the
/// connection stands: nothing waits but the service's delay.
#[tokio::test]
async fn a_call_that_is_set_aside_holds_up_nobody() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    let client = client(&local);
    agent(&local)
        .scope(async {
            client.api_key("search").await.unwrap();
            local.fail_next(Operation::GetResourceApiKey, 1, Fault::Delay(Duration::from_hours(1)));
            tokio::time::pause();
            let mut first = pin!(client.api_key("openai"));
            tokio::select! {
                biased;
                _ = &mut first => panic!("the service answers later"),
                () = tokio::task::yield_now() => {}
            }
            let second = tokio::time::timeout(Duration::from_hours(2), client.api_key("openai")).await;
            assert_eq!(second.expect("the second call gets its answer").unwrap().expose(), API_KEY);
            assert_eq!(first.await.unwrap().expose(), API_KEY);
        })
        .await;
    assert_eq!(local.call_count(Operation::GetResourceApiKey), 2);
}

/// Time is paused once the connection stands: nothing waits but the service's delay and the first caller's patience.
#[tokio::test]
async fn a_call_that_is_dropped_strands_nobody() {
    let local = local().await;
    local.set_api_key("search", "sk-search").await.unwrap();
    let client = client(&local);
    agent(&local)
        .scope(async {
            client.api_key("search").await.unwrap();
            local.fail_next(Operation::GetResourceApiKey, 1, Fault::Delay(Duration::from_hours(1)));
            tokio::time::pause();
            let (impatient, patient) =
                tokio::join!(tokio::time::timeout(Duration::from_secs(1), client.api_key("openai")), async {
                    tokio::task::yield_now().await;
                    client.api_key("openai").await
                });
            impatient.unwrap_err();
            assert_eq!(patient.unwrap().expose(), API_KEY);
        })
        .await;
}

/// The attribute's client comes before the context's, and that before the default.
#[tokio::test]
async fn which_client_is_asked() {
    #[requires_api_key(provider = "openai", client = client)]
    async fn key_from(client: &IdentityClient, api_key: String) -> Result<String, Error> {
        Ok(api_key)
    }

    async fn with_key(key: &str) -> LocalIdentity {
        LocalIdentity::builder().workload_identity(WORKLOAD).api_key("openai", key).start().await.unwrap()
    }

    let (attribute, context, default) =
        (with_key("attribute").await, with_key("context").await, with_key("default").await);
    client(&default).install_default();
    let without = RequestContext::builder().workload_name(WORKLOAD).build();
    assert_eq!(without.scope(key()).await.unwrap(), "default");
    let with = agent(&context);
    assert_eq!(with.scope(key()).await.unwrap(), "context");
    assert_eq!(with.scope(key_from(&client(&attribute))).await.unwrap(), "attribute");
}

/// The local service always answers with the newest key; this one sends an answer that was on its way when the key was
/// replaced.
#[tokio::test]
async fn a_renewal_does_not_settle_for_an_answer_from_before_it() {
    #[requires_api_key(provider = "openai", retry_if = Failure::is_refused)]
    async fn ask_after(requests: &AtomicUsize, seen: usize, api_key: &str) -> Result<(), Failure> {
        while requests.load(Ordering::Relaxed) < seen {
            tokio::task::yield_now().await;
        }
        if api_key == "new" { Ok(()) } else { Err(Failure::Refused) }
    }

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn({
        let requests = requests.clone();
        async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(connection, requests.clone()));
            }
        }
    });

    let local = local().await;
    let config = local.sdk_config().into_builder().endpoint_url(endpoint).build();
    let context = RequestContext::builder().workload_token("handed-in").client(IdentityClient::new(&config)).build();
    context
        .scope(async {
            key().await.unwrap();
            // The first sends a request as soon as it is refused; the second is refused while that is on its way.
            let (first, second) = tokio::join!(ask_after(&requests, 0), ask_after(&requests, 2));
            assert!(first.is_err_and(|failure| failure.is_refused()));
            second.unwrap();
        })
        .await;
    assert_eq!(requests.load(Ordering::Relaxed), 3);
    server.abort();
}

/// `old` to the first two requests, and to the second only after others have had time to ask too; then `new`.
async fn answer(mut connection: TcpStream, requests: Arc<AtomicUsize>) {
    let mut request = vec![0; 16 * 1024];
    while connection.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        if number == 2 {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        }
        let body = format!(r#"{{"apiKey":"{}"}}"#, if number <= 2 { "old" } else { "new" });
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all((head + &body).as_bytes()).await.unwrap();
    }
}
