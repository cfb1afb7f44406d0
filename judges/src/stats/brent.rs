//! Brent's root finder as a value: it proposes where to look and is told what is there.
//!
//! It follows Kayenta's (and R's `zeroin`) to the last operation, because on a step function the answer depends on the path.
//! Source: Brent (1973), ch. 4; Kayenta's `BrentSolver` settings.

/// A search in progress. The root lies between `b` and `c`; `b` is the better guess.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brent {
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
    pub(super) fn new((a, at_a): (f64, f64), (b, at_b): (f64, f64)) -> Self {
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
    pub(super) fn found(root: f64) -> Self {
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

    pub(super) fn root(&self) -> f64 {
        self.b
    }

    /// The next place to look at, or `None` when the root is found or the steps are used up.
    pub(super) fn propose(&mut self) -> Option<f64> {
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

    /// The two ends that hold the root, in ascending order; equal when it is found.
    pub(super) fn bracket(&self) -> (f64, f64) {
        (self.b.min(self.c), self.b.max(self.c))
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the value at the place that [`propose`](Self::propose) named; without effect when the root is found.
    pub(super) fn observe(&mut self, value: f64) {
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
