//! Tests that rest on signs alone: which side had it.

/// How the largest values are signed: the sum of the credits of the values of one sign that lead, by magnitude, before the
/// first value of the other sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// Whether the leading values are positive.
    pub positive: bool,
    /// How many lead.
    pub count: usize,
    /// The same where a value counts only in part when one shortly before it leads too.
    pub credit: f64,
}

impl Lead {
    /// Chance of so long a lead of this sign among exchangeable signs: 2^−credit. Rosenbaum's (1954) test on paired
    /// differences, one-sided.
    #[must_use]
    pub fn p_one_sided(&self) -> f64 {
        (-self.credit).exp2()
    }
}

/// How points that stand close in time hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustering {
    /// How much of a point is taken away when another stands shortly before it, 0 to 1.
    pub dependence: f64,
    /// How many points back is shortly before.
    pub gap: usize,
}

impl Clustering {
    /// For an autocorrelation of `r`: 2r (a weak dependence does not string extremes together), over the time in which it
    /// dies out, 1/(1 − r) points, at most 20.
    #[must_use]
    pub fn of(r: f64) -> Self {
        let r = r.clamp(0.0, 0.95);
        Self {
            dependence: (2.0 * r).min(1.0),
            gap: (1.0 / (1.0 - r)).ceil() as usize,
        }
    }

    /// How many values fulfil `is`, where one that stands shortly after another counts in part. Cost O(n).
    #[must_use]
    pub fn count(&self, values: &[f64], is: impl Fn(f64) -> bool) -> f64 {
        let (mut credit, mut last) = (0.0, None);
        for (index, value) in values.iter().enumerate() {
            if is(*value) {
                let close = last.is_some_and(|last| index - last <= self.gap);
                credit += if close { 1.0 - self.dependence } else { 1.0 };
                last = Some(index);
            }
        }
        credit
    }
}

/// The lead among `values`. A leading value shortly after another that leads as well counts in part only, since a run of dependent
/// points is one event. Zeros and the lesser of equal magnitudes end the lead. `None` where nothing leads.
/// Cost O(n log n).
#[must_use]
pub fn lead(values: &[f64], clustering: Clustering) -> Option<Lead> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*b].abs().total_cmp(&values[*a].abs()).then(a.cmp(b)));
    let first = values[*order.first()?];
    if first == 0.0 || first.is_nan() {
        return None;
    }
    let positive = first > 0.0;
    let other = order
        .iter()
        .map(|&index| values[index])
        .find(|value| (*value > 0.0) != positive || *value == 0.0)
        .map_or(0.0, f64::abs);
    let leads = |value: &f64| *value != 0.0 && (*value > 0.0) == positive && value.abs() > other;
    let count = values.iter().filter(|value| leads(value)).count();
    let credit = clustering.count(values, |value| leads(&value));
    (count > 0).then_some(Lead {
        positive,
        count,
        credit,
    })
}

/// One-sided chance that a fair coin shows heads at least `heads` times in `heads + tails` throws. 1 for no throws. Exact sum of
/// the binomial, O(n). Source: McNemar's exact test.
#[must_use]
pub fn coin_at_least(heads: usize, tails: usize) -> f64 {
    at_least(heads, heads + tails, 0.5)
}

/// Chance of at least `hits` in `trials` at `chance` a trial. Exact sum, O(trials).
#[must_use]
pub fn at_least(hits: usize, trials: usize, chance: f64) -> f64 {
    if hits == 0 {
        return 1.0;
    }
    if chance <= 0.0 || hits > trials {
        return 0.0;
    }
    if chance >= 1.0 {
        return 1.0;
    }
    let odds = chance / (1.0 - chance);
    // The logarithm of each term from the one before it, so that nothing underflows on the way.
    let mut log_term = trials as f64 * (-chance).ln_1p();
    let mut sum = if hits == 0 { log_term.exp() } else { 0.0 };
    for k in 1..=trials {
        log_term += ((trials - k + 1) as f64 / k as f64 * odds).ln();
        if k >= hits {
            sum += log_term.exp();
        }
    }
    sum.min(1.0)
}
