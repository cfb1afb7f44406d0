//! Tests that rest on signs alone: which side had it.

/// How the largest values are signed: the sum of the credits of the values of one sign that lead, by magnitude, before the
/// first value of the other sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// Whether the leading values are positive.
    pub positive: bool,
    /// How many lead.
    pub count: usize,
    /// The same where a value counts only in part when its neighbour in time leads too.
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

/// The lead among `values`. A leading value whose neighbour in time leads as well counts 1 − `dependence` (0 to 1) only, since a
/// run of dependent points is one event. Zeros and the lesser of equal magnitudes end the lead. `None` where nothing leads.
/// Cost O(n log n).
#[must_use]
pub fn lead(values: &[f64], dependence: f64) -> Option<Lead> {
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
    let (mut count, mut credit, mut before) = (0, 0.0, false);
    for value in values {
        let here = leads(value);
        if here {
            count += 1;
            credit += if before { 1.0 - dependence } else { 1.0 };
        }
        before = here;
    }
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
