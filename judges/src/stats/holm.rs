//! Many tests at once.

/// The level that each p-value had to be at or below, by Holm's step-down procedure over `tests` hypotheses.
///
/// Sorted ascending, the j-th (from 0) is compared with `alpha`/(`tests` − j), until the first that is above its level; that
/// one and all larger ones keep the level at which it stopped. NaN counts as 1. Controls the chance of any false rejection
/// under every dependence. `tests` below the number of values is taken for it. Cost O(k log k). Source: Holm (1979).
#[must_use]
pub fn levels(p: &[f64], alpha: f64, tests: usize) -> Vec<f64> {
    let tests = tests.max(p.len());
    let value = |index: usize| if p[index].is_nan() { 1.0 } else { p[index] };
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
    let mut levels = vec![alpha; p.len()];
    let mut stopped = None;
    for (rank, index) in order.into_iter().enumerate() {
        let level = stopped.unwrap_or(alpha / (tests - rank) as f64);
        levels[index] = level;
        if value(index) > level {
            stopped = Some(level);
        }
    }
    levels
}
