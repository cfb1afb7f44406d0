//! The score on its axis, against the thresholds.

use coalmine_judges::judgement::{Verdict, VerdictReason};

use crate::format::Signs;
use crate::view::VerdictMark;
use crate::{Report, verdict};

/// A zone of the score axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Zone {
    pub(crate) verdict: VerdictMark,
    /// Left end and width in percent of the axis.
    pub(crate) left: f64,
    pub(crate) width: f64,
}

/// The score on its axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScoreView {
    /// Left end of the axis: 50, or 0 where a score or a threshold is lower.
    pub(crate) from: f64,
    /// What the verdict rests on; absent where it rests on no score.
    pub(crate) text: Option<String>,
    pub(crate) position: f64,
    /// What stands in place of a score.
    pub(crate) none: &'static str,
    /// A second score where there is one, and what it is: `82 by the groups alone`.
    pub(crate) second: Option<(String, f64)>,
    pub(crate) zones: Vec<Zone>,
    /// Ticks: position, label.
    pub(crate) ticks: Vec<(f64, String)>,
    /// `Pass from 95, Marginal from 75.`
    pub(crate) caption: String,
}

impl ScoreView {
    /// Whether both scores are so far apart that both can be named above the axis.
    pub(crate) fn apart(&self) -> bool {
        self.second.as_ref().is_some_and(|(_, position)| {
            // Words in place of a score stand at the left end.
            let score = self.text.as_ref().map_or(25.0, |_| self.position);
            (position - score).abs() > 45.0
        })
    }
}

/// The score, its zones and its ticks.
pub(crate) fn score(report: &Report<'_>, signs: Signs) -> ScoreView {
    let judgement = report.judgement;
    let thresholds = judgement.thresholds;
    // Where the data cannot answer, a score would look like an answer.
    let exists = judgement.decided_score.is_some() && judgement.verdict != Verdict::Inconclusive;
    let shown = verdict::shown_score(judgement);
    let second = match judgement.reason {
        VerdictReason::DecidedScoreLower => Some(judgement.score),
        VerdictReason::ScoreReached
        | VerdictReason::ScoreBetween
        | VerdictReason::ScoreBelow
        | VerdictReason::CriticalMetric { .. }
        | VerdictReason::MetricFailed { .. }
        | VerdictReason::CriticalUndecided { .. }
        | VerdictReason::TooLittleDecided
        | VerdictReason::NothingDecided
        | VerdictReason::NothingCounted => judgement.decided_score,
    };
    let second = second.filter(|second| !exists || *second != shown);
    let lowest = [
        Some(thresholds.pass),
        Some(thresholds.marginal),
        exists.then_some(shown),
        second,
    ]
    .into_iter()
    .flatten()
    .fold(f64::INFINITY, f64::min);
    let from = if lowest >= 55.0 { 50.0 } else { 0.0 };
    let pass = position(thresholds.pass, from);
    // Where the marginal threshold is not below the pass threshold, there is no marginal zone.
    let marginal = position(thresholds.marginal, from).min(pass);
    let zones = [
        (Verdict::Fail, 0.0, marginal),
        (Verdict::Marginal, marginal, pass),
        (Verdict::Pass, pass, 100.0),
    ];
    let zones: Vec<Zone> = zones
        .into_iter()
        .filter(|(_, left, right)| right > left)
        .map(|(verdict, left, right)| Zone {
            verdict: VerdictMark::of(verdict),
            left,
            width: right - left,
        })
        .collect();
    let mut ticks = vec![(0.0, signs.score(from))];
    if marginal >= 6.0 && pass - marginal >= 6.0 {
        ticks.push((marginal, signs.score(thresholds.marginal)));
    }
    if pass >= 6.0 {
        ticks.push((pass, signs.score(thresholds.pass)));
    }
    if pass <= 92.0 {
        ticks.push((100.0, "100".to_owned()));
    }
    let caption = if thresholds.marginal < thresholds.pass {
        format!(
            "Pass from {}, Marginal from {}",
            signs.score(thresholds.pass),
            signs.score(thresholds.marginal)
        )
    } else {
        format!("Pass from {}", signs.score(thresholds.pass))
    };
    ScoreView {
        from,
        text: exists.then(|| signs.score(shown)),
        position: position(shown, from),
        none: match judgement.reason {
            VerdictReason::CriticalUndecided { .. } => "no score: a critical metric is undecided",
            VerdictReason::NothingDecided | VerdictReason::NothingCounted => {
                "no score: nothing was decided"
            }
            VerdictReason::TooLittleDecided
            | VerdictReason::ScoreReached
            | VerdictReason::ScoreBetween
            | VerdictReason::ScoreBelow
            | VerdictReason::DecidedScoreLower
            | VerdictReason::MetricFailed { .. }
            | VerdictReason::CriticalMetric { .. } => "no score: too little was decided",
        },
        second: second.map(|score| {
            (
                second_name(report, signs.score(score)),
                position(score, from),
            )
        }),
        zones,
        ticks,
        caption,
    }
}

fn second_name(report: &Report<'_>, score: String) -> String {
    let name = match report.judgement.reason {
        VerdictReason::CriticalMetric { .. } => "by the groups alone",
        VerdictReason::DecidedScoreLower => "as the judge counts",
        VerdictReason::ScoreReached
        | VerdictReason::ScoreBetween
        | VerdictReason::ScoreBelow
        | VerdictReason::MetricFailed { .. }
        | VerdictReason::CriticalUndecided { .. }
        | VerdictReason::TooLittleDecided
        | VerdictReason::NothingDecided
        | VerdictReason::NothingCounted => "over the decided metrics",
    };
    format!("{score} {name}")
}

/// Where a score stands on the axis, in percent.
pub(crate) fn position(score: f64, from: f64) -> f64 {
    if score.is_nan() {
        return 0.0;
    }
    ((score - from) / (100.0 - from) * 100.0).clamp(0.0, 100.0)
}
