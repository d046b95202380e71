//! Whose turn it is to get the link to the user.
//!
//! A handler runs in its caller's own future, from which it may borrow. That future may be dropped, or set aside by a
//! `select!` and never polled again, while others wait for the same user; so the turn passes on.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::sync::watch;

/// How long a handler that could go on may be left alone before another caller's runs.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether a handler that asked to be polled has been.
pub(super) struct Attention {
    wanted: watch::Sender<bool>,
    caller: Mutex<Waker>,
}

impl Attention {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { wanted: watch::Sender::new(false), caller: Mutex::new(Waker::noop().clone()) })
    }

    /// Waits until the handler has wanted to go on for longer than anybody who polls it would leave it.
    pub(super) async fn is_missed(&self) {
        let mut wanted = self.wanted.subscribe();
        loop {
            // The sender is in `self`, and so neither wait can fail.
            let _ = wanted.wait_for(|wanted| *wanted).await;
            if tokio::time::timeout(PATIENCE, wanted.wait_for(|wanted| !*wanted)).await.is_err() {
                return;
            }
        }
    }
}

impl Wake for Attention {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wanted.send_replace(true);
        let caller = self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone();
        caller.wake();
    }
}

/// A handler at work, and the attention it gets.
pub(super) struct Attended<'a, T> {
    pub(super) handler: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    pub(super) attention: Arc<Attention>,
}

impl<T> Future for Attended<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let attention = Arc::clone(&self.attention);
        attention.caller.lock().unwrap_or_else(PoisonError::into_inner).clone_from(context.waker());
        attention.wanted.send_replace(false);
        let waker = Waker::from(attention);
        self.handler.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
