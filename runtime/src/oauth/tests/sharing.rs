use futures_util::FutureExt as _;

use super::*;

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_the_same_consent_share_one() {
    let service = consented_by(3);
    let client = service.client();
    let handled = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for n in 0..100_u64 {
        let (client, handled) = (client.clone(), handled.clone());
        callers.spawn(async move {
            // Some come while it is under way.
            sleep(Duration::from_millis(70 * n)).await;
            let request = github(&client).on_auth_url(async |_| {
                handled.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(1)).await;
            });
            as_ada(request).await.unwrap().expose().to_owned()
        });
    }
    assert!(callers.join_all().await.iter().all(|token| token == "gho-1"));
    assert_eq!(handled.load(Ordering::Relaxed), 1);
    assert_eq!(times(&questions(&service)), [0, 6, 11, 16]);
}

#[tokio::test(start_paused = true)]
async fn users_and_requests_that_differ_share_nothing() {
    let service = consented_by(1);
    let client = service.client();
    let handled = AtomicUsize::new(0);
    let request = || github(&client).on_auth_url(|_| _ = handled.fetch_add(1, Ordering::Relaxed));
    let (ada, bob, more) = tokio::join!(
        user("ada").scope(request().into_future()),
        user("bob").scope(request().into_future()),
        user("ada").scope(request().scopes(["repo", "user"]).into_future()),
    );
    assert!(ada.is_ok() && bob.is_ok() && more.is_ok());
    assert_eq!(handled.into_inner(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_handler_gets_the_link_of_those_who_wait() {
    let service = consented_by(2);
    let client = service.client();
    let waiting = tokio::spawn(as_ada(github(&client).on_auth_url(ignore)));
    sleep(Duration::from_secs(1)).await;
    let error = as_ada(github(&client)).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationRequired(_)), "{error}");
    waiting.await.unwrap().unwrap();
    assert_eq!(questions(&service).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_that_of_all_and_is_not_kept() {
    let service = service(|n, _| match n {
        0 => pending(),
        1 => Reply::Json(json!({ "sessionStatus": "FAILED" })),
        _ => token("gho-1"),
    });
    let client = service.client();
    let request = || as_ada(github(&client).on_auth_url(ignore));
    let (one, two) = tokio::join!(request(), request());
    assert!(matches!(one, Err(Error::AuthorizationFailed { .. })));
    assert!(matches!(two, Err(Error::AuthorizationFailed { .. })));
    assert_eq!(request().await.unwrap().expose(), "gho-1");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_dropped_while_it_polls_strands_nobody() {
    let service = consented_by(4);
    let client = service.client();
    let leader = tokio::spawn(as_ada(github(&client).on_auth_url(ignore)));
    sleep(Duration::from_secs(7)).await;
    let follower = tokio::spawn(as_ada(github(&client).on_auth_url(unexpected)));
    settle().await;
    leader.abort();
    assert_eq!(follower.await.unwrap().unwrap().expose(), "gho-1");
    assert_eq!(times(&questions(&service)), [0, 5, 10, 15, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_dropped_in_its_handler_passes_the_turn_on() {
    let service = consented_by(1);
    let client = service.client();
    let leader = tokio::spawn(as_ada(github(&client).on_auth_url(|_| std::future::pending::<()>())));
    settle().await;
    let handled = Arc::new(AtomicUsize::new(0));
    let mut followers = JoinSet::new();
    for _ in 0..10 {
        let (client, handled) = (client.clone(), handled.clone());
        followers.spawn(async move {
            as_ada(github(&client).on_auth_url(move |_| _ = handled.fetch_add(1, Ordering::Relaxed))).await
        });
    }
    sleep(Duration::from_secs(30)).await;
    assert_eq!(handled.load(Ordering::Relaxed), 0, "the leader is at it");
    leader.abort();
    assert!(followers.join_all().await.iter().all(Result::is_ok));
    assert_eq!(handled.load(Ordering::Relaxed), 1);
    assert_eq!(times(&questions(&service)), [0, 35]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_passes_the_turn_on() {
    let service = consented_by(1);
    let client = service.client();
    let start = Instant::now();
    let leader = tokio::spawn(as_ada(github(&client).on_auth_url(move |_| async move {
        sleep(Duration::from_secs(1)).await;
        assert!(Instant::now() < start, "for the test");
    })));
    settle().await;
    assert!(as_ada(github(&client).on_auth_url(ignore)).await.is_ok());
    assert!(leader.await.unwrap_err().is_panic());
}

/// In a `select!`, one branch's call may be kept and not polled while another's runs.
#[tokio::test(start_paused = true)]
async fn a_caller_that_is_set_aside_holds_up_nobody() {
    let service = consented_by(2);
    let client = service.client();
    let mut set_aside = Box::pin(as_ada(github(&client).on_auth_url(ignore)));
    assert!(!poll_once(set_aside.as_mut()).await);
    assert_eq!(as_ada(github(&client).on_auth_url(ignore)).await.unwrap().expose(), "gho-1");
    assert_eq!(questions(&service).len(), 3);
    assert_eq!(set_aside.await.unwrap().expose(), "gho-1");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_set_aside_holds_up_nobody() {
    let service = consented_by(1);
    let client = service.client();
    let first = Arc::new(AtomicUsize::new(0));
    let begun = Arc::clone(&first);
    let mut set_aside = Box::pin(as_ada(github(&client).on_auth_url(move |_| {
        begun.fetch_add(1, Ordering::Relaxed);
        async {
            sleep(Duration::from_secs(2)).await;
            Err::<(), _>("what it comes to later does not count")
        }
    })));
    while first.load(Ordering::Relaxed) == 0 {
        assert!(!poll_once(set_aside.as_mut()).await);
        settle().await;
    }
    let handled = AtomicUsize::new(0);
    let request = github(&client).on_auth_url(|_| _ = handled.fetch_add(1, Ordering::Relaxed));
    assert_eq!(as_ada(request).await.unwrap().expose(), "gho-1");
    assert_eq!(handled.load(Ordering::Relaxed), 1, "could go on after 2 s, and is missed 1 s later");
    assert_eq!(times(&questions(&service)), [0, 8]);
    assert_eq!(set_aside.await.unwrap().expose(), "gho-1");
    assert_eq!(first.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_not_taken_for_one_that_is_set_aside() {
    let service = consented_by(1);
    let client = service.client();
    let slow = async |_| {
        for _ in 0..40 {
            sleep(Duration::from_millis(500)).await;
        }
    };
    let leader = tokio::spawn(as_ada(github(&client).on_auth_url(slow)));
    settle().await;
    assert!(as_ada(github(&client).on_auth_url(unexpected)).await.is_ok());
    assert!(leader.await.unwrap().is_ok());
    assert_eq!(times(&questions(&service)), [0, 25]);
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_panics_strands_nobody() {
    struct Panics;
    impl TokenPoller for Panics {
        async fn poll_for_token(&self, _: &PendingAuthorization, _: &PendingToken) -> Result<AccessToken, Error> {
            panic!("for the test")
        }
    }
    let service = consented_by(1);
    let client = service.client();
    let request = || as_ada(github(&client).on_auth_url(ignore).token_poller(Panics));
    let (one, two) = tokio::join!(request(), request());
    assert!(matches!(one, Err(Error::AuthorizationFailed { .. })));
    assert!(matches!(two, Err(Error::AuthorizationFailed { .. })));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_authorizations_that_are_over() {
    let service = consented_by(1);
    let client = service.client();
    for id in ["ada", "bob"] {
        user(id).scope(github(&client).on_auth_url(ignore).into_future()).await.unwrap();
    }
    let waiting = tokio::spawn(
        github(&client).on_auth_url(ignore).force_authentication(true).into_future().in_context(user("cyd")),
    );
    settle().await;
    assert_eq!(client.authorizations().len(), 1);
    waiting.abort();
    settle().await;
    assert_eq!(client.authorizations().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_not_taken_for_the_poller() {
    struct Panics;
    type Refused = Box<dyn std::error::Error + Send + Sync>;
    impl PendingStore for Panics {
        async fn put(&self, _: &str, _: PendingRecord, _: Duration) -> Result<(), Refused> {
            panic!("for the test")
        }

        async fn get(&self, _: &str) -> Result<Option<PendingRecord>, Refused> {
            unreachable!()
        }

        async fn take(&self, _: &str) -> Result<Option<PendingRecord>, Refused> {
            unreachable!()
        }
    }
    let client = consented_by(1).builder().pending_store(Panics).build();
    let request = github(&client).on_auth_url(unexpected).callback_url("https://app.example/callback");
    let error = as_ada(request).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }));
    assert!(error.to_string().contains("the PendingStore of the client"), "{error}");
}

/// Its tasks are dropped on this thread, and another's panic is none of theirs.
#[test]
fn a_runtime_that_is_dropped_in_a_panic_strands_nobody_on_another() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (one, two) = (runtime(), runtime());
    let client = one.block_on(async { consented_by(1) }).client();
    let mut waiting = Box::pin(as_ada(github(&client).on_auth_url(ignore)));
    one.block_on(async {
        assert!(!poll_once(waiting.as_mut()).await);
        settle().await;
    });
    let panics = std::panic::AssertUnwindSafe(move || {
        let _runtime = one;
        panic!("for the test");
    });
    std::panic::catch_unwind(panics).unwrap_err();
    two.block_on(async { tokio::time::pause() });
    assert_eq!(two.block_on(waiting).unwrap().expose(), "gho-1");
}

#[test]
fn on_a_runtime_that_is_over_a_call_says_so() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (over, service) = (runtime(), consented_by(1));
    let (client, handle) = (service.client(), over.handle().clone());
    over.shutdown_background();
    let _on_it = handle.enter();
    let error = as_ada(github(&client).on_auth_url(ignore)).now_or_never().expect("it does not wait").unwrap_err();
    assert!(matches!(error, Error::Configuration { .. }) && error.to_string().contains("call again on one"), "{error}");
}

/// The task of an authorization dies with the runtime of the caller that began it.
#[test]
fn a_runtime_that_ends_strands_nobody_on_another() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (one, two) = (runtime(), runtime());
    let service = one.block_on(async { consented_by(1) });
    let client = service.builder().polling(Polling::default().interval(Duration::from_millis(100))).build();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let forever = github(&client).on_auth_url(move |_| {
        begun.send(()).unwrap();
        std::future::pending::<()>()
    });
    one.spawn(as_ada(forever));
    has_begun.recv().unwrap();
    let other = two.spawn(as_ada(github(&client).on_auth_url(ignore)));
    one.shutdown_background();
    assert_eq!(two.block_on(other).unwrap().unwrap().expose(), "gho-1");
}
