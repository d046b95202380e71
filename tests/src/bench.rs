//! Two ways to do the same thing, measured side by side in one run.

use std::fmt;
use std::time::{Duration, Instant};

/// How often [`Ratio::measure`] runs each of the two.
pub const ROUNDS: u32 = 505;

/// How long each of the two took, for one call.
#[derive(Debug)]
pub struct Ratio {
    subject: Duration,
    reference: Duration,
    quotient: f64,
}

impl Ratio {
    /// Runs both in turn, `calls` times each and [`ROUNDS`] rounds, so that what else the machine does falls on both
    /// alike. The ratio is the median over the rounds.
    pub async fn measure(calls: u32, mut subject: impl AsyncFnMut(), mut reference: impl AsyncFnMut()) -> Self {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            // Neither is always the one that finds the caches as the other left them.
            rounds.push(if round % 2 == 0 {
                let subject = timed(calls, &mut subject).await;
                (subject, timed(calls, &mut reference).await)
            } else {
                let reference = timed(calls, &mut reference).await;
                (timed(calls, &mut subject).await, reference)
            });
        }
        Self::of_rounds(&rounds)
    }

    /// The medians of rounds measured elsewhere.
    #[must_use]
    pub fn of_rounds(rounds: &[(Duration, Duration)]) -> Self {
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let seconds = |pick: fn(&(Duration, Duration)) -> Duration| {
            Duration::from_secs_f64(median(&mut rounds.iter().map(|round| pick(round).as_secs_f64()).collect()))
        };
        Self {
            subject: seconds(|round| round.0),
            reference: seconds(|round| round.1),
            quotient: median(&mut rounds.iter().map(|(s, r)| s.as_secs_f64() / r.as_secs_f64()).collect()),
        }
    }
}

async fn timed(calls: u32, run: &mut impl AsyncFnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        run().await;
    }
    start.elapsed() / calls
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:?} / {:?})", self.quotient, self.subject, self.reference)
    }
}

/// Prints `name: ratio`, and whether the goal is met.
pub fn report(name: &str, ratio: &Ratio, goal: f64) {
    let verdict = if ratio.quotient <= goal { "met" } else { "MISSED" };
    println!("{name}: {ratio}, goal {goal}: {verdict}");
}
