//! What would have changed the verdict.
//!
//! The judgement is scored again with one thing changed; nothing is judged anew.

use crate::judgement::{Classification, Judgement, MetricResult, Reason, Verdict};
use crate::score;

/// One thing that could have been different. Indices point into the judgement's results.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// This failed metric had passed.
    Passed(usize),
    /// All failed metrics had passed.
    AllPassed(Vec<usize>),
    /// All failed metrics had passed but for those that fail the canary alone.
    AllOrdinaryPassed(Vec<usize>),
    /// This metric, which failed the canary alone, were not critical.
    NotCritical(usize),
    /// All undecided metrics had passed.
    UndecidedPassed(Vec<usize>),
    /// All undecided metrics had failed.
    UndecidedFailed(Vec<usize>),
    /// This muted metric were not muted.
    NotMuted(usize),
    /// This metric had failed (asked where it passed: how little it would have taken).
    Failed(usize),
}

/// A change and what it would have led to.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// What is different.
    pub change: Change,
    /// The score then.
    pub score: f64,
    /// The verdict then.
    pub verdict: Verdict,
}

/// The changes that are worth telling, at most `limit`: those that change the verdict first, better verdicts before worse.
/// Empty where nothing was judged. Cost O(limit × results).
#[must_use]
pub fn explore(judgement: &Judgement, limit: usize) -> Vec<WhatIf> {
    let mut found: Vec<WhatIf> = changes(judgement, limit)
        .into_iter()
        .map(|change| try_out(judgement, change))
        .collect();
    if judgement.verdict == Verdict::Pass {
        found.extend(most_harmful(judgement));
    }
    found.sort_by_key(|what_if| (what_if.verdict == judgement.verdict, what_if.verdict));
    found.truncate(limit);
    found
}

fn changes(judgement: &Judgement, limit: usize) -> Vec<Change> {
    let all = || judgement.results.iter().enumerate();
    let counted = |(_, result): &(usize, &MetricResult)| result.counted();
    let failed: Vec<(usize, &MetricResult)> = all()
        .filter(counted)
        .filter(|(_, result)| result.classification.failed())
        .collect();
    let undecided: Vec<usize> = all()
        .filter(counted)
        .filter(|(_, result)| !result.decided())
        .map(|(index, _)| index)
        .collect();
    let (critical, other): (Vec<_>, Vec<_>) = failed
        .iter()
        .copied()
        .partition(|(_, result)| result.critical);
    let indices = |some: &[(usize, &MetricResult)]| {
        some.iter().map(|(index, _)| *index).collect::<Vec<usize>>()
    };
    let (heavy_critical, heavy_other) = (
        heaviest(judgement, &critical, limit),
        heaviest(judgement, &other, limit),
    );
    let mut changes: Vec<Change> = heavy_critical
        .iter()
        .chain(&heavy_other)
        .map(|index| Change::Passed(*index))
        .collect();
    if other.len() > 1 {
        changes.push(Change::AllOrdinaryPassed(indices(&other)));
    }
    if !critical.is_empty() && failed.len() > 1 {
        changes.push(Change::AllPassed(indices(&failed)));
    }
    changes.extend(heavy_critical.into_iter().map(Change::NotCritical));
    if !undecided.is_empty() {
        changes.push(Change::UndecidedPassed(undecided.clone()));
        changes.push(Change::UndecidedFailed(undecided));
    }
    let muted_failures =
        all().filter(|(_, result)| !result.counted() && result.classification.failed());
    changes.extend(
        muted_failures
            .take(limit)
            .map(|(index, _)| Change::NotMuted(index)),
    );
    changes
}

/// The `limit` results that carry the most weight, heaviest first.
fn heaviest(judgement: &Judgement, results: &[(usize, &MetricResult)], limit: usize) -> Vec<usize> {
    let mut shares: Vec<(f64, usize)> = results
        .iter()
        .map(|(index, result)| (weight_share(judgement, result), *index))
        .collect();
    shares.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    shares
        .into_iter()
        .take(limit)
        .map(|(_, index)| index)
        .collect()
}

/// The part of the total that hangs on one result, in percent of weight.
fn weight_share(judgement: &Judgement, result: &MetricResult) -> f64 {
    let groups = judgement
        .groups
        .iter()
        .filter(|group| result.spec.groups.contains(&group.name));
    groups
        .map(|group| group.weight / (group.passed + group.failed).max(1) as f64)
        .sum()
}

/// Of the metrics that passed, the one whose failure would have cost most: a critical one, or else the one that carries
/// the most weight.
fn most_harmful(judgement: &Judgement) -> Option<WhatIf> {
    let passed =
        |result: &MetricResult| result.counted() && result.classification == Classification::Pass;
    let results = judgement
        .results
        .iter()
        .enumerate()
        .filter(|(_, result)| passed(result));
    let (index, _) = results.max_by(|(_, a), (_, b)| {
        a.spec
            .critical
            .cmp(&b.spec.critical)
            .then(weight_share(judgement, a).total_cmp(&weight_share(judgement, b)))
    })?;
    Some(try_out(judgement, Change::Failed(index)))
}

fn try_out(judgement: &Judgement, change: Change) -> WhatIf {
    let mut results = judgement.results.clone();
    match &change {
        Change::Passed(index) => pass(&mut results[*index]),
        Change::AllPassed(indices)
        | Change::AllOrdinaryPassed(indices)
        | Change::UndecidedPassed(indices) => {
            indices.iter().for_each(|index| pass(&mut results[*index]));
        }
        Change::UndecidedFailed(indices) => {
            indices.iter().for_each(|index| fail(&mut results[*index]))
        }
        Change::Failed(index) => fail(&mut results[*index]),
        Change::NotCritical(index) => {
            results[*index].critical = false;
            results[*index].spec.critical = false;
        }
        Change::NotMuted(index) => results[*index].spec.muted = false,
    }
    let then = score::again(judgement, results);
    WhatIf {
        change,
        score: then.score,
        verdict: then.verdict,
    }
}

fn pass(result: &mut MetricResult) {
    result.cautions.clear();
    result.classification = Classification::Pass;
    result.reason = Reason::NoShift;
    result.critical = false;
}

fn fail(result: &mut MetricResult) {
    result.cautions.clear();
    result.classification = if result.spec.direction.counts_increase() {
        Classification::High
    } else {
        Classification::Low
    };
    result.reason = Reason::BeyondLimit;
    result.critical = result.spec.critical;
}
