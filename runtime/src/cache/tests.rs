use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::caller::CallerId;
use crate::digest::Digest;

static CALLER: LazyLock<CallerId> = LazyLock::new(|| CallerId::Token(Digest::of("workload token", "wat")));

fn key(provider: &str) -> KeyRef<'_> {
    KeyRef { caller: &CALLER, kind: Kind::ApiKey, provider, parameters: None }
}

fn fetched(text: &str) -> Fetched {
    Fetched { secret: Secret::new(text), ends_in: None }
}

async fn fetch(cache: &CredentialCache, provider: &str, text: &str) -> (String, Origin) {
    let (answer, origin) = cache.get_or_fetch(key(provider), async { Ok(fetched(text)) }).await;
    (answer.unwrap().expose().to_owned(), origin)
}

async fn kept(cache: &CredentialCache, provider: &str) -> Option<String> {
    cache.get(&key(provider)).await.map(|secret| secret.expose().to_owned())
}

#[tokio::test(start_paused = true)]
async fn kept_until_the_end_of_its_lifetime_and_not_longer() {
    let cache = CredentialCache::new(CachePolicy::default());
    assert_eq!(fetch(&cache, "openai", "one").await, ("one".into(), Origin::Service));
    tokio::time::advance(Duration::from_mins(5) - Duration::from_millis(1)).await;
    assert_eq!(kept(&cache, "openai").await.as_deref(), Some("one"));
    assert_eq!(fetch(&cache, "openai", "two").await, ("one".into(), Origin::Shared));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(kept(&cache, "openai").await, None);
    assert_eq!(fetch(&cache, "openai", "two").await, ("two".into(), Origin::Service));
}

#[tokio::test(start_paused = true)]
async fn never_served_past_its_known_end() {
    let cache = CredentialCache::new(CachePolicy::default());
    let short = Fetched { secret: Secret::new("short"), ends_in: Some(Duration::from_secs(2)) };
    cache.get_or_fetch(key("openai"), async { Ok(short) }).await.0.unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(kept(&cache, "openai").await, None);
}

#[tokio::test]
async fn a_disabled_cache_asks_each_time() {
    for policy in [
        CachePolicy::disabled(),
        CachePolicy::default().api_keys(Duration::ZERO).workload_tokens(Duration::ZERO),
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
                let fetch = async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok(Fetched { ends_in, ..fetched("one") })
                };
                cache.get_or_fetch(key("openai"), fetch).await.0.unwrap();
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
            let fetch = async {
                fetches.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(fetched("one"))
            };
            cache.get_or_fetch(key("openai"), fetch).await.1
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
            let fetch = async {
                fetches.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(fetched("new"))
            };
            cache.get_or_fetch(key("openai"), fetch).await.0.unwrap().expose().to_owned()
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
    let (one, two) = tokio::join!(cache.get_or_fetch(key("openai"), fail()), async {
        cache.get_or_fetch(key("openai"), async { panic!("the first call fetches") }).await
    });
    assert!(one.0.is_err() && two.0.is_err());
    assert_eq!([one.1, two.1], [Origin::Service, Origin::Shared]);
    assert_eq!(fetch(&cache, "openai", "one").await, ("one".into(), Origin::Service));
}

#[tokio::test]
async fn a_dropped_leader_strands_nobody() {
    let cache = Arc::new(CredentialCache::new(CachePolicy::default()));
    let leader = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_or_fetch(key("openai"), std::future::pending()).await.1 }
    });
    tokio::task::yield_now().await;
    let follower = tokio::spawn({
        let cache = cache.clone();
        async move { fetch(&cache, "openai", "from the follower").await }
    });
    tokio::task::yield_now().await;
    leader.abort();
    assert_eq!(follower.await.unwrap(), ("from the follower".into(), Origin::Service));
}

#[tokio::test]
async fn forget_drops_the_rejected_credential_only() {
    let cache = CredentialCache::new(CachePolicy::default());
    fetch(&cache, "openai", "rotated").await;
    cache.forget(key("openai"), &Secret::new("older")).await;
    assert_eq!(kept(&cache, "openai").await.as_deref(), Some("rotated"));
    cache.forget(key("openai"), &Secret::new("rotated")).await;
    assert_eq!(kept(&cache, "openai").await, None);
}

#[tokio::test]
async fn the_number_of_entries_is_bounded() {
    let cache = CredentialCache::new(CachePolicy::default().max_entries(10));
    for n in 0..1_000 {
        fetch(&cache, &format!("provider-{n}"), "key").await;
    }
    let entries = cache.entries.unwrap();
    entries.run_pending_tasks().await;
    assert!(entries.entry_count() <= 10, "{}", entries.entry_count());
}

fn caller() -> impl Strategy<Value = CallerId> {
    let digest = || (0..3_u8).prop_map(|n| Digest::of("test", &n.to_string()));
    prop_oneof![
        digest().prop_map(CallerId::Token),
        (digest(), proptest::option::of(digest())).prop_map(|(name, user)| CallerId::Workload { name, user }),
    ]
}

proptest! {
    /// A lookup finds an entry exactly when caller, kind and provider are all the same.
    #[test]
    fn both_forms_of_a_key_agree(
        a in (caller(), any::<bool>(), "[ab]{0,2}"),
        b in (caller(), any::<bool>(), "[ab]{0,2}"),
    ) {
        use std::hash::{BuildHasher, RandomState};
        use moka::Equivalent;

        fn key_ref((caller, api_key, provider): &(CallerId, bool, String)) -> KeyRef<'_> {
            KeyRef { caller, kind: if *api_key { Kind::ApiKey } else { Kind::WorkloadToken }, provider, parameters: None }
        }
        let same = a.0 == b.0 && a.1 == b.1 && a.2 == b.2;
        let (a, b) = (key_ref(&a), key_ref(&b));
        let kept = Key::from(b);
        prop_assert_eq!(a.equivalent(&kept), same);
        prop_assert_eq!(Key::from(a) == kept, same);
        let hasher = RandomState::new();
        prop_assert_eq!(hasher.hash_one(b), hasher.hash_one(kept));
    }
}
