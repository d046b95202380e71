//! Faults on demand, for tests of how a client bears them.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use crate::error::{Code, ServiceError};
use crate::operation::Operation;
use crate::sync::lock;

/// What goes wrong with a call. It is routed and its signature checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `ThrottlingException`, status 429.
    Throttle,
    /// `InternalServerException`, status 500.
    InternalError,
    /// `AccessDeniedException`, status 403, as when an IAM policy lacks the action.
    AccessDenied,
    /// The call waits this long, by Tokio's clock, and is then carried out.
    Delay(Duration),
    /// The TCP connection is closed without an answer, and nothing is carried out.
    DropConnection,
    /// `UnauthorizedException`, status 401, "Token has expired".
    RejectToken,
}

impl Fault {
    /// The refusal, for the faults that are one.
    pub(crate) fn refusal(self, operation: Operation) -> Option<ServiceError> {
        let (code, message) = match self {
            Self::Throttle => (Code::Throttling, "Rate exceeded".to_owned()),
            Self::InternalError => {
                (Code::Internal, "An internal error occurred (a fault that was asked for)".to_owned())
            }
            Self::AccessDenied => (
                Code::AccessDenied,
                format!(
                    "The caller is not authorized to perform: {}:{operation} (a fault that was asked for)",
                    operation.plane().signing_name()
                ),
            ),
            Self::RejectToken => (Code::Unauthorized, "Token has expired".to_owned()),
            Self::Delay(_) | Self::DropConnection => return None,
        };
        Some(ServiceError::new(code, message))
    }
}

/// How many faults of one operation can wait when they are asked for from outside the process.
pub(crate) const MOST_WAITING: usize = 1_000;

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<Operation, VecDeque<(Fault, usize)>>>);

impl Faults {
    /// The next `times` calls of `operation` that no earlier fault takes.
    pub(crate) fn add(&self, operation: Operation, times: usize, fault: Fault) {
        if times > 0 {
            lock(&self.0).entry(operation).or_default().push_back((fault, times));
        }
    }

    /// How many faults wait for calls of `operation`, each for however many.
    pub(crate) fn waiting(&self, operation: Operation) -> usize {
        lock(&self.0).get(&operation).map_or(0, VecDeque::len)
    }

    /// The fault of this call, which is thereby used up.
    pub(crate) fn take(&self, operation: Operation) -> Option<Fault> {
        let mut faults = lock(&self.0);
        let queue = faults.get_mut(&operation)?;
        let (fault, times) = queue.front_mut()?;
        let fault = *fault;
        *times -= 1;
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_for_their_own_operation() {
        let faults = Faults::default();
        let (here, elsewhere) = (Operation::GetResourceApiKey, Operation::GetWorkloadAccessToken);
        faults.add(here, 2, Fault::Throttle);
        faults.add(here, 0, Fault::AccessDenied);
        faults.add(here, 1, Fault::DropConnection);
        assert_eq!(faults.take(elsewhere), None);
        let taken: Vec<_> = std::iter::from_fn(|| faults.take(here)).collect();
        assert_eq!(taken, [Fault::Throttle, Fault::Throttle, Fault::DropConnection]);
        faults.add(here, 1, Fault::Throttle);
        faults.clear();
        assert_eq!(faults.take(here), None);
    }

    #[test]
    fn refusals_have_the_service_s_own_codes() {
        let refusal =
            |fault: Fault| fault.refusal(Operation::GetResourceApiKey).map(|error| (error.code(), error.status()));
        assert_eq!(refusal(Fault::Throttle), Some(("ThrottlingException", 429)));
        assert_eq!(refusal(Fault::InternalError), Some(("InternalServerException", 500)));
        assert_eq!(refusal(Fault::AccessDenied), Some(("AccessDeniedException", 403)));
        assert_eq!(refusal(Fault::RejectToken), Some(("UnauthorizedException", 401)));
        assert_eq!(refusal(Fault::Delay(Duration::ZERO)), None);
        assert_eq!(refusal(Fault::DropConnection), None);
    }
}
