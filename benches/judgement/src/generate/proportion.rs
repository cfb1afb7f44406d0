//! Shares of a denominator: errors per request, success rates.

use super::load::Load;
use super::{HOUR, Points};
use crate::chance::Chance;

/// How the share is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Failures over requests, 0 to 1.
    Share,
    /// Successes in percent, rounded to two decimals, as dashboards do it: mostly 100.
    RoundedPercent,
}

/// Requests of each minute, of which a share fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// Requests a minute of each side at mean load.
    pub requests: f64,
    /// Share that fails.
    pub failing: f64,
    /// How many times that share the canary fails.
    pub ratio: f64,
    /// What both sides share.
    pub load: Load,
    /// How the share is written.
    pub written: Written,
}

impl Proportion {
    /// The shares and their denominators of one run. A minute without requests has a share of 0.
    #[must_use]
    pub fn points(&self, chance: &mut Chance) -> (Points, Points) {
        let load = self.load.factors(HOUR, chance);
        let (baseline, baseline_requests) = self.side(&load, self.failing, chance);
        let (canary, canary_requests) = self.side(&load, self.failing * self.ratio, chance);
        let pair = |baseline, canary| Points {
            baseline,
            canary,
            ..Points::default()
        };
        (
            pair(baseline, canary),
            pair(baseline_requests, canary_requests),
        )
    }

    fn side(&self, load: &[f64], failing: f64, chance: &mut Chance) -> (Vec<f64>, Vec<f64>) {
        let (mut shares, mut requests) = (Vec::new(), Vec::new());
        for factor in load {
            let asked = chance.poisson(self.requests * factor);
            let failed = chance.binomial(asked, failing.clamp(0.0, 1.0));
            let share = failed as f64 / asked.max(1) as f64;
            requests.push(asked as f64);
            shares.push(match self.written {
                Written::Share => share,
                Written::RoundedPercent => ((1.0 - share) * 10_000.0).round() / 100.0,
            });
        }
        (shares, requests)
    }
}
