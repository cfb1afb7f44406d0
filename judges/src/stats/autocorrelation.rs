//! Dependence between neighbouring points.

/// Points from which a stretch on either side of a step must have for the step to be looked for.
const STEP_MARGIN: usize = 6;

/// Lag-one autocorrelation of `values` about their mean, corrected for the bias of short series: r + (1 + 3r)/n.
///
/// May leave −1 to 1 by the correction. 0 for fewer than three values and for constant ones. Cost O(n).
/// Source: Marriott & Pope (1954), the first-order bias of the estimate in an AR(1) series with unknown mean.
#[must_use]
pub fn lag_one(values: &[f64]) -> f64 {
    let (products, squares) = moments(values);
    correct(ratio(products, squares, values.len(), 1), values.len(), 1.0)
}

/// Lag-one autocorrelation of a short window, which may hold a late regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowDependence {
    /// The smaller of [`lag_one`] and the same after the largest step is taken out of the values.
    pub robust: f64,
    /// [`lag_one`], but `robust` where one step makes up most of the variance: what says whether there are enough
    /// independent points at all.
    pub cautious: f64,
}

/// Both estimates. A late regression is a step, and a step reads as dependence: a change of 8 standard deviations at half time
/// would hide itself. Taking the best of all steps out of noise lowers the estimate, for which the correction is four times
/// as large. Cost O(n).
#[must_use]
pub fn in_window(values: &[f64]) -> WindowDependence {
    /// From this share of the variance on a step is taken for one: noise with r = 0.9 seldom reaches it.
    const CLEAR_STEP: f64 = 0.75;
    let whole = lag_one(values);
    let Some((cut, explained)) = largest_step(values) else {
        return WindowDependence {
            robust: whole,
            cautious: whole,
        };
    };
    let (before, after) = values.split_at(cut);
    let (products_before, squares_before) = moments(before);
    let (products_after, squares_after) = moments(after);
    let parted = ratio(
        products_before + products_after,
        squares_before + squares_after,
        values.len(),
        2,
    );
    let robust = whole.min(correct(parted, values.len(), 4.0));
    let cautious = if explained > CLEAR_STEP {
        robust
    } else {
        whole
    };
    WindowDependence { robust, cautious }
}

/// Lag-one autocorrelation of a long series about its own slow movement, and how many points it rests on.
///
/// The series is cut into windows of `window` points, a straight line is taken out of each, and the moments are pooled; windows
/// whose variance is more than `OUTLYING` times the median one (an incident) are left out. `gaps` are `None`: pairs across
/// them are not formed. `None` where fewer than `window` points are there. Cost O(n log n).
/// Source: the bias correction (2 + 4r)/n for a fitted line is that of Tjøstheim & Paulsen (1983).
#[must_use]
pub fn lag_one_of_history(values: &[Option<f64>], window: usize) -> Option<(f64, usize)> {
    const OUTLYING: f64 = 9.0;
    let mut windows: Vec<(f64, f64, usize, usize)> = Vec::new();
    for chunk in values.chunks(window) {
        let residuals = without_line(chunk);
        let present = residuals.iter().flatten().count();
        if chunk.len() < window / 2 || present < chunk.len() / 2 || present < 8 {
            continue;
        }
        let squares: f64 = residuals.iter().flatten().map(|r| r * r).sum();
        let (mut products, mut pairs) = (0.0, 0);
        for pair in residuals.windows(2) {
            if let [Some(a), Some(b)] = pair {
                products += a * b;
                pairs += 1;
            }
        }
        windows.push((products, squares, pairs, present));
    }
    let mut variances: Vec<f64> = windows
        .iter()
        .map(|(_, squares, _, present)| squares / *present as f64)
        .collect();
    variances.sort_unstable_by(f64::total_cmp);
    let limit = OUTLYING * variances.get(variances.len() / 2).copied()?;
    let (mut products, mut squares, mut pairs, mut points, mut used) = (0.0, 0.0, 0, 0, 0.0);
    for (product, square, pair, present) in windows {
        if square / present as f64 <= limit {
            products += product;
            squares += square;
            pairs += pair;
            points += present;
            used += 1.0;
        }
    }
    if points < window || squares <= 0.0 || pairs == 0 {
        return None;
    }
    let r = (products / pairs as f64) / (squares / points as f64);
    let length = points as f64 / used;
    Some((r + (2.0 + 4.0 * r) / length, points))
}

