//! The rates at which the service lets each operation be called.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::time::Instant;

use crate::error::{Code, ServiceError};
use crate::limits;
use crate::operation::{Operation, Plane};
use crate::sync::lock;

/// A bucket of calls for each operation, which holds one second's worth and fills at that rate.
#[derive(Debug, Default)]
pub(crate) struct RateQuotas(Mutex<HashMap<Operation, Bucket>>);

#[derive(Debug)]
struct Bucket {
    calls: f64,
    at: Instant,
}

impl RateQuotas {
    /// # Errors
    /// `ThrottlingException` when the operation was called too often.
    pub(crate) fn admit(&self, operation: Operation) -> Result<(), ServiceError> {
        let rate = match (operation, operation.plane()) {
            (Operation::CompleteResourceTokenAuth, _) => limits::COMPLETIONS_PER_SECOND,
            (_, Plane::Data) => limits::DATA_PLANE_CALLS_PER_SECOND,
            (_, Plane::Control) => limits::CONTROL_PLANE_CALLS_PER_SECOND,
            (_, Plane::Sts) => limits::STS_CALLS_PER_SECOND,
        };
        let now = Instant::now();
        let mut buckets = lock(&self.0);
        let bucket = buckets.entry(operation).or_insert(Bucket { calls: rate.into(), at: now });
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.calls = (bucket.calls + since * f64::from(rate)).min(rate.into());
        bucket.at = now;
        if bucket.calls < 1.0 {
            return Err(ServiceError::new(
                Code::Throttling,
                format!("Rate exceeded: {operation} allows {rate} calls a second"),
            ));
        }
        bucket.calls -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admitted(quotas: &RateQuotas, operation: Operation) -> usize {
        (0..1000).take_while(|_| quotas.admit(operation).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn each_operation_has_its_own_second() {
        let quotas = RateQuotas::default();
        assert_eq!(admitted(&quotas, Operation::GetResourceApiKey), 200);
        assert_eq!(admitted(&quotas, Operation::GetWorkloadAccessToken), 200);
        assert_eq!(admitted(&quotas, Operation::CompleteResourceTokenAuth), 100);
        assert_eq!(admitted(&quotas, Operation::GetTokenVault), 20);
        let error = quotas.admit(Operation::GetTokenVault).unwrap_err();
        assert_eq!((error.code(), error.status()), ("ThrottlingException", 429));
        assert!(error.message().contains("GetTokenVault allows 20"), "{error}");

        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(admitted(&quotas, Operation::GetTokenVault), 10);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(admitted(&quotas, Operation::GetTokenVault), 20);
    }
}
