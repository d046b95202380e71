use std::sync::Mutex;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_token_in_the_vault_is_one_call() {
    let service = service(|_, _| token("gho-1"));
    let request = github(&service.client()).on_auth_url(unexpected);
    assert_eq!(as_ada(request).await.unwrap().expose(), "gho-1");
    assert_eq!(questions(&service).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_handler_the_link_is_the_answer() {
    let service = consented_by(1);
    let client = service.client();
    for calls in 1..=2 {
        let error = as_ada(github(&client)).await.unwrap_err();
        assert!(!error.is_retryable());
        let text = format!("{error} {error:?} {error:#?}");
        assert!(text.contains("github") && !text.contains("secret"), "{text}");
        let Error::AuthorizationRequired(pending) = error else { panic!("{error}") };
        assert_eq!((pending.url(), pending.session_uri(), pending.provider()), (LINK, SESSION, "github"));
        // It is no credential: the next call asks again.
        assert_eq!(questions(&service).len(), calls);
    }
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1, "the watch over the AWS client");
}

#[tokio::test(start_paused = true)]
async fn polls_with_the_session_and_everything_else_the_same() {
    let service = consented_by(3);
    let client = service.client();
    let handled = AtomicUsize::new(0);
    let request = github(&client)
        .force_authentication(true)
        .callback_url("https://app.example/cb")
        .custom_state("state-1")
        .custom_parameters([("prompt", "login")])
        .on_auth_url(|pending| {
            assert_eq!((pending.url(), pending.session_uri()), (LINK, SESSION));
            handled.fetch_add(1, Ordering::Relaxed);
        });
    assert_eq!(as_ada(request).await.unwrap().expose(), "gho-1");
    assert_eq!(handled.into_inner(), 1);

    let questions = questions(&service);
    assert_eq!(times(&questions), [0, 5, 10, 15]);
    let mut first = questions[0].body.clone();
    assert_eq!(first["forceAuthentication"], true);
    assert_eq!(first["resourceOauth2ReturnUrl"], "https://app.example/cb");
    let fields = first.as_object_mut().unwrap();
    fields.remove("forceAuthentication");
    fields.insert("sessionUri".into(), SESSION.into());
    assert!(questions[1..].iter().all(|poll| poll.body == first), "{questions:?}");

    // The token is kept, for calls that do not force as well.
    assert_eq!(as_ada(github(&client).custom_parameters([("prompt", "login")])).await.unwrap().expose(), "gho-1");
    assert_eq!(super::questions(&service).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_handler_is_awaited_before_the_first_poll() {
    let service = consented_by(1);
    let request = github(&service.client()).on_auth_url(|_| sleep(Duration::from_secs(7)));
    as_ada(request).await.unwrap();
    assert_eq!(times(&questions(&service)), [0, 12]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_be_of_many_forms_and_borrow() {
    async fn plain(_: PendingAuthorization) {}
    async fn fallible(pending: PendingAuthorization) -> Result<(), std::io::Error> {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(pending.provider(), "github");
        Ok(())
    }
    let service = consented_by(1);
    let client = service.client();
    let urls = Mutex::new(Vec::new());
    let request = || github(&client).force_authentication(true);
    as_ada(request().on_auth_url(ignore)).await.unwrap();
    as_ada(request().on_auth_url(plain)).await.unwrap();
    as_ada(request().on_auth_url(fallible)).await.unwrap();
    as_ada(request().on_auth_url(|pending| urls.lock().unwrap().push(pending.url().to_owned()))).await.unwrap();
    as_ada(request().on_auth_url(async |_| Ok::<_, Error>(()))).await.unwrap();
    as_ada(request().on_auth_url(|pending| async {
        sleep(Duration::from_millis(1)).await;
        urls.lock().unwrap().push(pending.url().to_owned());
        drop(pending);
    }))
    .await
    .unwrap();
    as_ada(request().on_auth_url(|_| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(()))).await.unwrap();
    assert_eq!(urls.into_inner().unwrap(), [LINK, LINK]);
}

#[tokio::test(start_paused = true)]
async fn the_requests_own_handler_and_callback_come_first() {
    fn note(
        noted: &Arc<Mutex<Vec<&'static str>>>,
        name: &'static str,
    ) -> impl Fn(PendingAuthorization) + Send + Sync + 'static {
        let noted = Arc::clone(noted);
        move |_| noted.lock().unwrap().push(name)
    }
    let service = consented_by(1);
    let noted = Arc::default();
    let client = service.builder().on_auth_url(note(&noted, "client")).build();
    let context = |user_id: &str| {
        RequestContext::builder().workload_name("my-agent").user(UserIdentifier::UserId(user_id.into()))
    };
    let full = |user_id: &str| {
        context(user_id).on_auth_url(note(&noted, "context")).callback_url("https://context.example").build()
    };
    let own = github(&client).on_auth_url(note(&noted, "own")).callback_url("https://own.example");
    full("ada").scope(own.into_future()).await.unwrap();
    full("bob").scope(github(&client).into_future()).await.unwrap();
    context("cyd").build().scope(github(&client).into_future()).await.unwrap();
    assert_eq!(*noted.lock().unwrap(), ["own", "context", "client"]);
    let urls: Vec<_> =
        questions(&service).iter().map(|q| q.text("resourceOauth2ReturnUrl").map(str::to_owned)).collect();
    let [own, context] = ["https://own.example", "https://context.example"].map(|url| Some(url.to_owned()));
    assert_eq!(urls, [own.clone(), own, context.clone(), context, None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_ends_it_with_its_cause() {
    let service = consented_by(1);
    let request = github(&service.client()).on_auth_url(|_| Err::<(), _>("no such chat"));
    let error = as_ada(request).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }) && !error.is_retryable());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no such chat");
    assert_eq!(questions(&service).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn failed_ends_it_at_once() {
    let service = service(|n, _| match n {
        0 => pending(),
        1 => in_progress(),
        _ => Reply::Json(json!({ "sessionUri": SESSION, "sessionStatus": "FAILED" })),
    });
    let error = as_ada(github(&service.client()).on_auth_url(ignore)).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error}");
    assert_eq!(times(&questions(&service)), [0, 5, 10]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_that_of_the_session() {
    let service = consented_by(usize::MAX);
    let start = Instant::now();
    let error = as_ada(github(&service.client()).on_auth_url(|_| sleep(Duration::from_secs(2)))).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationTimedOut { .. }), "{error}");
    assert!(error.to_string().contains("`github` within 600 seconds"), "{error}");
    assert_eq!(start.elapsed(), Duration::from_mins(10));
    assert_eq!(questions(&service).len(), 1 + 119);
}

#[tokio::test(start_paused = true)]
async fn a_handler_has_no_longer_than_the_user() {
    let service = consented_by(1);
    let client = service.builder().polling(Polling::default().timeout(Duration::from_mins(1))).build();
    let start = Instant::now();
    let error = as_ada(github(&client).on_auth_url(|_| std::future::pending::<()>())).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationTimedOut { .. }), "{error}");
    assert_eq!(start.elapsed(), Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn interval_and_deadline_are_settable() {
    let service = consented_by(usize::MAX);
    let polling = Polling::default().interval(Duration::from_secs(20)).timeout(Duration::from_secs(50));
    let client = service.builder().polling(polling).build();
    as_ada(github(&client).on_auth_url(ignore)).await.unwrap_err();
    assert_eq!(times(&questions(&service)), [0, 20, 40]);
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_polls_down_and_other_passing_faults_do_not_end_them() {
    let service = service(|n, _| match n {
        0 => pending(),
        1..=5 => throttled(),
        6 => in_progress(),
        7 => Reply::NoConnection,
        8 => Reply::Refused(500, "InternalServerException", ""),
        _ => token("gho-1"),
    });
    as_ada(github(&service.client()).on_auth_url(ignore)).await.unwrap();
    let times = times(&questions(&service));
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [5, 10, 20, 40, 60, 60, 5, 5, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_workload_token_that_ends_meanwhile_is_fetched_anew() {
    let service = service(|n, request| match (n, request.text("workloadIdentityToken")) {
        (0, _) => pending(),
        (_, Some("wat-1")) => Reply::Refused(401, "UnauthorizedException", "Token has expired"),
        (n, _) if n < 4 => in_progress(),
        _ => token("gho-1"),
    });
    assert_eq!(as_ada(github(&service.client()).on_auth_url(ignore)).await.unwrap().expose(), "gho-1");
    assert_eq!(times(&questions(&service)), [0, 5, 5, 10, 15]);
}

#[tokio::test(start_paused = true)]
async fn a_workload_token_from_outside_that_ends_meanwhile_ends_it() {
    let service = service(|n, _| match n {
        0 => pending(),
        _ => Reply::Refused(401, "UnauthorizedException", "Token has expired"),
    });
    let given = RequestContext::builder().workload_token("wat").build();
    let request = github(&service.client()).on_auth_url(ignore);
    let error = given.scope(request.into_future()).await.unwrap_err();
    assert!(matches!(error, Error::WorkloadTokenRejected { fetched: false, .. }), "{error}");
    assert_eq!(times(&questions(&service)), [0, 5]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_ends_the_polling() {
    let service = consented_by(usize::MAX);
    let client = service.client();
    let waiting = as_ada(github(&client).on_auth_url(ignore));
    assert!(tokio::time::timeout(Duration::from_secs(12), waiting).await.is_err());
    assert_eq!(times(&questions(&service)), [0, 5, 10]);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(questions(&service).len(), 3);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1, "the watch over the AWS client");
}

/// Asks twice as often, and only so often.
struct TwoSeconds;

impl TokenPoller for TwoSeconds {
    async fn poll_for_token(
        &self,
        authorization: &PendingAuthorization,
        token: &PendingToken,
    ) -> Result<AccessToken, Error> {
        assert_eq!(authorization.url(), LINK);
        loop {
            sleep(Duration::from_secs(2)).await;
            if let Some(token) = token.ask().await? {
                return Ok(token);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_poller_replaces_the_polling() {
    let service = consented_by(3);
    let client = service.client();
    let request = || github(&client).on_auth_url(ignore).token_poller(Arc::new(TwoSeconds));
    assert_eq!(as_ada(request()).await.unwrap().expose(), "gho-1");
    assert_eq!(times(&questions(&service)), [0, 2, 4, 6]);
    as_ada(request()).await.unwrap();
    assert_eq!(questions(&service).len(), 4, "kept");

    let failing = super::service(|n, _| if n == 0 { pending() } else { throttled() });
    let error = as_ada(github(&failing.client()).on_auth_url(ignore).token_poller(TwoSeconds)).await.unwrap_err();
    assert!(matches!(error, Error::Throttled { .. }), "its own affair: {error}");
}

#[tokio::test(start_paused = true)]
async fn an_authorization_is_kept_for_its_callback() {
    let service = consented_by(2);
    let store = Arc::new(MemoryStore::default());
    let client = service.builder().pending_store(Arc::clone(&store)).build();
    let key = crate::digest::Digest::of("session URI", SESSION).hex();
    let stored = async || PendingStore::get(&store, &key).await.unwrap().map(|record| record.expose().to_owned());

    as_ada(github(&client).on_auth_url(ignore).force_authentication(true)).await.unwrap();
    assert!(stored().await.is_none(), "no callback URL, no callback");

    let request = || github(&client).on_auth_url(ignore).callback_url("https://a.example").force_authentication(true);
    as_ada(request()).await.unwrap();
    let questions = questions(&service);
    let state = questions.last().unwrap().text("customState").unwrap().to_owned();
    assert!(state.len() >= 43, "{state}");
    assert_eq!(questions[questions.len() - 2].text("customState"), Some(state.as_str()), "polls say the same");
    let record: serde_json::Value = serde_json::from_str(&stored().await.unwrap()).unwrap();
    assert_eq!(record, json!({ "provider": "github", "state": state, "user": { "id": "ada" } }));

    as_ada(request().custom_state("mine")).await.unwrap();
    assert!(stored().await.unwrap().contains("\"mine\""));
    let last = super::questions(&service).pop().unwrap();
    assert_eq!(last.text("customState"), Some("mine"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_it_before_the_user_is_asked() {
    struct Broken;
    impl PendingStore for Broken {
        async fn put(&self, _: &str, _: PendingRecord, _: Duration) -> Result<(), BoxError> {
            Err("no connection to the store".into())
        }
        async fn get(&self, _: &str) -> Result<Option<PendingRecord>, BoxError> {
            Ok(None)
        }
        async fn take(&self, _: &str) -> Result<Option<PendingRecord>, BoxError> {
            Ok(None)
        }
    }
    type BoxError = Box<dyn std::error::Error + Send + Sync>;
    let service = consented_by(1);
    let client = service.builder().pending_store(Broken).build();
    let request = github(&client).callback_url("https://a.example").on_auth_url(unexpected);
    let error = as_ada(request).await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no connection to the store");
}

#[tokio::test(start_paused = true)]
async fn completing_an_authorization_sends_the_very_identifier() {
    let service = Scripted::new(|_| Reply::Json(json!({})));
    let client = service.client();
    client.complete_authorization(SESSION, UserIdentifier::UserId("ada".into())).await.unwrap();
    client.complete_authorization(SESSION, UserIdentifier::UserToken("a.b.c".into())).await.unwrap();
    let bodies: Vec<_> = service.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[0], json!({ "sessionUri": SESSION, "userIdentifier": { "userId": "ada" } }));
    assert_eq!(bodies[1], json!({ "sessionUri": SESSION, "userIdentifier": { "userToken": "a.b.c" } }));

    let error = client.complete_authorization("https://a.example", UserIdentifier::UserId("ada".into())).await;
    assert!(matches!(error, Err(Error::InvalidRequest { .. })));
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_the_users_fails_without_naming_it() {
    let service = Scripted::new(|_| Reply::Refused(404, "ResourceNotFoundException", "session-secret"));
    let ada = UserIdentifier::UserId("ada".into());
    let error = service.client().complete_authorization(SESSION, ada).await.unwrap_err();
    assert!(matches!(error, Error::AuthorizationFailed { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}
