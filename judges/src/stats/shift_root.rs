//! The shift interval as Kayenta and R find it: by a root finder on the rank statistic, to an absolute 1e-4.
//!
//! The statistic is a step function, so the answer depends on every step of the finder; it is followed to the bit. Its weak
//! sides (an absolute tolerance whatever the unit, rounding by shifting a sample) are Kayenta's and are kept for
//! compatibility. For everything else use [`super::hodges_lehmann`].
//!
//! Speed: both samples are sorted once; each shift is then evaluated by one merge instead of a new sort; the three roots
//! advance in lockstep, because three merges side by side take hardly longer than one.
//!
//! Sources: Kayenta's `MannWhitney` (2025-04), which ports R's `wilcox.test(conf.int = TRUE, exact = FALSE)`; Brent (1973).

use super::ranks::{tie_sum, tie_term};

/// Estimate and interval of the shift `x - y`, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RootInterval {
    /// Where the statistic is zero, roughly.
    pub estimate: f64,
    /// Lower end; may exceed `high` by rounding of the root finder.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// All values of both samples are tied at some shift that was tried, so the statistic has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all observations are tied")]
pub struct AllTied;

/// The statistic of one pair of samples at any shift.
#[derive(Debug)]
pub struct ShiftStatistic {
    /// Ascending, then +∞.
    x: Vec<f64>,
    /// Ascending, then +∞.
    y: Vec<f64>,
    /// Standard deviation of U with ties within each side only: right at all but a few shifts.
    usual_std: f64,
    /// Whether shifting by any number of the search range might make two different values of `x` equal.
    may_collapse: bool,
}

/// Root finders that run side by side: lower end, estimate, upper end.
const ROOTS: usize = 3;

