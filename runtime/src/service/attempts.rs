//! How many times a request was sent, the AWS SDK's retries included.

use std::cell::Cell;
use std::future::Future;

use aws_sdk_bedrockagentcore::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_bedrockagentcore::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_sdk_bedrockagentcore::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

tokio::task_local! {
    static SENT: Cell<u32>;
}

/// What `requests` comes to, and how many were sent on the way. Those of a `counted` inside are its own.
pub(crate) async fn counted<F: Future>(requests: F) -> (F::Output, u32) {
    let count = async { (requests.await, SENT.with(Cell::get)) };
    SENT.scope(Cell::new(0), count).await
}

#[derive(Debug)]
struct CountAttempts;

/// For the AWS client as a whole: what is added to a single request makes the SDK configure that request anew.
/// Permanent and with its one hook known, it is passed over where it has nothing to do.
pub(super) fn interceptor() -> SharedInterceptor {
    SharedInterceptor::permanent(CountAttempts)
}

#[dyn_dispatch_hint]
impl Intercept for CountAttempts {
    fn name(&self) -> &'static str {
        "CountAttempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Outside of `counted` nobody asks.
        let _ = SENT.try_with(|sent| sent.set(sent.get() + 1));
        Ok(())
    }
}
