//! From a cache key to a credential: kept, renewed ahead, shared or fetched, and a span that says which.

use std::future::Future;

use futures_util::future::BoxFuture;
use tracing::field::Empty;
use tracing::{Span, debug_span};

use super::IdentityClient;
use crate::cache::{Fetched, Fetching, KeyRef, Kind, Origin, Served, record};
use crate::caller::{Caller, TokenOrigin};
use crate::operation::Operation;
use crate::secret::Secret;
use crate::service::{counted, current_runtime, workload_token_operation};
use crate::{Error, RequestContext, UserIdentifier};

/// How a credential is asked for. Boxed, since each future around a large one holds it twice.
pub(crate) type FetchFuture = BoxFuture<'static, Result<Fetched, Error>>;

pub(crate) trait Fetch: Fn() -> FetchFuture {}

impl<F: Fn() -> FetchFuture> Fetch for F {}

impl IdentityClient {
    /// What is kept under `key`, which `fetch` renews in the background when it is due, if there is a runtime for it.
    pub(crate) fn kept(&self, operation: Operation, key: KeyRef<'_>, fetch: impl Fetch) -> Option<Secret> {
        let hit = self.inner.cache.get(&key)?;
        if hit.is_due
            && let Ok(runtime) = current_runtime()
        {
            let renewal = || {
                let span = fetch_span(operation, key.named_provider());
                span.record("cache", "renewal");
                Fetching { requests: counted(fetch()), operation, span }
            };
            self.inner.cache.renew(key, &runtime, renewal);
        }
        debug_span!(
            "fetch_credential",
            operation = operation.name(),
            provider = key.named_provider(),
            cache = "hit",
            outcome = "ok",
            attempts = 0
        );
        Some(hit.secret)
    }

    /// What `fetch` brings in place of `rejected`, which is no longer served.
    pub(crate) async fn replacement(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
        rejected: &Secret,
    ) -> Result<Secret, Error> {
        self.inner.cache.forget(key, rejected);
        match self.through_cache(operation, key, &fetch).await {
            // Another call's request, which may have been sent before the credential was replaced in the vault.
            (Ok(shared), Origin::Shared) if shared.same_as(rejected) => {
                self.inner.cache.forget(key, rejected);
                self.through_cache(operation, key, &fetch).await.0
            }
            (answer, _) => answer,
        }
    }

    /// What `ask` answers to the caller's workload token. One that was fetched here, as `ask` is told, and that the
    /// service rejects is fetched anew, once.
    pub(crate) async fn with_workload_token<'c, T, F>(
        &'c self,
        context: Option<&'c RequestContext>,
        ask: impl Fn(Secret, bool) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let caller = Caller::resolve(context, || self.ambient())?;
        caller.origin.validate()?;
        let mut may_renew = matches!(caller.origin, TokenOrigin::Fetched { .. });
        loop {
            let (token, fetched) = match caller.origin {
                TokenOrigin::Given(token) => (token.0.clone(), false),
                TokenOrigin::Fetched { name, user } => (self.fetched_workload_token(&caller, name, user).await?, true),
            };
            match ask(token.clone(), fetched).await {
                Err(Error::WorkloadTokenRejected { .. }) if may_renew => {
                    self.inner.cache.forget(workload_token_key(&caller), &token);
                    may_renew = false;
                }
                answer => return answer,
            }
        }
    }

    async fn fetched_workload_token(
        &self,
        caller: &Caller<'_>,
        name: &str,
        user: Option<&UserIdentifier>,
    ) -> Result<Secret, Error> {
        let key = workload_token_key(caller);
        if let Some(hit) = self.inner.cache.get(&key) {
            return Ok(hit.secret);
        }
        let fetch = || {
            let (client, name, user) = (self.clone(), name.to_owned(), user.cloned());
            Box::pin(async move { client.inner.service.workload_token(&name, user.as_ref()).await }) as FetchFuture
        };
        self.through_cache(workload_token_operation(user), key, fetch).await.0
    }

    /// One fetch, in a span of its own that says how it went.
    pub(crate) async fn through_cache(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
    ) -> (Result<Secret, Error>, Origin) {
        let runtime = match current_runtime() {
            Ok(runtime) => runtime,
            Err(error) => return (Err(error), Origin::Service),
        };
        let span = fetch_span(operation, key.named_provider());
        let fetch = || {
            span.record("cache", "miss");
            Fetching { requests: counted(fetch()), operation, span: span.clone() }
        };
        let Served { answer, origin, outcome } = self.inner.cache.get_or_fetch(key, &runtime, fetch).await;
        if origin == Origin::Shared {
            span.record("cache", "shared");
            record(&span, outcome, 0);
        }
        (answer, origin)
    }

    /// One fetch that nobody shares, in a span of its own.
    pub(crate) async fn past_cache(
        &self,
        operation: Operation,
        provider: &str,
        fetch: FetchFuture,
    ) -> Result<Fetched, Error> {
        let span = fetch_span(operation, Some(provider));
        span.record("cache", "miss");
        Fetching { requests: counted(fetch), operation, span }.alone().await
    }
}

/// The workload token is kept for its caller, whatever provider it was first fetched for.
fn workload_token_key<'a>(caller: &'a Caller<'_>) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::WorkloadToken, provider: "", parameters: None }
}

/// `cache` is `hit`, `miss`, `shared` when another call's request answered this one too, or `renewal` for one ahead of
/// time; `outcome` is `ok`, `kept` when the fetch failed and what was kept serves on, or the variant of [`Error`];
/// `attempts` counts what was sent, the AWS SDK's retries included, also when another call had to see it through.
fn fetch_span(operation: Operation, provider: Option<&str>) -> Span {
    debug_span!(
        "fetch_credential",
        operation = operation.name(),
        provider,
        cache = Empty,
        outcome = Empty,
        attempts = Empty,
    )
}
