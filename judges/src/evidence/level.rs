//! How far a level moved, how sure that is under dependence, and which interval goes with it.

use super::result::Basis;
use crate::sample::Sample;
use crate::stats::autocorrelation::{self, inflation, inflation_of_mean};
use crate::stats::hodges_lehmann::shift_interval;
use crate::stats::{student, walsh};

/// The confidence of the order-statistic interval whose width is taken for the spread of the estimate: Kayenta's.
const CONFIDENCE: f64 = 0.98;
/// Its two-sided z.
const Z: f64 = 2.326_347_874_040_841;

/// What the variance that the history knows counts for, in degrees of freedom: enough to steady a window's own, little enough to
/// give way where the noise has changed.
const HISTORY_DEGREES: f64 = 20.0;

/// Variance of the centre of the Walsh averages over that of the mean of normal points: π/3.
const WALSH_EFFICIENCY: f64 = std::f64::consts::PI / 3.0;

/// A level's shift and the standard error that it would have if the points did not depend on one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    pub(crate) estimate: f64,
    pub(crate) std_error: f64,
    pub(crate) points: f64,
}

impl Level {
    /// From paired differences: the centre of the Walsh averages; the standard error is half of the width of its interval over
    /// the z that it was made with.
    pub(crate) fn of_pairs(differences: &[f64]) -> Option<Self> {
        let centre = walsh::centre(differences, Z)?;
        let std_error = if centre.reach > 0.0 {
            (centre.high - centre.low) / 2.0 / centre.reach
        } else {
            0.0
        };
        Some(Self {
            estimate: centre.estimate,
            std_error,
            points: differences.len() as f64,
        })
    }

    /// From two samples that could not be paired: the Hodges-Lehmann shift; the standard error likewise.
    pub(crate) fn of_samples(canary: &[f64], baseline: &[f64]) -> Option<Self> {
        let (x, y) = (
            Sample::new(canary.to_vec())?,
            Sample::new(baseline.to_vec())?,
        );
        let interval = shift_interval(&x, &y, CONFIDENCE);
        let (n, m) = (x.len() as f64, y.len() as f64);
        Some(Self {
            estimate: interval.estimate,
            std_error: (interval.high - interval.low) / 2.0 / Z,
            points: 2.0 / (1.0 / n + 1.0 / m),
        })
    }
}

/// Dependence between neighbouring points and where it was learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dependence {
    /// Lag-one autocorrelation for standard errors.
    pub(crate) r: f64,
    /// The one that says how many independent points there are at least.
    pub(crate) cautious: f64,
    /// Points from which it was estimated.
    pub(crate) rests_on: f64,
    pub(crate) basis: Basis,
    /// The variance of a single difference, where the history knows it.
    pub(crate) point_variance: Option<f64>,
}

impl Dependence {
    pub(crate) fn in_window(series: &[&[f64]]) -> Self {
        let points: usize = series.iter().map(|values| values.len()).sum();
        let (mut r, mut cautious) = (0.0, 0.0);
        for values in series {
            let found = autocorrelation::in_window(values);
            let weight = values.len() as f64 / points.max(1) as f64;
            r += weight * found.robust;
            cautious += weight * found.cautious;
        }
        Self {
            r,
            cautious,
            rests_on: points as f64,
            basis: Basis::Window,
            point_variance: None,
        }
    }

    pub(crate) fn known(r: f64, points: usize, basis: Basis) -> Self {
        Self {
            r,
            cautious: r,
            rests_on: points as f64,
            basis,
            point_variance: None,
        }
    }

    /// Points left of `points` after dependence.
    pub(crate) fn effective(&self, points: f64) -> f64 {
        points / inflation(self.cautious)
    }
}

/// Variance that stands beside that of the points: instances differ.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Between {
    pub(crate) variance: f64,
    pub(crate) degrees: f64,
}

/// One possible size of the standard error, and the credit that it gets.
#[derive(Debug, Clone, Copy)]
struct Node {
    weight: f64,
    std_error: f64,
    degrees: f64,
}

/// A shift with its uncertainty: a t distribution, averaged over what the autocorrelation may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uncertain {
    pub(crate) estimate: f64,
    nodes: [Node; 3],
}

