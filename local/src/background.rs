//! Work that goes on when the one who asked for it has gone: what another server has begun cannot be taken back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::error::ServiceError;
use crate::sync::lock;

#[derive(Clone, Default)]
pub(crate) struct Background(Arc<Mutex<JoinSet<()>>>);

impl Background {
    /// Runs `work` to its end, and waits for it. Not to wait does not stop it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (done, outcome) = oneshot::channel();
        {
            let mut tasks = lock(&self.0);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                // Nobody may be waiting any more.
                let _ = done.send(work.await);
            });
        }
        outcome.await.unwrap_or_else(|_| Err(ServiceError::internal(&"work was cut off by the end of the service")))
    }

    /// Lets the work that is under way end, for at most this long.
    pub(crate) async fn finish(&self, within: Duration) {
        let mut tasks = std::mem::take(&mut *lock(&self.0));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("work with other servers was cut off at the stop");
        }
        tasks.shutdown().await;
    }

    pub(crate) fn stop(&self) {
        lock(&self.0).abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_outlives_who_waits_for_it_but_not_the_stop() {
        let background = Background::default();
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        let work = |after: u64| {
            let send = send.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(after)).await;
                let _ = send.send(after);
                Ok(after)
            }
        };
        assert_eq!(background.run(work(1)).await, Ok(1));
        for after in [2, 100] {
            let left = tokio::time::timeout(Duration::from_millis(1), background.run(work(after))).await;
            assert!(left.is_err());
        }
        background.finish(Duration::from_secs(5)).await;
        drop(send);
        let mut ended = Vec::new();
        while let Some(after) = receive.recv().await {
            ended.push(after);
        }
        assert_eq!(ended, [1, 2]);
    }
}
