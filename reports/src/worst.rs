//! The metrics of a judgement that a person should look at first, on a line each.

use coalmine_judges::judgement::Judgement;

use crate::format::Signs;
use crate::metric::{Kind, MetricView};
use crate::verdict;

/// One metric on a line: every number rounded and worded as in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricLine {
    /// The name with its tags: `search-p99 {zone=a}`.
    pub name: String,
    /// `High`, `Low`, `NodataFailMetric`, `Error`, `Inconclusive`, `Nodata`, `Muted`, `Pass`.
    pub result: &'static str,
    /// The effect: `+17.1%`; `no data`, `no effect` and the like where nothing was compared.
    pub effect: String,
    /// Its interval: `[+11.2, +23.4]`; empty where nothing was compared.
    pub interval: String,
    /// What it is held against: `at most +10%`.
    pub tolerance: String,
    /// Points of both sides, baseline first: `36 / 41`.
    pub points: String,
    /// Why the result is what it is, one sentence.
    pub why: String,
    /// Whether the verdict is Fail when it fails.
    pub critical: bool,
}

/// At most `most` of the metrics that did not pass, the worst first, in the order of the report.
#[must_use]
pub fn worst(judgement: &Judgement, most: usize) -> Vec<MetricLine> {
    let mut results: Vec<_> = judgement
        .results
        .iter()
        .enumerate()
        .filter(|(_, result)| Kind::of(result) != Kind::Pass)
        .map(|(index, result)| {
            let view = MetricView::new(index, result, None, None, Signs::TERMINAL);
            (result, view)
        })
        .collect();
    let size = |view: &MetricView| {
        if view.kind.failed() {
            view.sort.effect.abs()
        } else {
            -1.0
        }
    };
    results.sort_by(|(a, view_a), (b, view_b)| {
        verdict::severity(a)
            .cmp(&verdict::severity(b))
            .then_with(|| size(view_b).total_cmp(&size(view_a)))
            .then_with(|| view_a.index.cmp(&view_b.index))
    });
    results
        .into_iter()
        .take(most)
        .map(|(_, view)| MetricLine {
            name: view.label(),
            result: view.kind.word(),
            effect: view.estimate.clone(),
            interval: view.interval.clone(),
            tolerance: view.held_against(),
            points: view.points.clone(),
            why: view.brief.plain(),
            critical: view.critical,
        })
        .collect()
}
