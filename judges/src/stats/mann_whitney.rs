//! The Mann-Whitney (Wilcoxon rank-sum) test.

use super::normal;
use super::ranks::RankCounts;

/// Which departures from equality count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Either side may be larger.
    TwoSided,
    /// The canary is larger.
    Greater,
    /// The canary is smaller.
    Less,
}

/// Standard deviation of U, corrected for a tie sum Σ(t³ − t); 0 where all values are equal.
/// Source: Lehmann (1975), ch. 1.5; R 4.2.2 `wilcox.test`.
#[must_use]
pub fn u_std(n: usize, m: usize, tie_sum: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    ((n * m / 12.0) * ((n + m + 1.0) - tie_sum / ((n + m) * (n + m - 1.0)))).sqrt()
}

/// p-value by the normal approximation, corrected for ties and, if asked, for continuity. `None` where all values are equal.
///
/// Agrees with R 4.2.2 `wilcox.test(exact = FALSE, correct = continuity)` and SciPy 1.17 `mannwhitneyu(method =
/// "asymptotic")`. Cost O(1). For fewer than about eight points a side prefer [`p_exact`].
#[must_use]
pub fn p_normal(counts: &RankCounts, alternative: Alternative, continuity: bool) -> Option<f64> {
    let std = u_std(counts.n(), counts.m(), counts.pooled_tie_sum());
    if std == 0.0 || std.is_nan() {
        return None;
    }
    let distance = counts.u() - counts.pairs() as f64 / 2.0;
    let correction = match (continuity, alternative) {
        (false, _) => 0.0,
        (true, Alternative::TwoSided) if distance == 0.0 => 0.0,
        (true, Alternative::TwoSided) => 0.5_f64.copysign(distance),
        (true, Alternative::Greater) => 0.5,
        (true, Alternative::Less) => -0.5,
    };
    let z = (distance - correction) / std;
    Some(match alternative {
        Alternative::TwoSided => (2.0 * normal::survival(z.abs())).min(1.0),
        Alternative::Greater => normal::survival(z),
        Alternative::Less => normal::cdf(z),
    })
}

/// Exact p-value without ties; `None` where there are ties or more than [`ExactU::MAX_POINTS`] points in all.
///
/// Agrees with R 4.2.2 `wilcox.test(exact = TRUE)`. Cost O(n · nm).
#[must_use]
pub fn p_exact(counts: &RankCounts, alternative: Alternative) -> Option<f64> {
    if counts.has_ties() {
        return None;
    }
    let distribution = ExactU::new(counts.n(), counts.m())?;
    let u = counts.above();
    let lower = distribution.cdf(u);
    let upper = distribution.cdf(counts.pairs() - u);
    Some(match alternative {
        Alternative::TwoSided => (2.0 * lower.min(upper)).min(1.0),
        Alternative::Greater => upper,
        Alternative::Less => lower,
    })
}

/// The exact distribution of U without ties: how many of the C(n+m, n) orders give each value.
///
/// The counts are the coefficients of the Gaussian binomial, in whole numbers, so nothing is rounded before the last division.
#[derive(Debug, Clone)]
pub struct ExactU {
    /// Orders with U at most the index, for U up to nm/2.
    cumulative: Vec<u128>,
    orders: u128,
    pairs: u64,
}

impl ExactU {
    /// The number of orders of more points may not fit into 128 bits.
    pub const MAX_POINTS: usize = 120;

    /// Counts the orders; `None` for an empty side or too many points.
    #[must_use]
    pub fn new(n: usize, m: usize) -> Option<Self> {
        if n == 0 || m == 0 || n + m > Self::MAX_POINTS {
            return None;
        }
        let (few, many) = (n.min(m), n.max(m));
        let pairs = n * m;
        let half = pairs / 2;
        // Multiply by (1 - q^(many+i)), divide by (1 - q^i). Steps in between may be negative: wrapping keeps them exact,
        // since the final counts fit.
        let mut counts = vec![0_u128; half + 1];
        counts[0] = 1;
        for i in 1..=few {
            for power in (many + i..=half).rev() {
                counts[power] = counts[power].wrapping_sub(counts[power - many - i]);
            }
            for power in i..=half {
                counts[power] = counts[power].wrapping_add(counts[power - i]);
            }
        }
        let mut cumulative = counts;
        for u in 1..=half {
            cumulative[u] += cumulative[u - 1];
        }
        let orders = (1..=few as u128).fold(1_u128, |orders, i| orders * (many as u128 + i) / i);
        Some(Self {
            cumulative,
            orders,
            pairs: pairs as u64,
        })
    }

    /// Probability that U is at most `u`.
    #[must_use]
    pub fn cdf(&self, u: u64) -> f64 {
        if u >= self.pairs {
            return 1.0;
        }
        let half = self.cumulative.len() as u64 - 1;
        if u <= half {
            return self.cumulative[u as usize] as f64 / self.orders as f64;
        }
        // The distribution is symmetric around nm/2.
        let above = self.cumulative[(self.pairs - u - 1) as usize];
        (self.orders - above) as f64 / self.orders as f64
    }

    /// The smallest `u` whose [`cdf`](Self::cdf) reaches `p`; agrees with R 4.2.2 `qwilcox(p, n, m)` for `p` up to one half.
    #[must_use]
    pub fn quantile(&self, p: f64) -> u64 {
        // R's own allowance for a `p` that is a rounded probability.
        let at_least = p - 10.0 * f64::EPSILON;
        let reached = self
            .cumulative
            .iter()
            .position(|&orders| orders as f64 / self.orders as f64 >= at_least);
        reached.map_or(self.pairs / 2, |u| u as u64)
    }
}