impl ShiftStatistic {
    /// Takes two samples in ascending order, finite and not empty.
    #[must_use]
    pub fn new(x: &[f64], y: &[f64]) -> Self {
        debug_assert!(!x.is_empty() && !y.is_empty());
        let ties = (tie_sum(x) + tie_sum(y)) as f64;
        let usual_std = std_of(x.len(), y.len(), ties);
        let (x_min, x_max, y_min, y_max) = (x[0], x[x.len() - 1], y[0], y[y.len() - 1]);
        let reach = x_min.abs().max(x_max.abs()) + (x_min - y_max).abs().max((x_max - y_min).abs());
        let gap = x
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|gap| *gap > 0.0)
            .fold(f64::INFINITY, f64::min);
        // Two values further apart than a few units in the last place of the largest result stay different.
        let may_collapse = gap <= reach * (4.0 * f64::EPSILON);
        let guarded = |values: &[f64]| {
            let mut guarded = Vec::with_capacity(values.len() + 1);
            guarded.extend_from_slice(values);
            guarded.push(f64::INFINITY);
            guarded
        };
        Self {
            x: guarded(x),
            y: guarded(y),
            usual_std,
            may_collapse,
        }
    }

    fn n(&self) -> usize {
        self.x.len() - 1
    }

    fn m(&self) -> usize {
        self.y.len() - 1
    }

    /// The statistic at shift `mu`: `(d - 0.5·sign(d))/σ`, where d is the distance of the rank sum of `x - mu` from its
    /// expectation and σ its standard deviation, corrected for ties. Falls in steps as `mu` grows. Cost O(n + m).
    ///
    /// # Errors
    /// Where all values are equal.
    pub fn at(&self, mu: f64) -> Result<f64, AllTied> {
        Ok(self.at_each([mu; ROOTS])?[0])
    }

    fn at_each(&self, mu: [f64; ROOTS]) -> Result<[f64; ROOTS], AllTied> {
        if self.may_collapse {
            return Ok([
                self.at_slowly(mu[0])?,
                self.at_slowly(mu[1])?,
                self.at_slowly(mu[2])?,
            ]);
        }
        let (x, y) = (self.x.as_slice(), self.y.as_slice());
        let (mut i, mut j) = ([0_usize; ROOTS], [0_usize; ROOTS]);
        let (mut below, mut ties_across) = ([0_u64; ROOTS], [false; ROOTS]);
        for _ in 0..self.n() + self.m() {
            for root in 0..ROOTS {
                // `j` counts the y below the shifted x[i]. Without branches, since which side advances is a coin toss.
                let (shifted, other) = (x[i[root]] - mu[root], y[j[root]]);
                let advance = usize::from(other < shifted);
                let keep = advance.wrapping_sub(1);
                below[root] += (j[root] & keep) as u64;
                ties_across[root] |= other == shifted;
                j[root] += advance;
                i[root] += advance ^ 1;
            }
        }
        let mut values = [0.0; ROOTS];
        for root in 0..ROOTS {
            values[root] = if ties_across[root] {
                self.at_slowly(mu[root])?
            } else {
                self.standardize(below[root] as f64, self.usual_std)?
            };
        }
        Ok(values)
    }

    /// The same with the ties at this very shift.
    fn at_slowly(&self, mu: f64) -> Result<f64, AllTied> {
        let (x, y) = (&self.x[..self.n()], &self.y[..self.m()]);
        let (mut i, mut j) = (0, 0);
        let (mut u_twice, mut ties) = (0_u64, 0_u128);
        while i < x.len() || j < y.len() {
            let shifted = x.get(i).map_or(f64::INFINITY, |value| value - mu);
            let value = shifted.min(y.get(j).copied().unwrap_or(f64::INFINITY));
            let (first_x, first_y) = (i, j);
            while i < x.len() && x[i] - mu == value {
                i += 1;
            }
            while j < y.len() && y[j] == value {
                j += 1;
            }
            let (of_x, of_y) = (i - first_x, j - first_y);
            if of_x + of_y == 0 {
                break;
            }
            u_twice += of_x as u64 * (2 * first_y + of_y) as u64;
            ties += tie_term(of_x + of_y);
        }
        self.standardize(
            u_twice as f64 / 2.0,
            std_of(self.n(), self.m(), ties as f64),
        )
    }

    fn standardize(&self, u: f64, std: f64) -> Result<f64, AllTied> {
        if std == 0.0 || std.is_nan() {
            return Err(AllTied);
        }
        let distance = u - (self.n() as f64 * self.m() as f64) / 2.0;
        let correction = if distance == 0.0 {
            0.0
        } else {
            0.5_f64.copysign(distance)
        };
        Ok((distance - correction) / std)
    }

    /// Estimate and interval for a normal quantile `z` (2.326… for 98 %).
    ///
    /// Where so few points cannot reach `z`, an end is the end of the search range. Cost O(n + m) a step, 15 to 30 steps.
    ///
    /// # Errors
    /// Where all values are equal at a shift that is tried.
    pub fn interval(&self, z: f64) -> Result<RootInterval, AllTied> {
        let lowest = self.x[0] - self.y[self.m() - 1];
        let highest = self.x[self.n() - 1] - self.y[0];
        let [at_lowest, at_highest, _] = self.at_each([lowest, highest, lowest])?;
        let wanted = [z, 0.0, -z];
        let mut finders = wanted
            .map(|level| Brent::new((lowest, at_lowest - level), (highest, at_highest - level)));
        for (finder, level) in finders.iter_mut().zip(wanted) {
            // Only the ends of the interval are checked against the range; the estimate is searched for directly.
            if level != 0.0 {
                if at_lowest - level <= 0.0 {
                    *finder = Brent::found(lowest);
                } else if at_highest - level >= 0.0 {
                    *finder = Brent::found(highest);
                }
            }
        }
        let mut probes = [lowest; ROOTS];
        loop {
            let mut open = false;
            for (probe, finder) in probes.iter_mut().zip(&mut finders) {
                if let Some(next) = finder.propose() {
                    *probe = next;
                    open = true;
                }
            }
            if !open {
                let [low, estimate, high] = finders.map(|finder| finder.root());
                return Ok(RootInterval {
                    estimate,
                    low,
                    high,
                });
            }
            let values = self.at_each(probes)?;
            for ((finder, value), level) in finders.iter_mut().zip(values).zip(wanted) {
                finder.observe(value - level);
            }
        }
    }
}

