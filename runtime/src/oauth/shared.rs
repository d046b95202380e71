//! Authorizations under way, each shared by all callers that wait for the same user to consent to the same.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use super::PendingAuthorization;
use super::announce::{Attended, Attention};
use super::handler::Handler;
use crate::Error;
use crate::caller::CallerId;
use crate::digest::Digest;
use crate::error::Cause;
use crate::secret::Secret;
use crate::service::current_runtime;

/// Who waits for what.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) caller: CallerId,
    pub(super) parameters: Digest,
}

#[derive(Default)]
pub(crate) struct Authorizations {
    by_key: Mutex<HashMap<Key, Weak<Authorization>>>,
}

impl Authorizations {
    /// The authorization under way for `key`, else a new one: `work`, in a task that ends with its last waiter.
    pub(super) fn join<W>(
        self: &Arc<Self>,
        key: Key,
        work: impl FnOnce(Arc<Progress>) -> W,
    ) -> Result<Arc<Authorization>, Error>
    where
        W: Future<Output = Result<Secret, Error>> + Send + 'static,
    {
        let runtime = current_runtime()?;
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        let former = by_key.get(&key).and_then(Weak::upgrade);
        if let Some(former) = former.as_ref().filter(|former| !former.progress.is_over()) {
            return Ok(Arc::clone(former));
        }
        let progress = Arc::new(Progress::default());
        let mut task = JoinSet::new();
        let work = Box::pin(work(Arc::clone(&progress)));
        let work = to_its_end(Arc::clone(&progress), work);
        task.spawn_on(work.in_current_span().with_current_subscriber(), &runtime);
        let authorization = Arc::new(Authorization { key, progress, entries: Arc::downgrade(self), _task: task });
        by_key.insert(key, Arc::downgrade(&authorization));
        // `former` may be the last one of its kind, and removes its entry when it goes.
        drop(by_key);
        Ok(authorization)
    }

    /// Ends the authorization whose session is known by `session`, its [`key`](crate::binding::key), if its callers
    /// wait here.
    #[cfg(feature = "session-binding")]
    pub(crate) fn fail(&self, session: &str, error: Error) {
        let by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        // All of them are kept until the lock is gone: one may be the last of its kind, and takes it when it goes.
        let waiting: Vec<_> = by_key.values().filter_map(Weak::upgrade).collect();
        drop(by_key);
        if let Some(found) = waiting.iter().find(|authorization| authorization.progress.is_of(session)) {
            found.progress.end(Outcome::Answer(Err(error)));
        }
    }
}

#[cfg(test)]
impl Authorizations {
    pub(crate) fn len(&self) -> usize {
        self.by_key.lock().unwrap().len()
    }
}

pub(super) struct Authorization {
    key: Key,
    progress: Arc<Progress>,
    entries: Weak<Authorizations>,
    _task: JoinSet<()>,
}

impl Drop for Authorization {
    fn drop(&mut self) {
        let Some(entries) = self.entries.upgrade() else { return };
        let mut by_key = entries.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if by_key.get(&self.key).is_some_and(|entry| std::ptr::eq(entry.as_ptr(), self)) {
            by_key.remove(&self.key);
        }
    }
}

/// Runs `work`, unless it is over for another reason, and says how it ended, also when it is dropped or panics.
fn to_its_end(
    progress: Arc<Progress>,
    work: Pin<Box<impl Future<Output = Result<Secret, Error>>>>,
) -> impl Future<Output = ()> {
    struct Unfinished(Arc<Progress>);

    impl Drop for Unfinished {
        fn drop(&mut self) {
            self.0.end(Outcome::Lost);
        }
    }

    // Made here and not in the future, which a runtime that is over drops before it is polled.
    let unfinished = Unfinished(progress);
    async move {
        let mut state = unfinished.0.state.subscribe();
        let over = pin!(state.wait_for(|state| state.outcome.is_some()));
        if let Either::Left((answer, _)) = select(AssertUnwindSafe(work).catch_unwind(), over).await {
            unfinished.0.end(Outcome::Answer(answer.unwrap_or_else(|_| Err(panicked()))));
        }
    }
}

fn panicked() -> Error {
    let reason = "the authorization of a user panicked, most likely in the TokenPoller of the call or the PendingStore of \
                  the client: the message of the panic in the output of this process says where";
    Error::authorization_failed(reason, Cause::default())
}

/// How far an authorization has come.
#[derive(Default)]
pub(super) struct Progress {
    state: watch::Sender<State>,
}

#[derive(Clone, Default)]
struct State {
    step: Step,
    outcome: Option<Outcome>,
}

#[derive(Clone, Default)]
enum Step {
    /// The service has not answered yet.
    #[default]
    Asking,
    /// The user has to be given the link.
    Required(PendingAuthorization),
    /// A caller's handler is doing so.
    Announcing(PendingAuthorization, Arc<Attention>),
    /// The user has it.
    Announced(PendingAuthorization),
}

#[derive(Clone)]
enum Outcome {
    Answer(Result<Secret, Error>),
    /// The task is gone, with the runtime it ran on.
    Lost,
}

