mod renewal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::caller::CallerId;
use crate::digest::Digest;
use crate::error::Cause;

static CALLER: LazyLock<CallerId> = LazyLock::new(|| CallerId::Token(Digest::of("workload token", "wat")));

fn key(provider: &str) -> KeyRef<'_> {
    KeyRef { caller: &CALLER, kind: Kind::ApiKey, provider, parameters: None }
}

fn fetched(text: &str) -> Fetched {
    Fetched { secret: Secret::new(text), ends_in: None }
}

fn token<'a>() -> KeyRef<'a> {
    KeyRef { kind: Kind::AccessToken, ..key("github") }
}

fn ending(text: &str, ends_in: Duration) -> Fetched {
    Fetched { secret: Secret::new(text), ends_in: Some(ends_in) }
}

/// A fetch without a span.
fn fetching<F: Future<Output = Outcome>>(requests: F) -> Fetching<F> {
    Fetching { requests, operation: Operation::GetResourceApiKey, span: Span::none() }
}

async fn ask<F>(cache: &CredentialCache, key: KeyRef<'_>, fetch: F) -> (Result<String, Error>, Origin)
where
    F: Future<Output = Result<Fetched, Error>> + Send + 'static,
{
    let fetch = Mutex::new(Some(fetch));
    let fetch = || {
        let fetch = fetch.lock().unwrap().take().expect("asked once");
        fetching(async move { (fetch.await, 1) })
    };
    let Served { answer, origin, .. } = cache.get_or_fetch(key, &Handle::current(), fetch).await;
    (answer.map(|secret| secret.expose().to_owned()), origin)
}

async fn fetch(cache: &CredentialCache, provider: &str, text: &'static str) -> (String, Origin) {
    let (answer, origin) = ask(cache, key(provider), async move { Ok(fetched(text)) }).await;
    (answer.unwrap(), origin)
}

fn kept(cache: &CredentialCache, key: KeyRef<'_>) -> Option<String> {
    cache.get(&key).map(|hit| hit.secret.expose().to_owned())
}

fn change(cache: &CredentialCache, key: KeyRef<'_>, change: impl FnOnce(&mut Entry)) {
    let store = cache.store.as_ref().unwrap();
    let mut entry = store.kept(&key.into()).unwrap();
    change(&mut entry);
    store.entries.insert(key.into(), entry);
}

fn is_due(cache: &CredentialCache) -> bool {
    cache.get(&token()).is_some_and(|hit| hit.is_due)
}

/// Renews in the background, and gives that its turn.
async fn renew(cache: &CredentialCache, answer: Result<Fetched, Error>) {
    cache.renew(token(), &Handle::current(), || fetching(async { (answer, 1) }));
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn kept_until_the_end_of_its_lifetime_and_not_longer() {
    let cache = CredentialCache::new(CachePolicy::default());
    assert_eq!(fetch(&cache, "openai", "one").await, ("one".into(), Origin::Service));
    tokio::time::advance(Duration::from_mins(5) - Duration::from_millis(1)).await;
    assert_eq!(kept(&cache, key("openai")).as_deref(), Some("one"));
    assert_eq!(fetch(&cache, "openai", "two").await, ("one".into(), Origin::Shared));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(kept(&cache, key("openai")), None);
    assert_eq!(fetch(&cache, "openai", "two").await, ("two".into(), Origin::Service));
}

#[tokio::test(start_paused = true)]
async fn never_served_past_its_known_end() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, key("openai"), async { Ok(ending("short", Duration::from_secs(2))) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(kept(&cache, key("openai")), None);
}

/// While a machine is suspended, the clock on the wall goes on alone.
#[tokio::test(start_paused = true)]
async fn never_served_past_its_known_end_by_the_clock_on_the_wall() {
    let cache = CredentialCache::new(CachePolicy::default());
    ask(&cache, token(), async { Ok(ending("old", Duration::from_hours(1))) }).await.0.unwrap();
    change(&cache, token(), |entry| {
        let end = entry.wall_end.unwrap();
        assert!(end > SystemTime::now() + Duration::from_mins(59));
        entry.wall_end = Some(SystemTime::now());
    });
    assert_eq!(kept(&cache, token()), None);
    let broken = ask(&cache, token(), async { Err(Error::configuration("broken")) }).await;
    assert!(broken.0.is_err(), "nor when it cannot be renewed");
    assert_eq!(ask(&cache, token(), async { Ok(fetched("new")) }).await.0.unwrap(), "new");
}

#[tokio::test]
async fn a_disabled_cache_asks_each_time() {
    for policy in [
        CachePolicy::disabled(),
        CachePolicy::default().api_keys(Duration::ZERO).workload_tokens(Duration::ZERO).access_tokens(Duration::ZERO),
        CachePolicy::default().api_keys(Duration::ZERO),
    ] {
        let cache = CredentialCache::new(policy);
        assert_eq!(fetch(&cache, "openai", "one").await.0, "one");
        assert_eq!(fetch(&cache, "openai", "two").await.0, "two");
    }
}

/// Nobody waits for another's answer that is over when it comes.
#[tokio::test(start_paused = true)]
async fn calls_that_may_not_share_do_not_queue() {
    for (policy, ends_in) in [
        (CachePolicy::disabled(), None),
        (CachePolicy::default().api_keys(Duration::ZERO), None),
        (CachePolicy::default(), Some(Duration::ZERO)),
    ] {
        let cache = Arc::new(CredentialCache::new(policy));
        let start = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let cache = cache.clone();
            tasks.spawn(async move {
                let fetch = || {
                    fetching(async move {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        (Ok(Fetched { ends_in, ..fetched("one") }), 1)
                    })
                };
                cache.get_or_fetch(key("openai"), &Handle::current(), fetch).await.answer.unwrap();
            });
        }
        tasks.join_all().await;
        assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn calls_that_miss_together_share_one_fetch() {
    let cache = Arc::new(CredentialCache::new(CachePolicy::default()));
    let fetches = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (cache, fetches) = (cache.clone(), fetches.clone());
        tasks.spawn(async move {
            let fetch = async move {
                fetches.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(fetched("one"))
            };
            ask(&cache, key("openai"), fetch).await.1
        });
    }
    let origins = tasks.join_all().await;
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
    assert_eq!(origins.iter().filter(|origin| **origin == Origin::Service).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_find_it_expired_together_share_one_fetch() {
    let cache = Arc::new(CredentialCache::new(CachePolicy::default()));
    fetch(&cache, "openai", "old").await;
    tokio::time::advance(Duration::from_mins(5)).await;
    let fetches = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (cache, fetches) = (cache.clone(), fetches.clone());
        tasks.spawn(async move {
            let fetch = async move {
                fetches.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(fetched("new"))
            };
            ask(&cache, key("openai"), fetch).await.0.unwrap()
        });
    }
    assert!(tasks.join_all().await.iter().all(|text| text == "new"));
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_failure_reaches_all_who_waited_and_is_not_kept() {
    let cache = Arc::new(CredentialCache::new(CachePolicy::default()));
    let fail = || async {
        tokio::task::yield_now().await;
        Err(Error::configuration("broken"))
    };
    let (one, two) = tokio::join!(
        ask(&cache, key("openai"), fail()),
        ask(&cache, key("openai"), async { panic!("the first call fetches") }),
    );
    assert!(one.0.is_err() && two.0.is_err());
    assert_eq!([one.1, two.1], [Origin::Service, Origin::Shared]);
    assert_eq!(fetch(&cache, "openai", "one").await, ("one".into(), Origin::Service));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_leader_strands_nobody() {
    let cache = CredentialCache::new(CachePolicy::default());
    let slow = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(fetched("of the leader"))
    };
    let (leader, follower) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(1), ask(&cache, key("openai"), slow)),
        ask(&cache, key("openai"), async { panic!("the first call fetches") }),
    );
    leader.unwrap_err();
    assert_eq!((follower.0.unwrap().as_str(), follower.1), ("of the leader", Origin::Shared));
}

/// Polled once and then not again, it still holds what it has begun.
#[tokio::test]
async fn a_leader_that_is_set_aside_holds_up_nobody() {
    let cache = CredentialCache::new(CachePolicy::default());
    let slow = async {
        tokio::task::yield_now().await;
        Ok(fetched("of the leader"))
    };
    let mut leader = Box::pin(ask(&cache, key("openai"), slow));
    assert!(futures_util::poll!(&mut leader).is_pending());
    let follower = ask(&cache, key("openai"), async { panic!("the first call fetches") }).await;
    assert_eq!(follower.0.unwrap(), "of the leader");
    assert_eq!(leader.await.0.unwrap(), "of the leader");
}

#[tokio::test]
async fn a_fetch_ends_with_the_last_who_waits_for_it() {
    let cache = CredentialCache::new(CachePolicy::default());
    let held = Arc::new(());
    let endless = {
        let held = held.clone();
        async move {
            let never = std::future::pending().await;
            drop(held);
            never
        }
    };
    let mut leader = Box::pin(ask(&cache, key("openai"), endless));
    let mut follower = Box::pin(ask(&cache, key("openai"), async { panic!("the first call fetches") }));
    assert!(futures_util::poll!(&mut leader).is_pending() && futures_util::poll!(&mut follower).is_pending());
    drop(leader);
    assert_eq!(Arc::strong_count(&held), 2);
    drop(follower);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(fetch(&cache, "openai", "anew").await, ("anew".into(), Origin::Service));
}

/// Connections of one runtime make no progress on another.
#[test]
fn each_runtime_has_fetches_of_its_own() {
    let cache = CredentialCache::new(CachePolicy::default());
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (one, two) = (runtime(), runtime());
    let mut first = Box::pin(ask(&cache, key("openai"), std::future::pending()));
    one.block_on(async { assert!(futures_util::poll!(&mut first).is_pending()) });
    assert_eq!(two.block_on(fetch(&cache, "openai", "of the second")).0, "of the second");
}

/// The other runtime's answer was on its way when the credential was replaced.
#[test]
fn an_answer_that_was_asked_for_earlier_replaces_none() {
    let cache = CredentialCache::new(CachePolicy::default());
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (one, two) = (runtime(), runtime());
    let (answer, answered) = tokio::sync::oneshot::channel();
    let late = async { Ok(answered.await.unwrap()) };
    let mut early = Box::pin(ask(&cache, key("openai"), late));
    two.block_on(async { assert!(futures_util::poll!(&mut early).is_pending()) });
    assert_eq!(one.block_on(fetch(&cache, "openai", "new")).0, "new");
    answer.send(fetched("old")).unwrap_or_else(|_| panic!("it is waited for"));
    assert_eq!(two.block_on(early).0.unwrap(), "old");
    assert_eq!(kept(&cache, key("openai")).as_deref(), Some("new"));
}

/// For a kind that is not kept, there is nothing to put.
#[tokio::test]
async fn nothing_is_put_where_nothing_is_kept() {
    for policy in [CachePolicy::disabled(), CachePolicy::default().access_tokens(Duration::ZERO)] {
        let cache = CredentialCache::new(policy);
        cache.put(token(), fetched("new"));
        assert_eq!(kept(&cache, token()), None);
    }
}

#[tokio::test]
async fn forget_drops_the_rejected_credential_only() {
    let cache = CredentialCache::new(CachePolicy::default());
    fetch(&cache, "openai", "rotated").await;
    cache.forget(key("openai"), &Secret::new("older"));
    assert_eq!(kept(&cache, key("openai")).as_deref(), Some("rotated"));
    cache.forget(key("openai"), &Secret::new("rotated"));
    assert_eq!(kept(&cache, key("openai")), None);
}

#[tokio::test]
async fn the_number_of_entries_is_bounded() {
    let cache = CredentialCache::new(CachePolicy::default().max_entries(10));
    for n in 0..1_000 {
        fetch(&cache, &format!("provider-{n}"), "key").await;
    }
    let entries = &cache.store.unwrap().entries;
    entries.run_pending_tasks();
    assert!(entries.entry_count() <= 10, "{}", entries.entry_count());
}

fn caller() -> impl Strategy<Value = CallerId> {
    let digest = || (0..3_u8).prop_map(|n| Digest::of("test", &n.to_string()));
    prop_oneof![
        digest().prop_map(CallerId::Token),
        (digest(), proptest::option::of(digest())).prop_map(|(name, user)| CallerId::Workload { name, user }),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(Kind::ALL.to_vec())
}

fn parameters() -> impl Strategy<Value = Option<Digest>> {
    proptest::option::of((0..3_u8).prop_map(|n| Digest::of("parameters", &n.to_string())))
}

proptest! {
    /// A lookup finds an entry exactly when caller, kind, provider and parameters are all the same.
    #[test]
    fn both_forms_of_a_key_agree(
        a in (caller(), kind(), "[ab]{0,2}", parameters()),
        b in (caller(), kind(), "[ab]{0,2}", parameters()),
    ) {
        use std::hash::{BuildHasher, RandomState};
        use moka::Equivalent;

        fn key_ref((caller, kind, provider, parameters): &(CallerId, Kind, String, Option<Digest>)) -> KeyRef<'_> {
            KeyRef { caller, kind: *kind, provider, parameters: *parameters }
        }
        let same = a == b;
        let (a, b) = (key_ref(&a), key_ref(&b));
        let kept = Key::from(b);
        prop_assert_eq!(a.equivalent(&kept), same);
        prop_assert_eq!(Key::from(a) == kept, same);
        let hasher = RandomState::new();
        prop_assert_eq!(hasher.hash_one(b), hasher.hash_one(kept));
    }
}
