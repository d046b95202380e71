//! Time that goes on when a test says so, while real sockets answer.
//!
//! With Tokio's clock paused, a runtime that waits for nothing but sockets and timers moves the clock to the next timer
//! at once: timeouts fire before the answer that they are for has come. [`Time`] keeps it from doing so, and knows from
//! [`Requests`] when the clients have their answers.

use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::watch;
use tokio::task;

/// How often a task is polled between two requests, at the most; and more often than that.
const TURNS: usize = 100;

/// How often the sockets are looked at before nothing more is expected of them.
const PATIENCE: usize = 1_000_000;

/// As much as may pass at once: the intervals of polls are whole seconds.
const STEP: Duration = Duration::from_secs(1);

/// The connections of AWS clients, and how many answers they wait for. Clones share them.
#[derive(Clone)]
pub struct Requests {
    client: SharedHttpClient,
    under_way: watch::Sender<usize>,
}

impl Requests {
    /// Connections such as the AWS SDK opens by itself.
    #[must_use]
    pub fn new() -> Self {
        let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
        Self { client, under_way: watch::Sender::default() }
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("under_way", &*self.under_way.borrow()).finish_non_exhaustive()
    }
}

impl HttpClient for Requests {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Counted { connector, under_way: self.under_way.clone() })
    }
}

#[derive(Debug)]
struct Counted {
    connector: SharedHttpConnector,
    under_way: watch::Sender<usize>,
}

impl HttpConnector for Counted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request_under_way = UnderWay::begin(&self.under_way);
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let _request_under_way = request_under_way;
            let mut answer = answer.await?;
            let body = answer.take_body().collect().await.map_err(ConnectorError::io)?;
            // Not as bytes, which the AWS SDK would print into its log, as it does not with what comes from a socket.
            *answer.body_mut() = SdkBody::from_body_1_x(Full::new(body.to_bytes()));
            Ok(answer)
        })
    }
}

struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    fn begin(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// The clock of the current runtime, which stands still.
#[derive(Debug)]
pub struct Time {
    under_way: watch::Receiver<usize>,
    _hold: mpsc::Sender<()>,
}

impl Time {
    /// Stops the clock for as long as the value lives. The clients of the test share `requests`.
    ///
    /// The runtime is that of `#[tokio::test(start_paused = true)]`: a clock that was paused later stands between two
    /// milliseconds, and timers fire at whole ones.
    #[must_use]
    pub fn stop(requests: &Requests) -> Self {
        let (hold, until_dropped) = mpsc::channel::<()>();
        // While a blocking task runs, Tokio does not move a paused clock by itself.
        task::spawn_blocking(move || until_dropped.recv());
        Self { under_way: requests.under_way.subscribe(), _hold: hold }
    }

    /// Waits, while time stands still, until all that can happen without it has happened.
    ///
    /// # Panics
    ///
    /// When the connections of the test are gone.
    pub async fn settle(&self) {
        let mut under_way = self.under_way.clone();
        let mut quiet = 0;
        while quiet < TURNS {
            if *under_way.borrow_and_update() == 0 {
                quiet += 1;
                task::yield_now().await;
            } else {
                quiet = 0;
                under_way.wait_for(|count| *count == 0).await.expect("the test holds its connections");
            }
        }
    }

    /// Waits, while time stands still, until `count` requests wait for their answers at once.
    ///
    /// # Panics
    ///
    /// When there are not as many.
    pub async fn until_under_way(&self, count: usize) {
        for _ in 0..PATIENCE {
            if *self.under_way.borrow() == count {
                return;
            }
            task::yield_now().await;
        }
        panic!("{} requests are under way, and not {count}", *self.under_way.borrow());
    }

    /// Lets as much time pass as the answers take that are waited for.
    pub async fn until_answered(&self) {
        while *self.under_way.borrow() > 0 {
            tokio::time::advance(STEP).await;
            for _ in 0..TURNS {
                task::yield_now().await;
            }
        }
    }

    /// Lets `duration` pass. Requests take no time.
    pub async fn pass(&self, duration: Duration) {
        self.settle().await;
        let mut left = duration;
        while !left.is_zero() {
            let step = left.min(STEP);
            tokio::time::advance(step).await;
            left -= step;
            self.settle().await;
        }
    }
}
