//! The log of calls: what was asked and how it ended, without a secret.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::SystemTime;

use crate::operation::Operation;
use crate::sync::lock;

/// One call of a service operation, answered or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// When it arrived, by the machine's clock.
    pub at: SystemTime,
    /// The workload identity that the call named, or that its workload access token belongs to.
    pub workload: Option<String>,
    /// The user for whom the workload acts: the user id, or the `sub` of the user's JWT. Where the user was refused, as
    /// claimed.
    pub user: Option<String>,
    /// The credential provider that the call named.
    pub provider: Option<String>,
    /// The HTTP status of the answer; 0 if [`Fault::DropConnection`](crate::Fault::DropConnection) left it without one.
    pub status: u16,
    /// The error code, if the call was refused, for example `ThrottlingException`.
    pub error: Option<String>,
    /// The value of the answer's `x-amzn-requestid`.
    pub request_id: String,
}

/// Whom a call concerned.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) workload: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) provider: Option<String>,
}

/// The last calls, and the number of all.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: VecDeque<Call>,
    counts: BTreeMap<Operation, usize>,
}

impl CallLog {
    /// How many calls are kept, so that a service that runs for weeks does not grow.
    pub(crate) const KEPT: usize = 10_000;

    pub(crate) fn record(&self, call: Call) {
        let mut inner = lock(&self.0);
        *inner.counts.entry(call.operation).or_default() += 1;
        if inner.last.len() == Self::KEPT {
            inner.last.pop_front();
        }
        inner.last.push_back(call);
    }

    pub(crate) fn last(&self) -> Vec<Call> {
        lock(&self.0).last.iter().cloned().collect()
    }

    /// The last calls, at most so many, the latest first.
    pub(crate) fn latest(&self, most: usize) -> Vec<Call> {
        lock(&self.0).last.iter().rev().take(most).cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<Operation, usize> {
        lock(&self.0).counts.clone()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.0) = Inner::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16) -> Call {
        Call {
            operation: Operation::GetTokenVault,
            at: SystemTime::now(),
            workload: None,
            user: None,
            provider: None,
            status,
            error: None,
            request_id: String::new(),
        }
    }

    #[test]
    fn keeps_the_last_calls_and_counts_them_all() {
        let log = CallLog::default();
        for number in 0..=CallLog::KEPT {
            log.record(call(u16::try_from(number % 1000).unwrap()));
        }
        assert_eq!(log.last().len(), CallLog::KEPT);
        assert_eq!(log.last()[0].status, 1);
        assert_eq!(log.latest(2).iter().map(|call| call.status).collect::<Vec<_>>(), [0, 999]);
        assert_eq!(log.counts(), BTreeMap::from([(Operation::GetTokenVault, CallLog::KEPT + 1)]));
        log.clear();
        assert!(log.last().is_empty() && log.counts().is_empty());
    }
}
