//! A user's consent, from the first question to the token.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use super::handler::Handler;
use super::poll::{DynTokenPoller, PendingToken};
use super::query::Query;
use super::shared::{Key, Progress};
use super::{PendingAuthorization, Polling};
use crate::binding;
use crate::secret::Secret;
use crate::{AccessToken, Error};

/// The token, also if a user has to consent first.
pub(super) async fn authorize(
    query: &Arc<Query>,
    handler: Option<&Handler<'_>>,
    poller: Option<Arc<dyn DynTokenPoller>>,
) -> Result<Secret, Error> {
    let key = Key { caller: query.caller()?.id, parameters: query.parameters.authorization_digest() };
    // A task may be lost with the runtime of the caller that began it, which need not be this one's.
    for _ in 0..2 {
        let authorization = query.client.authorizations().join(key, |progress| {
            let work = run(Arc::clone(query), poller.clone(), progress);
            let context = query.context.clone();
            async move {
                match context {
                    Some(context) => context.scope(work).await,
                    None => work.await,
                }
            }
        })?;
        if let Some(answer) = authorization.answer(handler).await {
            return answer;
        }
    }
    Err(Error::configuration(
        "the Tokio runtime shut down while a user was waited for on it: call again on one that runs until the user is back",
    ))
}

async fn run(
    query: Arc<Query>,
    poller: Option<Arc<dyn DynTokenPoller>>,
    progress: Arc<Progress>,
) -> Result<Secret, Error> {
    // Another call's authorization may have ended after this call looked.
    if let Some(secret) = query.kept()? {
        return Ok(secret);
    }
    let binding = binding::Binding::of(&query.client, &query.parameters)?;
    let pending = match query.begin(binding.state()).await {
        Ok(secret) => return Ok(secret),
        Err(Error::AuthorizationRequired(pending)) => pending,
        Err(error) => return Err(error),
    };
    let deadline = Instant::now() + query.client.polling().timeout;
    let timed_out = || Error::AuthorizationTimedOut {
        provider: query.parameters.provider.clone(),
        waited: query.client.polling().timeout,
    };
    let user = query.user()?;
    let announced = async {
        binding.register(&pending, user).await?;
        progress.announce(pending.clone()).await;
        Ok(())
    };
    timeout_at(deadline, announced).await.map_err(|_| timed_out())??;

    let span = debug_span!("await_consent", provider = query.parameters.provider, polls = Empty, outcome = Empty);
    let state = binding.state().map(str::to_owned);
    let waiting = async {
        match poller {
            None => {
                let token = poll(&query, query.client.polling(), state.as_deref(), &pending);
                timeout_at(deadline, token).await.map_err(|_| timed_out())?
            }
            Some(poller) => {
                let token = pending_token(&query, state, &pending);
                poller.poll(&pending, &token).await.map(|AccessToken(secret)| secret)
            }
        }
    };
    let answer = waiting.instrument(span.clone()).await;
    span.record("outcome", answer.as_ref().map_or_else(Error::kind, |_| "ok"));
    query.keep(answer?)
}

async fn poll(
    query: &Query,
    polling: &Polling,
    custom_state: Option<&str>,
    pending: &PendingAuthorization,
) -> Result<Secret, Error> {
    let mut interval = polling.interval;
    let mut polls = Polls { count: 0, span: Span::current() };
    loop {
        sleep(interval).await;
        polls.count += 1;
        match query.ask_again(custom_state, pending).await {
            Ok(Some(secret)) => return Ok(secret),
            Ok(None) => interval = polling.interval,
            Err(Error::Throttled { .. }) => {
                interval = interval.saturating_mul(2).min(polling.max_interval).max(polling.interval);
            }
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Tells its span at the end, however that comes about: subscribers print each value that a field is given.
struct Polls {
    count: u64,
    span: Span,
}

impl Drop for Polls {
    fn drop(&mut self) {
        self.span.record("polls", self.count);
    }
}

fn pending_token(query: &Arc<Query>, custom_state: Option<String>, pending: &PendingAuthorization) -> PendingToken {
    let question = Arc::new((Arc::clone(query), custom_state, pending.clone()));
    PendingToken::new(move || {
        let question = Arc::clone(&question);
        async move {
            let (query, custom_state, pending) = &*question;
            Ok(query.ask_again(custom_state.as_deref(), pending).await?.map(AccessToken))
        }
    })
}