fn std_of(n: usize, m: usize, ties: f64) -> f64 {
    super::mann_whitney::u_std(n, m, ties)
}

/// Brent's root finder as a value: it proposes where to look and is told what is there.
#[derive(Debug, Clone, Copy)]
struct Brent {
    a: f64,
    b: f64,
    c: f64,
    at_a: f64,
    at_b: f64,
    at_c: f64,
    steps_left: u32,
    done: bool,
}

/// Absolute tolerance of the root, in whatever unit the metric has: Kayenta's and R's choice.
const TOLERANCE: f64 = 1e-4;

/// Kayenta's limit of steps.
const MAX_STEPS: u32 = 1001;

impl Brent {
    fn new((a, at_a): (f64, f64), (b, at_b): (f64, f64)) -> Self {
        let start = Self {
            a,
            b,
            c: a,
            at_a,
            at_b,
            at_c: at_a,
            steps_left: MAX_STEPS,
            done: false,
        };
        if is_zero(at_a) {
            Self::found(a)
        } else if is_zero(at_b) {
            Self::found(b)
        } else {
            start
        }
    }

    /// A finder that needs no search.
    fn found(root: f64) -> Self {
        Self {
            a: root,
            b: root,
            c: root,
            at_a: 0.0,
            at_b: 0.0,
            at_c: 0.0,
            steps_left: 0,
            done: true,
        }
    }

    fn root(&self) -> f64 {
        self.b
    }

    /// The next place to look at, or `None` when the root is found or the steps are used up.
    fn propose(&mut self) -> Option<f64> {
        if self.done || self.steps_left == 0 {
            self.done = true;
            return None;
        }
        self.steps_left -= 1;
        let previous = self.b - self.a;
        if self.at_c.abs() < self.at_b.abs() {
            (self.a, self.b, self.c) = (self.b, self.c, self.b);
            (self.at_a, self.at_b, self.at_c) = (self.at_b, self.at_c, self.at_b);
        }
        let tolerance = 2.0 * f64::EPSILON * self.b.abs() + TOLERANCE / 2.0;
        let mut step = (self.c - self.b) / 2.0;
        if step.abs() <= tolerance || is_zero(self.at_b) {
            self.done = true;
            return None;
        }
        if previous.abs() >= tolerance && self.at_a.abs() > self.at_b.abs() {
            let to_c = self.c - self.b;
            let (mut p, mut q);
            if self.a == self.c {
                let t1 = self.at_b / self.at_a;
                p = to_c * t1;
                q = 1.0 - t1;
            } else {
                q = self.at_a / self.at_c;
                let t1 = self.at_b / self.at_c;
                let t2 = self.at_b / self.at_a;
                p = t2 * (to_c * q * (q - t1) - (self.b - self.a) * (t1 - 1.0));
                q = (q - 1.0) * (t1 - 1.0) * (t2 - 1.0);
            }
            if p > 0.0 {
                q = -q;
            } else {
                p = -p;
            }
            if p < 0.75 * to_c * q - (tolerance * q).abs() / 2.0 && p < (previous * q / 2.0).abs() {
                step = p / q;
            }
        }
        if step.abs() < tolerance {
            step = if step > 0.0 { tolerance } else { -tolerance };
        }
        self.a = self.b;
        self.at_a = self.at_b;
        self.b += step;
        Some(self.b)
    }

    /// Takes the value at the place that [`propose`](Self::propose) named; without effect when the root is found.
    fn observe(&mut self, value: f64) {
        if self.done {
            return;
        }
        self.at_b = value;
        if (self.at_b > 0.0 && self.at_c > 0.0) || (self.at_b < 0.0 && self.at_c < 0.0) {
            self.c = self.a;
            self.at_c = self.at_a;
        }
    }
}

/// Kayenta's notion of zero: zero itself or the smallest double next to it.
fn is_zero(value: f64) -> bool {
    value.abs() <= f64::from_bits(1)
}