impl Progress {
    fn is_over(&self) -> bool {
        self.state.borrow().outcome.is_some()
    }

    /// Whether its session is the one that is known by `session`.
    #[cfg(feature = "session-binding")]
    fn is_of(&self, session: &str) -> bool {
        match &self.state.borrow().step {
            Step::Asking => false,
            Step::Required(pending) | Step::Announcing(pending, _) | Step::Announced(pending) => {
                crate::binding::key(pending.session_uri()) == session
            }
        }
    }

    /// The first end counts.
    fn end(&self, outcome: Outcome) {
        self.state.send_if_modified(|state| {
            let first = state.outcome.is_none();
            state.outcome.get_or_insert(outcome);
            first
        });
    }

    /// Has a caller's handler give the link to the user, and waits until that is done. Never returns if it fails, since
    /// that is the end.
    pub(super) async fn announce(&self, pending: PendingAuthorization) {
        self.state.send_modify(|state| state.step = Step::Required(pending));
        // The sender is in `self`, and so this does not fail.
        let _ = self.state.subscribe().wait_for(|state| matches!(state.step, Step::Announced(_))).await;
    }

    /// Takes the turn to announce if it is free, or from the caller whose `attention` is missed.
    fn take_turn(&self, missed: Option<&Arc<Attention>>) -> Option<Turn<'_>> {
        let mut turn = None;
        self.state.send_if_modified(|state| {
            let pending = match &state.step {
                Step::Required(pending) => pending,
                Step::Announcing(pending, theirs) if missed.is_some_and(|missed| Arc::ptr_eq(missed, theirs)) => {
                    pending
                }
                _ => return false,
            };
            if state.outcome.is_some() {
                return false;
            }
            let (pending, attention) = (pending.clone(), Attention::new());
            turn = Some(Turn { progress: self, pending: pending.clone(), attention: Arc::clone(&attention) });
            state.step = Step::Announcing(pending, attention);
            true
        });
        turn
    }
}

/// The turn to announce, which is free again when it is dropped unused.
struct Turn<'a> {
    progress: &'a Progress,
    pending: PendingAuthorization,
    attention: Arc<Attention>,
}

impl Turn<'_> {
    /// Unless somebody else has done so meanwhile, or it is over for another reason.
    async fn announce_with(self, handler: &Handler<'_>) {
        let mut state = self.progress.state.subscribe();
        let over = pin!(state.wait_for(|state| state.outcome.is_some()));
        let handler = Attended { handler: handler.call(self.pending.clone()), attention: Arc::clone(&self.attention) };
        let Either::Left((outcome, _)) = select(handler, over).await else { return };
        match outcome {
            Ok(()) => self.progress.state.send_modify(|state| state.step = Step::Announced(self.pending.clone())),
            Err(error) => {
                let provider = self.pending.provider();
                let reason = format!(
                    "the user could not be given the link to grant access through the credential provider `{provider}`: \
                     `on_auth_url` failed, the error's source says how"
                );
                let failed = Error::authorization_failed(reason, Cause::new(error, None));
                self.progress.state.send_if_modified(|state| {
                    // Where the turn was passed on, the user has the link from somebody else.
                    let counts = state.outcome.is_none() && self.is_held(state);
                    if counts {
                        state.outcome = Some(Outcome::Answer(Err(failed)));
                    }
                    counts
                });
            }
        }
    }

    fn is_held(&self, state: &State) -> bool {
        matches!(&state.step, Step::Announcing(_, attention) if Arc::ptr_eq(attention, &self.attention))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.progress.state.send_if_modified(|state| {
            let unused = self.is_held(state);
            if unused {
                state.step = Step::Required(self.pending.clone());
            }
            unused
        });
    }
}

impl Authorization {
    /// Waits for the answer, and announces the link with `handler` if it is this caller's turn; without a handler, the
    /// link is the answer. `None` if the task was lost.
    pub(super) async fn answer(&self, handler: Option<&Handler<'_>>) -> Option<Result<Secret, Error>> {
        let mut state = self.progress.state.subscribe();
        loop {
            let State { step, outcome } = state.borrow_and_update().clone();
            match outcome {
                Some(Outcome::Answer(answer)) => return Some(answer),
                Some(Outcome::Lost) => return None,
                None => {}
            }
            // As above: the sender is alive.
            let changed = state.changed();
            match (step, handler) {
                (Step::Required(pending) | Step::Announcing(pending, _) | Step::Announced(pending), None) => {
                    return Some(Err(Error::AuthorizationRequired(pending)));
                }
                (Step::Asking, _) | (Step::Announced(_), Some(_)) => {
                    let _ = changed.await;
                }
                (Step::Required(_), Some(handler)) => {
                    if let Some(turn) = self.progress.take_turn(None) {
                        turn.announce_with(handler).await;
                    }
                }
                (Step::Announcing(_, attention), Some(handler)) => {
                    let missed = matches!(select(pin!(changed), pin!(attention.is_missed())).await, Either::Right(_));
                    if missed && let Some(turn) = self.progress.take_turn(Some(&attention)) {
                        turn.announce_with(handler).await;
                    }
                }
            }
        }
    }
}
