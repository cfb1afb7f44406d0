//! Events of two sides: whether the canary's share of them is its share of the exposure.

use super::{normal, student};

/// Events of both sides in one step, and the share that the canary should have of them (0 to 1, exclusive).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Events of the canary; at least 0, need not be whole.
    pub canary: f64,
    /// Events of the baseline.
    pub baseline: f64,
    /// Share of the exposure (requests, capacity) that the canary had.
    pub share: f64,
}

/// The canary's share of all events, by a binomial whose variance is scaled to what the steps show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventShare {
    /// Events of the canary.
    pub canary: f64,
    /// Events of the baseline.
    pub baseline: f64,
    /// Events that the canary should have had of all.
    pub expected: f64,
    /// Variance of `canary` under equal rates, without dispersion: Σ events·share·(1 − share).
    pub variance: f64,
    /// Dispersion φ: Pearson's χ² per degree of freedom, at least 1.
    pub dispersion: f64,
    /// Steps with any event.
    pub steps: usize,
}

impl EventShare {
    /// Sums up the steps; `None` where no step has an event. Cost O(n).
    ///
    /// φ is Pearson's χ² of the steps about the odds ratio that fits all of them, over steps less one. Sources: McCullagh &
    /// Nelder (1989), ch. 4.5 and 9.
    #[must_use]
    pub fn of(steps: &[Step]) -> Option<Self> {
        let filled = || {
            steps
                .iter()
                .filter(|step| step.canary + step.baseline > 0.0)
        };
        let (mut canary, mut baseline, mut expected, mut variance, mut count) =
            (0.0, 0.0, 0.0, 0.0, 0);
        for step in filled() {
            let events = step.canary + step.baseline;
            canary += step.canary;
            baseline += step.baseline;
            expected += events * step.share;
            variance += events * step.share * (1.0 - step.share);
            count += 1;
        }
        if count == 0 {
            return None;
        }
        let share = expected / (canary + baseline);
        // Half an event on each side keeps the odds ratio away from zero and infinity.
        let odds = ((canary + 0.5) / (baseline + 0.5)) * ((1.0 - share) / share);
        let pearson: f64 = filled()
            .map(|step| {
                let events = step.canary + step.baseline;
                let fitted = odds * step.share / (odds * step.share + 1.0 - step.share);
                let deviation = step.canary - events * fitted;
                deviation * deviation / (events * fitted * (1.0 - fitted))
            })
            .sum();
        let dispersion = if count > 1 {
            (pearson / (count - 1) as f64).max(1.0)
        } else {
            1.0
        };
        Some(Self {
            canary,
            baseline,
            expected,
            variance,
            dispersion,
            steps: count,
        })
    }

    /// How far the canary's events are from what it should have had, in standard deviations; continuity-corrected by half an
    /// event. Source: score test of the quasi-binomial model.
    #[must_use]
    pub fn distance(&self) -> f64 {
        let distance = self.canary - self.expected;
        let corrected = (distance.abs() - 0.5).max(0.0).copysign(distance);
        corrected / (self.variance * self.dispersion).sqrt()
    }

    /// One-sided chance of as many events in the canary, by t with steps − 1 degrees of freedom; exact binomial (half of the
    /// observed value's chance counted) where φ is 1, the share is constant to within rounding and events are whole and few.
    #[must_use]
    pub fn p_more(&self) -> f64 {
        self.p(true)
    }

    /// The same for as few.
    #[must_use]
    pub fn p_fewer(&self) -> f64 {
        self.p(false)
    }

    fn p(&self, more: bool) -> f64 {
        const FEW: f64 = 400.0;
        let events = self.canary + self.baseline;
        let share = self.expected / events;
        let even = (self.variance - events * share * (1.0 - share)).abs() <= 1e-9 * self.variance;
        let whole = self.canary.fract() == 0.0 && self.baseline.fract() == 0.0;
        if self.dispersion <= 1.0 && even && whole && events <= FEW {
            let (hits, chance) = if more {
                (self.canary, share)
            } else {
                (self.baseline, 1.0 - share)
            };
            let (hits, trials) = (hits as usize, events as usize);
            let reached = super::signs::at_least(hits, trials, chance);
            let beyond = super::signs::at_least(hits + 1, trials, chance);
            return f64::midpoint(reached, beyond);
        }
        let signed = if more {
            self.distance()
        } else {
            -self.distance()
        };
        student::survival(signed, (self.steps - 1) as f64)
    }

    /// Rate ratio canary/baseline with a two-sided interval that leaves `tail` at each end. 0 and infinity are honest ends.
    ///
    /// Wilson's interval of the share at the effective number of events (events/φ) and the t quantile, turned into a ratio.
    /// Source: Wilson (1927).
    #[must_use]
    pub fn ratio(&self, tail: f64) -> (f64, f64, f64) {
        let events = self.canary + self.baseline;
        let exposure = self.expected / events;
        let odds = exposure / (1.0 - exposure);
        let to_ratio = |share: f64| {
            if share >= 1.0 {
                f64::INFINITY
            } else {
                share / (1.0 - share) / odds
            }
        };
        let quantile = if self.steps > 3 {
            student::upper_quantile_approximate(tail, (self.steps - 1) as f64)
        } else {
            -normal::quantile(tail)
        };
        let n = events / self.dispersion;
        let share = self.canary / events;
        let square = quantile * quantile;
        let centre = (share + square / (2.0 * n)) / (1.0 + square / n);
        let half = quantile / (1.0 + square / n)
            * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let low = if self.canary == 0.0 {
            0.0
        } else {
            (centre - half).max(0.0)
        };
        let high = if self.baseline == 0.0 {
            1.0
        } else {
            (centre + half).min(1.0)
        };
        (to_ratio(share), to_ratio(low), to_ratio(high))
    }
}
