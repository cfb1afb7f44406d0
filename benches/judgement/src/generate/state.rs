//! Levels that carry on from minute to minute: memory, queues, pools.

use super::{HOUR, Past, Points};
use crate::chance::Chance;

/// A random walk, each side its own, with what a leak adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Where both sides start.
    pub start: f64,
    /// Standard deviation of a minute's step, in the unit of `start`.
    pub step: f64,
    /// What the canary gains each minute beyond its steps.
    pub leak: f64,
    /// What is known of the live version.
    pub past: Past,
}

impl State {
    /// The points of one run: walks that are kept above zero.
    #[must_use]
    pub fn points(&self, chance: &mut Chance) -> Points {
        let (before, series) = self.past.extent();
        Points {
            baseline: self.walk(HOUR, 0.0, chance),
            canary: self.walk(HOUR, self.leak, chance),
            past: (0..series)
                .map(|_| self.walk(before, 0.0, chance))
                .collect(),
            ..Points::default()
        }
    }

    fn walk(&self, minutes: usize, leak: f64, chance: &mut Chance) -> Vec<f64> {
        let mut level = self.start;
        (0..minutes)
            .map(|_| {
                level = (level + leak + self.step * chance.normal()).max(self.step);
                level
            })
            .collect()
    }
}
