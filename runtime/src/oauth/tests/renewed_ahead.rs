use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// The `n`th token that the vault gives, which ends in an hour.
fn jwt(n: u64) -> String {
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;
    format!("e30.{}.sig-{n}", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}")))
}

#[tokio::test(start_paused = true)]
async fn a_users_token_is_renewed_without_the_user() {
    let asked = AtomicUsize::new(0);
    let service = service(move |_, _| token(&jwt(asked.fetch_add(1, Ordering::Relaxed) as u64)));
    let client = service.client();
    let ask = async || as_ada(github(&client).on_auth_url(unexpected)).await.unwrap().expose().to_owned();
    let first = ask().await;
    tokio::time::advance(Duration::from_mins(58)).await;
    assert_eq!(ask().await, first, "no caller waits");
    settle().await;
    assert_eq!(questions(&service).len(), 2);
    assert!(ask().await.ends_with("sig-1"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_only_the_user_can_renew_serves_until_its_end() {
    let asked = AtomicUsize::new(0);
    let service = service(move |n, _| match (asked.fetch_add(1, Ordering::Relaxed), n) {
        (0, _) => token(&jwt(0)),
        (_, 0) => pending(),
        _ => token("after consent"),
    });
    let client = service.client();
    let handled = AtomicUsize::new(0);
    let ask = async || {
        let request = github(&client).on_auth_url(|_| _ = handled.fetch_add(1, Ordering::Relaxed));
        as_ada(request).await.unwrap().expose().to_owned()
    };
    let first = ask().await;
    tokio::time::advance(Duration::from_mins(58)).await;
    assert_eq!(ask().await, first);
    settle().await;
    tokio::time::advance(Duration::from_secs(90)).await;
    assert_eq!(ask().await, first, "in its last minute");
    assert_eq!(handled.load(Ordering::Relaxed), 0);
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(ask().await, "after consent");
    assert_eq!(handled.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn callbacks_that_differ_do_not_share_a_link() {
    let service = service(|n, request| match n {
        0 => Reply::After(
            Duration::from_millis(50),
            Box::new(Reply::Json(json!({
                "authorizationUrl": request.text("resourceOauth2ReturnUrl").unwrap(),
                "sessionUri": SESSION,
            }))),
        ),
        _ => token("gho-1"),
    });
    let client = service.client();
    let link = async |callback: &str| match as_ada(github(&client).callback_url(callback)).await {
        Err(Error::AuthorizationRequired(pending)) => pending.url().to_owned(),
        other => panic!("{other:?}"),
    };
    let (one, two) = tokio::join!(link("https://one.example"), link("https://two.example"));
    assert_eq!([one, two], ["https://one.example", "https://two.example"]);
}
