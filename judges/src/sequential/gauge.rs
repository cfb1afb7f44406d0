//! Evidence from levels, calibrated on history.

use serde::{Deserialize, Serialize};

use crate::config::Direction;
use crate::evidence::history::Noise;
use crate::stats::normal;

/// Weight of the prior of the mixture: the number of points after which it is sharpest for changes that an hour can show.
const PRIOR: f64 = 8.0;

/// Points at the beginning that are not taken: they may be of a canary that is still warming up.
pub(crate) const WARM_UP: u32 = 3;

/// Sums of an e-process for levels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GaugeState {
    /// Sum of the normal scores of what was surprising about each point.
    pub sum: f64,
    /// Points in the sum.
    pub count: f64,
    /// The difference at the last point that was taken, on the scale of the comparison.
    pub before: Option<f64>,
    /// Its time.
    pub before_at: Option<i64>,
}

/// What the history says of surprises: residuals of its differences after what the point before lets expect.
pub(crate) struct Reference {
    r: f64,
    /// Magnitudes, ascending.
    residuals: Vec<f64>,
}

impl Reference {
    /// `None` where the history has too few neighbours.
    pub(crate) fn of(noise: &Noise) -> Option<Self> {
        const FEWEST: usize = 60;
        let r = noise.r.clamp(0.0, 0.97);
        let mut residuals: Vec<f64> = noise
            .differences
            .windows(2)
            .filter_map(|pair| match pair {
                [Some(before), Some(now)] => Some((now - r * before).abs()),
                _ => None,
            })
            .collect();
        if residuals.len() < FEWEST {
            return None;
        }
        residuals.sort_unstable_by(f64::total_cmp);
        Some(Self { r, residuals })
    }

    /// The normal score of a residual: its magnitude's rank among those of the history, with its sign, since differences
    /// between two sides of one version are as often up as down.
    fn score(&self, residual: f64) -> f64 {
        let below = self.residuals.partition_point(|m| *m < residual.abs());
        let upto = self.residuals.partition_point(|m| *m <= residual.abs());
        let rank = f64::midpoint(below as f64, upto as f64) + 0.5;
        let share = rank / (self.residuals.len() as f64 + 1.0);
        normal::quantile(f64::midpoint(1.0, share.min(1.0 - 1e-9))).copysign(residual)
    }
}

impl GaugeState {
    /// Takes the difference at a time, `step` after the one before if that was the point before it.
    pub(crate) fn take(
        &mut self,
        difference: f64,
        at: i64,
        step: i64,
        reference: &Reference,
        counts: bool,
    ) {
        let follows = self.before_at.is_some_and(|before| at - before == step);
        let residual = match self.before {
            Some(before) if follows => difference - reference.r * before,
            // Without the point before, the difference itself is what is known; it is wider than a residual.
            Some(_) | None => difference * (1.0 - reference.r * reference.r).sqrt(),
        };
        if counts {
            self.sum += reference.score(residual);
            self.count += 1.0;
        }
        self.before = Some(difference);
        self.before_at = Some(at);
    }

    /// ln E, E = √(r₀/(t + r₀)) exp(S²/(2(t + r₀))) with the sum S of t normal scores; for one direction times 2Φ(±S/√(t + r₀)).
    /// Source: the normal mixture of Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon (2021).
    pub(crate) fn log_e(&self, direction: Direction) -> f64 {
        let total = self.count + PRIOR;
        let two_sided = 0.5 * (PRIOR / total).ln() + self.sum * self.sum / (2.0 * total);
        let z = self.sum / total.sqrt();
        let log_twice = |z: f64| (2.0 * normal::cdf(z).max(1e-300)).ln();
        match direction {
            Direction::Either => two_sided,
            Direction::Increase => two_sided + log_twice(z),
            Direction::Decrease => two_sided + log_twice(-z),
        }
    }
}
