//! From a cache key to a credential: kept, renewed ahead, shared or fetched, and a span that says which.

use std::future::Future;

use futures_util::future::BoxFuture;
use tracing::field::Empty;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, Span, debug_span};

use super::IdentityClient;
use crate::cache::{Fetched, KeyRef, Kind, Origin, Outcome};
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
    /// What is kept under `key`, which `fetch` renews in the background when it is due.
    pub(crate) fn kept(
        &self,
        operation: Operation,
        key: KeyRef<'_>,
        fetch: impl Fetch,
    ) -> Result<Option<Secret>, Error> {
        let Some(hit) = self.inner.cache.get(&key) else { return Ok(None) };
        if hit.is_due {
            let renewal = || renewal(operation, key.provider, fetch());
            self.inner.cache.renew(key, &current_runtime()?, renewal);
        }
        debug_span!(
            "fetch_credential",
            operation = operation.name(),
            provider = provider_field(key.provider),
            cache = "hit",
            outcome = "ok",
            attempts = 0
        );
        Ok(Some(hit.secret))
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

    /// What `ask` answers to the caller's workload token. One that was fetched here, as `ask` is told, and that the service
    /// rejects is fetched anew, once.
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
        let span = fetch_span(operation, key.provider);
        let fetch = || counted(fetch()).instrument(span.clone()).with_current_subscriber();
        let (answer, origin, attempts) = self.inner.cache.get_or_fetch(key, &runtime, fetch).await;
        span.record("cache", if origin == Origin::Service { "miss" } else { "shared" });
        record(&span, &answer, attempts);
        (answer, origin)
    }

    /// One fetch that nobody shares, in a span of its own.
    pub(crate) async fn past_cache(
        &self,
        operation: Operation,
        provider: &str,
        fetch: FetchFuture,
    ) -> Result<Fetched, Error> {
        let span = fetch_span(operation, provider);
        let (answer, attempts) = counted(fetch).instrument(span.clone()).await;
        span.record("cache", "miss");
        record(&span, &answer, attempts);
        answer
    }
}

/// The workload token is kept for its caller, whatever provider it was first fetched for.
fn workload_token_key<'a>(caller: &'a Caller<'_>) -> KeyRef<'a> {
    KeyRef { caller: &caller.id, kind: Kind::WorkloadToken, provider: "", parameters: None }
}

/// `cache` is `hit`, `miss`, `shared` when another call's request answered this one too, or `renewal` for one ahead of
/// time; `outcome` is `ok` or the variant of [`Error`]; `attempts` counts what this call sent, the AWS SDK's retries included.
fn fetch_span(operation: Operation, provider: &str) -> Span {
    debug_span!(
        "fetch_credential",
        operation = operation.name(),
        provider = provider_field(provider),
        cache = Empty,
        outcome = Empty,
        attempts = Empty,
    )
}

fn provider_field(provider: &str) -> Option<&str> {
    (!provider.is_empty()).then_some(provider)
}

/// A fetch in the background, for which nobody waits.
fn renewal(operation: Operation, provider: &str, fetch: FetchFuture) -> impl Future<Output = Outcome> + use<> {
    let span = fetch_span(operation, provider);
    span.record("cache", "renewal");
    let renewal = async {
        let (answer, attempts) = counted(fetch).await;
        record(&Span::current(), &answer, attempts);
        (answer, attempts)
    };
    renewal.instrument(span).with_current_subscriber()
}

fn record<T>(span: &Span, answer: &Result<T, Error>, attempts: u32) {
    span.record("outcome", answer.as_ref().map_or_else(Error::kind, |_| "ok")).record("attempts", attempts);
}