impl Uncertain {
    /// The autocorrelation is known with standard error 1/√(N − 3) on Fisher's scale; the average takes three points of it
    /// (Gauss-Hermite: 0 and ±√3 standard errors with weights 4/6 and 1/6). For each, the variance is inflated by
    /// (1 + r)/(1 − r) and by what the window's own variance misses of it (1/(1 − VIF/n)), and the degrees of freedom are the
    /// effective points less one where r was estimated in the window, n(1 − r²)/(1 + r²) − 1 where it is known (Bartlett 1946).
    pub(crate) fn of(level: Level, dependence: Dependence, between: Between) -> Self {
        const APART: f64 = 1.732_050_807_568_877_2;
        let fisher = dependence.r.clamp(-0.5, 0.97).atanh();
        let error = 1.0 / (dependence.rests_on - 3.0).max(1.0).sqrt();
        let n = level.points;
        let node = |place: f64, weight: f64| {
            let r = (fisher + place * APART * error)
                .tanh()
                .clamp(0.0, autocorrelation::LARGEST);
            let inflated = inflation_of_mean(r, n);
            let missed = (1.0 - 1.0 / n) / (1.0 - inflated / n).max(0.1);
            let of_window = level.std_error * level.std_error * missed.max(1.0);
            let known = n * (1.0 - r * r) / (1.0 + r * r) - 1.0;
            let (single, degrees) = match (dependence.basis, dependence.point_variance) {
                (Basis::Window, _) => (of_window, n / inflation(r) - 1.0),
                (_, None) => (of_window, known),
                (_, Some(variance)) => {
                    let of_history = variance / n * WALSH_EFFICIENCY;
                    let degrees = known.max(1.0) + HISTORY_DEGREES;
                    let pooled =
                        (known.max(1.0) * of_window + HISTORY_DEGREES * of_history) / degrees;
                    (pooled, degrees)
                }
            };
            let within = single * inflated;
            let degrees = degrees.max(1.0);
            let variance = within + between.variance;
            // Welch & Satterthwaite.
            let parts = within * within / degrees
                + between.variance * between.variance / between.degrees.max(1.0);
            let degrees = if parts > 0.0 {
                variance * variance / parts
            } else {
                degrees
            };
            Node {
                weight,
                std_error: variance.sqrt(),
                degrees,
            }
        };
        Self {
            estimate: level.estimate,
            nodes: [
                node(0.0, 4.0 / 6.0),
                node(-1.0, 1.0 / 6.0),
                node(1.0, 1.0 / 6.0),
            ],
        }
    }

    /// Chance of an estimate at least so far above `null` by accident.
    pub(crate) fn p_above(&self, null: f64) -> f64 {
        self.tail(self.estimate - null)
    }

    /// Chance of an estimate at least so far below `null` by accident.
    pub(crate) fn p_below(&self, null: f64) -> f64 {
        self.tail(null - self.estimate)
    }

    fn tail(&self, distance: f64) -> f64 {
        let of = |node: &Node| {
            let t = if node.std_error > 0.0 {
                distance / node.std_error
            } else if distance > 0.0 {
                f64::INFINITY
            } else if distance < 0.0 {
                f64::NEG_INFINITY
            } else {
                0.0
            };
            node.weight * student::survival(t, node.degrees)
        };
        self.nodes.iter().map(of).sum()
    }

    /// How far above the estimate the end of an interval stands that leaves `tail` (0 to 0.5) beyond it. Found by secants of
    /// the logarithm of the tail to within 1e-6 of it.
    pub(crate) fn reach(&self, tail: f64) -> f64 {
        let middle = self.nodes[0];
        if middle.std_error <= 0.0 || tail >= 0.5 {
            return 0.0;
        }
        if !middle.std_error.is_finite() {
            return f64::INFINITY;
        }
        let start = student::upper_quantile_approximate(tail, middle.degrees) * middle.std_error;
        let miss = |reach: f64| (self.tail(reach) / tail).ln();
        let (mut a, mut b) = (start, start * 1.1);
        let (mut at_a, mut at_b) = (miss(a), miss(b));
        for _ in 0..20 {
            if at_b.abs() < 1e-6 || at_a == at_b {
                break;
            }
            // Never more than a factor of two at once: the tail is convex far out.
            let next = (b - at_b * (b - a) / (at_b - at_a)).clamp(b / 2.0, b * 2.0);
            (a, at_a) = (b, at_b);
            (b, at_b) = (next, miss(next));
        }
        b
    }
}
