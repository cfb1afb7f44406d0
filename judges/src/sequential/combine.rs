//! Many e-values: one for the canary, and which metrics are to blame.

use std::collections::BTreeMap;

use crate::config::MetricSpec;
use crate::score::leftover_weight;

/// ln of the mean of the exponentials, without overflow. 0 for none.
pub(crate) fn log_mean(logs: &[f64]) -> f64 {
    let weights: Vec<(f64, f64)> = logs.iter().map(|log| (1.0, *log)).collect();
    log_weighted_mean(&weights)
}

fn log_weighted_mean(terms: &[(f64, f64)]) -> f64 {
    let largest = terms
        .iter()
        .filter(|(weight, _)| *weight > 0.0)
        .map(|(_, log)| *log)
        .fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = terms.iter().map(|(weight, _)| weight).sum();
    if largest == f64::NEG_INFINITY || total <= 0.0 {
        return 0.0;
    }
    let sum: f64 = terms
        .iter()
        .map(|(weight, log)| weight * (log - largest).exp())
        .sum();
    largest + (sum / total).ln()
}

/// ln E of the canary: the mean over its groups by their weights, and within each group over its metrics. Muted metrics and those
/// in no group bet nothing. The mean of e-values is one whatever they have to do with one another.
/// Source: Vovk & Wang (2021).
pub(crate) fn canary(metrics: &[(&MetricSpec, f64)], group_weights: &BTreeMap<String, f64>) -> f64 {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (spec, log_e) in metrics {
        if spec.muted {
            continue;
        }
        for (index, group) in spec.groups.iter().enumerate() {
            if !spec.groups[..index].contains(group) {
                groups.entry(group).or_default().push(*log_e);
            }
        }
    }
    let unweighted = groups
        .keys()
        .filter(|name| !group_weights.contains_key(**name))
        .count();
    let left = leftover_weight(group_weights, unweighted).max(0.0);
    let terms: Vec<(f64, f64)> = groups
        .iter()
        .map(|(name, logs)| {
            let weight = group_weights.get(*name).copied().unwrap_or(left);
            let weight = if weight.is_finite() {
                weight.max(0.0)
            } else {
                0.0
            };
            (weight, log_mean(logs))
        })
        .collect();
    log_weighted_mean(&terms)
}

/// Which e-values stand out: the j largest for the largest j with E₍ⱼ₎ ≥ k/(jα). Their false-discovery rate is at most α under every
/// dependence. Source: e-BH, Wang & Ramdas (2022).
pub(crate) fn e_bh(logs: &[f64], alpha: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logs.len()).collect();
    order.sort_by(|a, b| logs[*b].total_cmp(&logs[*a]).then(a.cmp(b)));
    let count = logs.len() as f64;
    let enough = |rank: usize| logs[order[rank]] >= (count / ((rank + 1) as f64 * alpha)).ln();
    let taken = (0..order.len())
        .rev()
        .find(|rank| enough(*rank))
        .map_or(0, |rank| rank + 1);
    order.truncate(taken);
    order
}

#[cfg(test)]
mod tests {
    use super::{e_bh, log_mean};

    #[test]
    fn the_mean_of_huge_e_values_does_not_overflow() {
        assert!((log_mean(&[1_000.0, 1_000.0]) - 1_000.0).abs() < 1e-9);
        assert!((log_mean(&[0.0, 3.0_f64.ln()]) - 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_crowd_of_moderate_e_values_stands_out_where_one_alone_does_not() {
        let log = 80.0_f64.ln();
        assert_eq!(e_bh(&[log, 0.0], 0.02), Vec::<usize>::new());
        assert_eq!(e_bh(&[log, log], 0.02), vec![0, 1]);
        assert_eq!(e_bh(&[0.0, 101.0_f64.ln()], 0.02), vec![1]);
    }
}
