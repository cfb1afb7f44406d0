//! Ranks of two samples, pooled, by one merge of their sorted values.

use crate::sample::Sample;

/// What the ranks of `x` among `x` and `y` come to, in whole numbers. Ties get mid-ranks, by exact equality (0.0 = -0.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankCounts {
    n: usize,
    m: usize,
    above: u64,
    tied: u64,
    pooled_ties: u128,
    x_ties: u128,
    y_ties: u128,
}

impl RankCounts {
    /// Counts by one merge. Cost O(n + m).
    #[must_use]
    pub fn of(x: &Sample, y: &Sample) -> Self {
        Self::of_ascending(x.sorted(), y.sorted())
    }

    /// The same for ascending values without NaN.
    #[must_use]
    pub(crate) fn of_ascending(x: &[f64], y: &[f64]) -> Self {
        let own_ties = (tie_sum(x), tie_sum(y));
        Self::without_ties_across(x, y, own_ties).unwrap_or_else(|| Self::with_ties(x, y))
    }

    /// The usual case: a merge without branches, since which side comes next is a coin toss. `None` where a value stands on
    /// both sides.
    fn without_ties_across(x: &[f64], y: &[f64], (x_ties, y_ties): (u128, u128)) -> Option<Self> {
        let (mut i, mut j) = (0, 0);
        let (mut above, mut tied) = (0_u64, false);
        while i < x.len() && j < y.len() {
            let (value, other) = (x[i], y[j]);
            let advance = usize::from(other < value);
            tied |= other == value;
            above += (j & advance.wrapping_sub(1)) as u64;
            j += advance;
            i += advance ^ 1;
        }
        if tied {
            return None;
        }
        above += (x.len() - i) as u64 * y.len() as u64;
        Some(Self {
            n: x.len(),
            m: y.len(),
            above,
            tied: 0,
            pooled_ties: x_ties + y_ties,
            x_ties,
            y_ties,
        })
    }

    fn with_ties(x: &[f64], y: &[f64]) -> Self {
        let mut counts = Self {
            n: x.len(),
            m: y.len(),
            above: 0,
            tied: 0,
            pooled_ties: 0,
            x_ties: 0,
            y_ties: 0,
        };
        let (mut i, mut j) = (0, 0);
        while i < x.len() || j < y.len() {
            let value = match (x.get(i), y.get(j)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(a), None) => *a,
                (None, Some(b)) => *b,
                (None, None) => break,
            };
            let below = j;
            let (first_x, first_y) = (i, j);
            while i < x.len() && x[i] == value {
                i += 1;
            }
            while j < y.len() && y[j] == value {
                j += 1;
            }
            let (of_x, of_y) = (i - first_x, j - first_y);
            counts.above += of_x as u64 * below as u64;
            counts.tied += of_x as u64 * of_y as u64;
            counts.pooled_ties += tie_term(of_x + of_y);
            counts.x_ties += tie_term(of_x);
            counts.y_ties += tie_term(of_y);
        }
        counts
    }

    /// Size of `x`.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Size of `y`.
    #[must_use]
    pub fn m(&self) -> usize {
        self.m
    }

    /// Number of pairs, n·m.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.n as u64 * self.m as u64
    }

    /// Pairs in which the canary point is larger.
    #[must_use]
    pub fn above(&self) -> u64 {
        self.above
    }

    /// Pairs in which the canary point is smaller.
    #[must_use]
    pub fn below(&self) -> u64 {
        self.pairs() - self.above - self.tied
    }

    /// Twice the Mann-Whitney statistic U of `x`, a whole number.
    #[must_use]
    pub fn u_twice(&self) -> u64 {
        2 * self.above + self.tied
    }

    /// The Mann-Whitney statistic U of `x`: pairs with `x > y`, and half of the ties. R calls it W.
    #[must_use]
    pub fn u(&self) -> f64 {
        self.u_twice() as f64 / 2.0
    }

    /// Whether any two values are equal, within a side or across.
    #[must_use]
    pub fn has_ties(&self) -> bool {
        self.pooled_ties > 0
    }

    /// Σ(t³ − t) over the tie groups of both samples together.
    #[must_use]
    pub fn pooled_tie_sum(&self) -> f64 {
        self.pooled_ties as f64
    }

    /// Σ(t³ − t) over the tie groups within `x` and within `y`, ties across left out.
    #[must_use]
    pub fn own_tie_sum(&self) -> f64 {
        (self.x_ties + self.y_ties) as f64
    }
}

/// t³ − t.
pub(crate) fn tie_term(size: usize) -> u128 {
    let t = size as u128;
    t * t * t - t
}

/// Σ(t³ − t) over the groups of equal values among ascending values.
pub(crate) fn tie_sum(ascending: &[f64]) -> u128 {
    let mut sum = 0;
    let mut first = 0;
    for end in 1..=ascending.len() {
        if end == ascending.len() || ascending[end] != ascending[first] {
            sum += tie_term(end - first);
            first = end;
        }
    }
    sum
}
