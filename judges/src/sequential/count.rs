//! Evidence from events, tempered by their dispersion.

use serde::{Deserialize, Serialize};

use crate::config::Direction;
use crate::stats::event_share::Step;

/// Rate ratios that are bet on.
const RATIOS: [f64; 9] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0];

/// Steps with events from which on the dispersion is known well enough to bet at all.
const FEWEST_STEPS: f64 = 10.0;

/// Sums of an e-value for events.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountState {
    /// Steps with any event.
    pub steps: f64,
    /// Events of the canary.
    pub canary: f64,
    /// Events of both sides.
    pub events: f64,
    /// Events that the canary should have had.
    pub expected: f64,
    /// Σ of the canary's events squared over the events of both.
    pub squares: f64,
    /// Log-likelihood ratio of each rate ratio, rises first, then falls.
    pub log_ratios: Vec<f64>,
}

impl CountState {
    /// Takes one step.
    pub(crate) fn take(&mut self, step: &Step) {
        self.log_ratios.resize(2 * RATIOS.len(), 0.0);
        let events = step.canary + step.baseline;
        if events <= 0.0 {
            return;
        }
        self.steps += 1.0;
        self.canary += step.canary;
        self.events += events;
        self.expected += events * step.share;
        self.squares += step.canary * step.canary / events;
        let ratios = RATIOS.iter().copied().chain(RATIOS.iter().map(|r| 1.0 / r));
        for (sum, ratio) in self.log_ratios.iter_mut().zip(ratios) {
            // p/ρ = r/(rρ + 1 − ρ), (1 − p)/(1 − ρ) = 1/(rρ + 1 − ρ).
            let scale = (ratio * step.share + 1.0 - step.share).ln();
            *sum += step.canary * ratio.ln() - events * scale;
        }
    }

    /// φ: Pearson's χ² of the steps about the running share per degree of freedom, times 1 + 6/k for its own uncertainty where
    /// it is above 1.
    fn dispersion(&self) -> f64 {
        let share = (self.canary + 0.5) / (self.events + 1.0);
        let pearson = (self.squares - 2.0 * share * self.canary + share * share * self.events)
            / (share * (1.0 - share));
        let dispersion = pearson / (self.steps - 1.0).max(1.0);
        if dispersion > 1.0 {
            dispersion * (1.0 + 6.0 / self.steps)
        } else {
            1.0
        }
    }

    /// ln E: the logarithm of the mean of the likelihood ratios, each raised to 1/φ. 0 until enough steps had events.
    ///
    /// An e-value while events of both sides share one intensity, however it moves; where each side has bursts of its own φ
    /// tempers it, which holds false alarms at a few percent by measurement, not by proof.
    pub(crate) fn log_e(&self, direction: Direction) -> f64 {
        if self.steps < FEWEST_STEPS {
            return 0.0;
        }
        let dispersion = self.dispersion();
        let bets = match direction {
            Direction::Increase => &self.log_ratios[..RATIOS.len()],
            Direction::Decrease => &self.log_ratios[RATIOS.len()..],
            Direction::Either => &self.log_ratios[..],
        };
        let tempered: Vec<f64> = bets.iter().map(|sum| sum / dispersion).collect();
        super::combine::log_mean(&tempered)
    }

    /// Whether the canary has more than its share.
    pub(crate) fn rises(&self) -> bool {
        self.canary > self.expected
    }
}
