//! Accepting connections, and letting go of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::dispatch::Endpoint;
use crate::background::Background;

/// How long calls that are under way may take to end at a graceful stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long accepting rests when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops it at once.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    task: JoinHandle<()>,
    background: Background,
}

impl Server {
    /// Serves on the current Tokio runtime.
    pub(crate) fn start(listener: TcpListener, endpoint: Arc<Endpoint>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let background = endpoint.service.background.clone();
        Self { stop: Some(stop), task: tokio::spawn(serve(listener, endpoint, stopped)), background }
    }

    /// Takes no more connections, lets calls that are under way end, and returns when all is closed.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the server ended badly");
        }
        self.background.finish(GRACE).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.background.stop();
    }
}

async fn serve(listener: TcpListener, endpoint: Arc<Endpoint>, mut stopped: oneshot::Receiver<Infallible>) {
    let graceful = GracefulShutdown::new();
    // Connections live in the set, so that they end with this task when it is aborted.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connect(stream, peer, &endpoint, &graceful, &mut connections),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("calls were cut off at the stop, {} seconds after it was asked for", GRACE.as_secs());
    }
    connections.shutdown().await;
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    endpoint: &Arc<Endpoint>,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    // Answers are small and whole; waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let endpoint = Arc::clone(endpoint);
    let service = service_fn(move |request| {
        let endpoint = Arc::clone(&endpoint);
        async move { endpoint.answer(request, peer).await }
    });
    let connection = graceful.watch(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    connections.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
