use super::*;
use crate::__private::renew_access_token;

/// Whose vault has `old` until the user is asked again, which brings `new`.
fn revoked() -> Scripted {
    let forced = std::sync::atomic::AtomicBool::new(false);
    service(move |n, request| {
        if request.body.get("forceAuthentication").is_some() {
            forced.store(true, Ordering::Relaxed);
            return pending();
        }
        match n {
            0 if forced.load(Ordering::Relaxed) => token("new"),
            0 => token("old"),
            _ => token("new"),
        }
    })
}

async fn renewed(context: &RequestContext, request: AccessTokenRequest<'_>, rejected: &AccessToken) -> Option<String> {
    let fresh = context.scope(renew_access_token(request, rejected)).await;
    fresh.map(|token| token.expose().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_replaced_in_the_vault_takes_one_call() {
    for flow in [AuthFlow::M2m, AuthFlow::UserFederation] {
        let asked = AtomicUsize::new(0);
        let service =
            service(move |_, _| token(if asked.fetch_add(1, Ordering::Relaxed) == 0 { "old" } else { "new" }));
        let client = service.client();
        let request = github(&client).auth_flow(flow);
        let rejected = as_ada(request.clone()).await.unwrap();
        assert_eq!(renewed(&user("ada"), request.clone(), &rejected).await.as_deref(), Some("new"));
        assert_eq!(as_ada(request).await.unwrap().expose(), "new", "and it is kept");
        assert_eq!(questions(&service).len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_token_again_is_none_where_nobody_can_be_asked() {
    let service = service(|_, _| token("old"));
    let request = github(&service.client()).auth_flow(AuthFlow::M2m);
    let rejected = as_ada(request.clone()).await.unwrap();
    assert_eq!(renewed(&user("ada"), request, &rejected).await, None);
    assert!(questions(&service).iter().all(|question| question.body.get("forceAuthentication").is_none()));
    assert_eq!(questions(&service).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_token_again_has_the_user_asked_once() {
    let service = revoked();
    let client = service.client();
    let request = github(&client).on_auth_url(ignore);
    let rejected = as_ada(request.clone()).await.unwrap();
    assert_eq!(rejected.expose(), "old");
    assert_eq!(renewed(&user("ada"), request.clone(), &rejected).await.as_deref(), Some("new"));
    let forced = |service: &Scripted| {
        questions(service).iter().filter(|question| question.body.get("forceAuthentication").is_some()).count()
    };
    assert_eq!(forced(&service), 1);
    // One that notices later gets what the first one got.
    assert_eq!(renewed(&user("ada"), request, &rejected).await.as_deref(), Some("new"));
    assert_eq!(forced(&service), 1);
}

#[tokio::test(start_paused = true)]
async fn many_that_notice_at_once_have_the_user_asked_once() {
    let service = revoked();
    let client = service.client();
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let request = github(&client).on_auth_url(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
    let rejected = as_ada(request.clone()).await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (request, rejected) = (request.clone(), rejected.clone());
        callers.spawn(async move { renewed(&user("ada"), request, &rejected).await });
    }
    assert!(callers.join_all().await.iter().all(|token| token.as_deref() == Some("new")));
    assert_eq!(handled.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_does_not_stay_in_the_cache() {
    let service = revoked();
    let client = service.client();
    let rejected = as_ada(github(&client)).await.unwrap();
    assert_eq!(renewed(&user("ada"), github(&client), &rejected).await, None, "nobody to give the link to");
    let before = questions(&service).len();
    assert_eq!(as_ada(github(&client)).await.unwrap().expose(), "old", "still in the vault");
    let questions = questions(&service);
    assert_eq!(questions.len(), before + 1);
    assert!(questions.iter().all(|question| question.body.get("forceAuthentication").is_none()));
}
