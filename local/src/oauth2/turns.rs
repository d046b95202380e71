//! One at a time: two requests for the same token must not both use its refresh token, which is good for one use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use crate::store::TokenKey;
use crate::sync::lock;

#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<TokenKey, Weak<Queue<()>>>>);

/// It is this caller's turn until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    pub(crate) async fn wait(&self, key: &TokenKey) -> Turn {
        Turn { _guard: self.queue(key).lock_owned().await }
    }

    /// The turn, if nobody has it or waits for it.
    pub(crate) fn take(&self, key: &TokenKey) -> Option<Turn> {
        self.queue(key).try_lock_owned().ok().map(|guard| Turn { _guard: guard })
    }

    fn queue(&self, key: &TokenKey) -> Arc<Queue<()>> {
        let mut queues = lock(&self.0);
        queues.retain(|_, queue| queue.strong_count() > 0);
        queues.get(key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let queue = Arc::new(Queue::new(()));
            queues.insert(key.clone(), Arc::downgrade(&queue));
            queue
        })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn one_key_one_turn_and_nothing_stays_behind() {
        let turns = Turns::default();
        let key = |digest: &str| {
            let [provider, workload, identity, digest] = ["p", "w", "i", digest].map(str::to_owned);
            TokenKey { provider, workload, identity, digest }
        };
        let first = turns.wait(&key("a")).await;
        let _other = turns.wait(&key("b")).await;
        let (a, c) = (key("a"), key("c"));
        let mut second = pin!(turns.wait(&a));
        assert!(matches!(futures_poll(&mut second).await, Poll::Pending));
        assert!(turns.take(&a).is_none());
        drop(first);
        drop(second.await);
        assert!(turns.take(&a).is_some());
        drop(turns.wait(&c).await);
        assert_eq!(lock(&turns.0).len(), 2, "b is taken, c was the last");
    }

    async fn futures_poll<F: Future>(future: &mut std::pin::Pin<&mut F>) -> Poll<F::Output> {
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
    }
}
