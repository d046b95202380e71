//! Tokens with an end, and what is kept while they are renewed.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_access_token_of_unknown_end_is_kept_for_a_minute() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(fetched("opaque")) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(kept(&cache, token()).as_deref(), Some("opaque"));
    assert!(!is_due(&cache));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(kept(&cache, token()), None);
}

#[tokio::test(start_paused = true)]
async fn an_access_token_is_due_in_the_window_before_the_last_minute() {
    for _ in 0..50 {
        let cache = CredentialCache::new(CachePolicy::default());
        ask(&cache, token(), async { Ok(ending("jwt", Duration::from_hours(1))) }).await.0.unwrap();
        tokio::time::advance(Duration::from_mins(54) - Duration::from_millis(1)).await;
        assert!(!is_due(&cache));
        tokio::time::advance(Duration::from_secs(151)).await;
        assert!(is_due(&cache));
        renew(&cache, Ok(ending("renewed", Duration::from_hours(1)))).await;
        assert_eq!(kept(&cache, token()).as_deref(), Some("renewed"));
        assert!(!is_due(&cache));
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_in_the_background_runs_once_and_those_who_have_to_wait_join_it() {
    let cache = Arc::new(CredentialCache::new(CachePolicy::default()));
    ask(&cache, token(), async { Ok(ending("old", Duration::from_mins(10))) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(9 * 60 - 1)).await;
    assert!(is_due(&cache));
    let renewals = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let renewals = renewals.clone();
        let renewal = async move {
            renewals.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(3)).await;
            (Ok(ending("new", Duration::from_mins(10))), 1)
        };
        cache.renew(token(), &Handle::current(), || fetching(renewal));
    }
    tokio::time::sleep(Duration::from_millis(999)).await;
    assert_eq!(kept(&cache, token()).as_deref(), Some("old"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(kept(&cache, token()), None);
    let waited = ask(&cache, token(), async { panic!("the renewal is under way") }).await;
    assert_eq!((waited.0.unwrap().as_str(), waited.1), ("new", Origin::Shared));
    assert_eq!(renewals.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_renewed_serves_until_its_end() {
    let broken = || Err(Error::Unavailable { operation: "Test", reason: "it is down".into(), cause: Cause::default() });
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("old", Duration::from_mins(10))) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(9 * 60 - 1)).await;
    renew(&cache, broken()).await;
    assert_eq!(kept(&cache, token()).as_deref(), Some("old"));
    assert!(!is_due(&cache), "a renewal that failed is put off");
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(kept(&cache, token()), None);
    let (served, origin) = ask(&cache, token(), async move { broken() }).await;
    assert_eq!((served.unwrap().as_str(), origin), ("old", Origin::Service));
    assert_eq!(kept(&cache, token()).as_deref(), Some("old"), "nobody waits for the next failure");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(kept(&cache, token()), None);
    assert!(ask(&cache, token(), async move { broken() }).await.0.is_err());
}

/// The service hands out the same one until its last minute is over.
#[tokio::test(start_paused = true)]
async fn a_token_that_the_service_does_not_replace_is_asked_for_at_a_pace() {
    let cache = CredentialCache::new(CachePolicy::default());
    let ends_at = Instant::now() + Duration::from_mins(10);
    let fetches = Arc::new(AtomicUsize::new(0));
    let ask = async || {
        let fetches = Arc::clone(&fetches);
        let same = || async move {
            fetches.fetch_add(1, Ordering::Relaxed);
            (Ok(ending("same", ends_at - Instant::now())), 1)
        };
        if cache.get(&token()).is_none() {
            cache.get_or_fetch(token(), &Handle::current(), || fetching((same.clone())())).await.answer.unwrap();
        }
    };
    ask().await;
    tokio::time::advance(Duration::from_mins(9)).await;
    for _ in 0..59 {
        ask().await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let fetches = fetches.load(Ordering::Relaxed);
    assert!((1 + 4..=1 + 12).contains(&fetches), "each 5 to 15 s: {fetches}");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(kept(&cache, token()), None, "never past its end");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_is_not_tried_before_the_end() {
    let refused = || Err(Error::configuration("refused"));
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("old", Duration::from_mins(10))) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(9 * 60 - 1)).await;
    renew(&cache, refused()).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(kept(&cache, token()).as_deref(), Some("old"));
    assert!(!is_due(&cache));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(kept(&cache, token()), None);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_does_not_come_back_when_its_renewal_fails() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("revoked", Duration::from_hours(1))) }).await.0.unwrap();
    cache.forget(token(), &Secret::new("revoked"));
    assert!(ask(&cache, token(), async { Err(Error::configuration("broken")) }).await.0.is_err());
}

/// It was there when the renewal failed, and was rejected before that had landed.
#[tokio::test(start_paused = true)]
async fn a_rejected_token_does_not_come_back_with_a_renewal_that_lands() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("revoked", Duration::from_hours(1))) }).await.0.unwrap();
    let store = cache.store.as_ref().unwrap();
    let token = Key::from(token());
    let entry = store.kept(&token).unwrap();
    let later = entry.flight + 1;
    assert!(store.may_keep(&token, &entry.clone().postponed(true), later));
    cache.forget(self::token(), &Secret::new("revoked"));
    assert!(!store.may_keep(&token, &entry.postponed(true), later));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_outlives_the_fetches_under_way() {
    let cache = CredentialCache::new(CachePolicy::default());
    let slow = |text| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(fetched(text))
    };
    let mut stale = Box::pin(ask(&cache, token(), slow("stale")));
    let mut other = Box::pin(ask(&cache, key("openai"), slow("of another key")));
    assert!(futures_util::poll!(&mut stale).is_pending() && futures_util::poll!(&mut other).is_pending());
    cache.put(token(), fetched("new"));
    assert_eq!(kept(&cache, token()).as_deref(), Some("new"), "without waiting");
    let (stale, other) = tokio::join!(stale, other);
    assert_eq!((stale.0.unwrap().as_str(), other.0.unwrap().as_str()), ("stale", "of another key"));
    assert_eq!(kept(&cache, token()).as_deref(), Some("new"));
    assert_eq!(kept(&cache, key("openai")).as_deref(), Some("of another key"));
    cache.put(token(), fetched("newer"));
    assert_eq!(kept(&cache, token()).as_deref(), Some("newer"));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_outlives_a_renewal_that_fails() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("old", Duration::from_mins(10))) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(9 * 60 - 1)).await;
    let renewal = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        (Err(Error::configuration("refused")), 1)
    };
    cache.renew(token(), &Handle::current(), || fetching(renewal));
    tokio::time::sleep(Duration::from_millis(1)).await;
    cache.put(token(), ending("new", Duration::from_mins(10)));
    tokio::time::sleep(Duration::from_mins(9)).await;
    assert_eq!(kept(&cache, token()), None, "not put off");
}

/// It is renewed when there is a runtime to do so on.
#[test]
fn a_token_that_is_due_is_served_outside_of_a_runtime() {
    let client = crate::IdentityClient::builder().build();
    client.cache().put(token(), ending("due", Duration::from_hours(1)));
    change(client.cache(), token(), |entry| entry.renew_at = Some(Instant::now()));
    assert!(is_due(client.cache()));
    let hit = client.kept(Operation::GetResourceOauth2Token, token(), || panic!("there is no runtime"));
    assert_eq!(hit.unwrap().expose(), "due");
}
