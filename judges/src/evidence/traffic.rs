//! Whether the sides got the traffic that they should have.

use super::align::{Sides, align, usable};
use super::count::steps;
use super::result::{EvidenceReason, Pairing};
use crate::judge::JudgeInput;
use crate::stats::event_share::EventShare;

/// A split is wrong when its chance is below this, one in a thousand: the usual level of sample-ratio checks (Fabijan et al. 2019), since
/// the check is made at every judgement.
const LEVEL: f64 = 0.001;

/// And when it is off by more than this share of the odds: of many requests the smallest unevenness is proven.
const TOLERANCE: f64 = 0.05;

/// The finding that keeps events from being compared: the requests, which some metric names as its denominator, are not split as
/// they should be. `None` where they are, and where no metric names any. Events with a denominator of their own need no split.
/// Cost O(n) a denominator.
pub(crate) fn wrong_split(input: &JudgeInput<'_>) -> Option<EvidenceReason> {
    let share = input.traffic().map_or(0.5, |traffic| traffic.canary());
    let named = |name: &str| {
        let mut metrics = input.config().metrics.iter();
        metrics.any(|metric| metric.evidence.denominator.as_deref() == Some(name))
    };
    input
        .pairs()
        .iter()
        .filter(|pair| named(&pair.set.name))
        .find_map(|pair| {
            let aligned = align(
                Sides {
                    baseline: &pair.set.baseline,
                    canary: &pair.set.canary,
                    exposure: None,
                },
                &usable(&pair.set.baseline, pair.spec, true),
                &usable(&pair.set.canary, pair.spec, true),
            );
            if aligned.pairing == Pairing::None {
                return None;
            }
            let events = EventShare::of(&steps(&aligned, share))?;
            let p = 2.0 * events.p_more().min(events.p_fewer());
            let (ratio, ..) = events.ratio(0.05);
            let even = 1.0 / (1.0 + TOLERANCE)..=1.0 + TOLERANCE;
            (!even.contains(&ratio) && p < LEVEL).then(|| EvidenceReason::TrafficSplit {
                found: events.canary / (events.canary + events.baseline),
                expected: share,
            })
        })
}
