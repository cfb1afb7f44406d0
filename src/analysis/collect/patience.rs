//! How long a metric store is waited for.

use std::time::Duration;

/// Deadlines and pauses. With the defaults a store that is away for two minutes is survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Most times that one question is asked.
    pub attempts: u32,
    /// How long one answer may take.
    pub attempt: Duration,
    /// How long one question may take, all attempts and pauses together, from the moment when it is its turn.
    pub metric: Duration,
    /// How long all questions of one judgement may take together.
    pub judgement: Duration,
    /// How long a question for history may take; it holds nothing up, because a judgement can do without.
    pub history: Duration,
    /// Longest pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// Longest pause after any number of failures.
    pub most_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 100,
            attempt: Duration::from_secs(60),
            metric: Duration::from_secs(5 * 60),
            judgement: Duration::from_secs(10 * 60),
            history: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
            most_pause: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// The pause after failure number `failures` (from 1): a part, `share` of 0 to 1, of a length that doubles with each failure
    /// up to a limit ("full jitter": askers that failed together do not come back together). Never less than `after`, which
    /// the store asked for. Source of the idea: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    #[must_use]
    pub fn pause(&self, failures: u32, share: f64, after: Option<Duration>) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let longest = self
            .first_pause
            .saturating_mul(doubled)
            .min(self.most_pause);
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            1.0
        };
        longest.mul_f64(share).max(after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failures: u32, share: f64, after: Option<u64>, expect_ms: u64) {
        let pause = Patience::default().pause(failures, share, after.map(Duration::from_secs));
        assert_eq!(pause, Duration::from_millis(expect_ms));
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        check(1, 1.0, None, 1_000);
        check(3, 1.0, None, 4_000);
        check(6, 1.0, None, 30_000);
        check(u32::MAX, 1.0, None, 30_000);
        check(3, 0.25, None, 1_000);
        check(3, 0.0, None, 0);
    }

    #[test]
    fn a_store_that_names_a_time_is_not_asked_before() {
        check(1, 0.5, Some(7), 7_000);
        check(6, 1.0, Some(7), 30_000);
    }
}
