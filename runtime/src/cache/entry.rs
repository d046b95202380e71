//! One credential, and until when it is served.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::CachePolicy;
use super::key::Kind;
use super::policy::LONGEST_OF_KNOWN_END;
use crate::jwt;
use crate::secret::Secret;

/// A credential fresh from the service, and how much longer it is known to be good, if that is known.
pub(crate) struct Fetched {
    pub(crate) secret: Secret,
    pub(crate) ends_in: Option<Duration>,
}

impl Fetched {
    /// A token, which says its end if it is a JWT.
    pub(crate) fn token(secret: Secret) -> Self {
        let ends_in = jwt::remaining_life(secret.expose());
        Self { secret, ends_in }
    }
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) secret: Secret,
    /// From here on it is renewed in the background while it is served.
    pub(super) renew_at: Option<Instant>,
    /// From here on callers wait for its renewal.
    pub(super) fresh_until: Instant,
    /// Served until then where its renewal fails. Checked here and not left to the cache library, whose clock tests
    /// cannot pause.
    pub(super) ends_at: Instant,
    /// Its known end by the clock on the wall: the other one may stand still while the machine is suspended.
    pub(super) wall_end: Option<SystemTime>,
    /// The number of the flight that brought it: what was asked for later counts.
    pub(super) flight: u64,
}

/// How long a renewal that failed is put off, give or take a half.
const PAUSE: Duration = Duration::from_secs(10);

/// What lasts no longer is not worth a renewal in the background.
const TOO_BRIEF: Duration = Duration::from_secs(10);

impl Entry {
    pub(super) fn new(fetched: Fetched, kind: Kind, policy: &CachePolicy, flight: u64) -> Self {
        let now = Instant::now();
        let Fetched { secret, ends_in } = fetched;
        let wall_end = ends_in.and_then(|ends_in| SystemTime::now().checked_add(ends_in));
        let Some(ends_in) = ends_in.filter(|_| kind.is_renewed_ahead()) else {
            let lifetime = policy.lifetime(kind);
            let ends_at = now + ends_in.map_or(lifetime, |ends_in| ends_in.min(lifetime));
            return Self { secret, renew_at: None, fresh_until: ends_at, ends_at, wall_end, flight };
        };
        let ends_in = ends_in.min(LONGEST_OF_KNOWN_END);
        let fresh = ends_in.saturating_sub(policy.expiry_margin);
        let window = if fresh > TOO_BRIEF { policy.renewal_window.min(fresh / 2) } else { Duration::ZERO };
        // In the first half of the window, and not all processes at once.
        let renew_in = fresh.saturating_sub(window.mul_f64(1.0 - fastrand::f64() / 2.0));
        Self {
            secret,
            renew_at: (!window.is_zero()).then(|| now + renew_in),
            fresh_until: now + fresh,
            ends_at: now + ends_in,
            wall_end,
            flight,
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.fresh_until && !self.is_over()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ends_at <= Instant::now() || self.is_over()
    }

    fn is_over(&self) -> bool {
        self.wall_end.is_some_and(|end| end <= SystemTime::now())
    }

    pub(super) fn is_due(&self) -> bool {
        self.renew_at.is_some_and(|at| at <= Instant::now())
    }

    /// As it was, after its renewal has failed: to be renewed a while later, or, where trying again is of no use, at
    /// its end. A user who would have to consent again is not asked before that.
    pub(super) fn postponed(mut self, try_again: bool) -> Self {
        let next = Instant::now() + PAUSE.mul_f64(0.5 + fastrand::f64());
        self.renew_at = try_again.then_some(next);
        self.fresh_until = if try_again { self.fresh_until.max(next).min(self.ends_at) } else { self.ends_at };
        self
    }
}