/// What is left of the values that are there when a least-squares line through them is taken out; 0 where one is alone.
#[must_use]
pub fn without_line(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let present = values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| value.map(|value| (at as f64, value)));
    let (mut n, mut sum_t, mut sum_v) = (0.0, 0.0, 0.0);
    for (t, v) in present.clone() {
        n += 1.0;
        sum_t += t;
        sum_v += v;
    }
    if n == 0.0 {
        return values.to_vec();
    }
    let (mean_t, mean_v) = (sum_t / n, sum_v / n);
    let (mut tt, mut tv) = (0.0, 0.0);
    for (t, v) in present {
        tt += (t - mean_t) * (t - mean_t);
        tv += (t - mean_t) * (v - mean_v);
    }
    let slope = if tt > 0.0 { tv / tt } else { 0.0 };
    let line = |at: usize| mean_v + slope * (at as f64 - mean_t);
    values
        .iter()
        .enumerate()
        .map(|(at, value)| value.map(|value| value - line(at)))
        .collect()
}

/// The factor by which an AR(1) dependence raises the variance of a mean: (1 + r)/(1 − r); 1 for a negative `r`.
#[must_use]
pub fn inflation(r: f64) -> f64 {
    let r = r.clamp(0.0, LARGEST);
    (1.0 + r) / (1.0 - r)
}

/// The same for the mean of `n` points, whose ends have fewer neighbours: (1 + r)/(1 − r) − 2r(1 − rⁿ)/(n(1 − r)²), exact for
/// an AR(1) series; at least 1. Source: the variance of a mean, Σ(1 − k/n)rᵏ in closed form.
#[must_use]
pub fn inflation_of_mean(r: f64, n: f64) -> f64 {
    let r = r.clamp(0.0, LARGEST);
    let ends = 2.0 * r * (1.0 - r.powf(n)) / (n * (1.0 - r) * (1.0 - r));
    (inflation(r) - ends).max(1.0)
}

/// Above this an estimate is as good as a random walk, and the inflation would be a guess.
pub const LARGEST: f64 = 0.985;

/// Σ(v − m)(v' − m) over neighbours, Σ(v − m)².
fn moments(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (mut products, mut squares, mut before) = (0.0, 0.0, None);
    for value in values {
        let deviation = value - mean;
        squares += deviation * deviation;
        if let Some(before) = before {
            products += deviation * before;
        }
        before = Some(deviation);
    }
    (products, squares)
}

fn ratio(products: f64, squares: f64, points: usize, stretches: usize) -> f64 {
    if squares <= 0.0 || points <= stretches {
        return 0.0;
    }
    (products / (points - stretches) as f64) / (squares / points as f64)
}

fn correct(r: f64, points: usize, times: f64) -> f64 {
    if points < 3 {
        return 0.0;
    }
    r + times * (1.0 + 3.0 * r) / points as f64
}

/// Where the values are best cut in two with a mean each, and the share of the variance that this explains; `None` where they
/// are too few or constant.
fn largest_step(values: &[f64]) -> Option<(usize, f64)> {
    let n = values.len();
    if n < 2 * STEP_MARGIN + 1 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let total: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let (mut sum, mut best) = (0.0, (0.0, None));
    for (index, value) in values.iter().enumerate().take(n - STEP_MARGIN) {
        sum += value - mean;
        let before = (index + 1) as f64;
        if index + 1 >= STEP_MARGIN {
            let gain = sum * sum * (1.0 / before + 1.0 / (n as f64 - before));
            if gain > best.0 {
                best = (gain, Some(index + 1));
            }
        }
    }
    best.1.map(|cut| (cut, best.0 / total))
}
