//! The clock by which tokens and JWTs expire. It can be moved forward, so that a test need not wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UnixMillis(u64);

impl UnixMillis {
    /// Now by the machine's clock, which no [`Clock::advance`] moves: for what is written down to stay.
    pub(crate) fn of_machine() -> Self {
        Self(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    pub(crate) fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub(crate) fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The time from `earlier` to this; zero if that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds, the form of a time in a JWT.
    pub(crate) fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The form of a timestamp in XML.
    pub(crate) fn as_iso(self) -> String {
        crate::date::iso(self.as_seconds())
    }

    /// Seconds with their fraction, the form of a timestamp in REST-JSON.
    pub(crate) fn as_json(self) -> serde_json::Value {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact for 285,000 years")]
        let seconds = self.0 as f64 / 1000.0;
        seconds.into()
    }
}

/// How far ahead the clock can be: ten years. What a data directory gets by it outlives the process, and no test needs
/// more.
pub(crate) const FURTHEST: Duration = Duration::from_hours(24 * 3652);

/// The machine's clock plus what [`Clock::advance`] added.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_millis: AtomicU64,
}

impl Clock {
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis(UnixMillis::of_machine().0.saturating_add(self.ahead_millis.load(Ordering::Relaxed)))
    }

    /// Moves the clock, at most to where it is [`FURTHEST`] ahead.
    pub(crate) fn advance(&self, by: Duration) {
        if !self.try_advance(by) {
            self.ahead_millis.store(millis(FURTHEST), Ordering::Relaxed);
        }
    }

    /// Moves the clock. `false`, and nothing moves, if it would be more than [`FURTHEST`] ahead.
    pub(crate) fn try_advance(&self, by: Duration) -> bool {
        let sum = |ahead: u64| ahead.checked_add(millis(by)).filter(|sum| *sum <= millis(FURTHEST));
        self.ahead_millis.try_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_adds_up_and_ends_after_ten_years() {
        let clock = Clock::default();
        let start = clock.now();
        clock.advance(Duration::from_mins(1));
        clock.advance(Duration::from_mins(1));
        assert!(clock.now() >= start.saturating_add(Duration::from_mins(2)));
        assert!(!clock.try_advance(FURTHEST) && clock.now() < start.saturating_add(Duration::from_mins(3)));
        assert!(clock.try_advance(FURTHEST.saturating_sub(Duration::from_mins(2))));
        for by in [Duration::from_millis(1), Duration::MAX] {
            assert!(!clock.try_advance(by));
            clock.advance(by);
            assert!(clock.now().since(UnixMillis::of_machine()) <= FURTHEST);
        }
    }

    #[test]
    fn json_timestamps_are_fractional_seconds() {
        assert_eq!(UnixMillis(1_700_000_000_250).as_json().to_string(), "1700000000.25");
    }
}
