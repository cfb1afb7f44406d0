//! The score on Kayenta's wire. Its clients decide by the score alone, so where our verdict is not theirs the score can be moved
//! into the verdict's zone.

use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::{Judgement, ScoreLabel, Verdict, VerdictReason};
use coalmine_judges::judges::netflix_aca;

use crate::api::ApiSettings;
use crate::model::kayenta::{CanaryJudgeResult, Double};

/// Whether the score of this judge's results follows the verdict. Kayenta's own judge gives Kayenta's numbers unless the
/// settings say otherwise.
pub(super) fn is_safe(settings: &ApiSettings, judge: &str) -> bool {
    settings.safe_scores || judge != netflix_aca::NAME
}

/// The result as clients see it.
pub(super) fn result(settings: &ApiSettings, judgement: &Judgement) -> CanaryJudgeResult {
    let mut result = CanaryJudgeResult::from(judgement);
    if is_safe(settings, &judgement.judge) {
        let moved = moved(judgement.score, judgement.verdict, judgement.thresholds);
        if let Some(score) = moved {
            result.score.score = Double(score);
            result.score.classification = ScoreLabel::of(score, judgement.thresholds).word();
            result.score.classification_reason = format!(
                "Coalmine moved the score from {} to {score}, because the verdict is {}: {}",
                judgement.score,
                judgement.verdict.word(),
                why(judgement)
            );
        }
    }
    result
}

/// The score that clients decide by.
pub(super) fn shown(
    settings: &ApiSettings,
    judge: &str,
    score: f64,
    verdict: Verdict,
    thresholds: Thresholds,
) -> f64 {
    let moved = match is_safe(settings, judge) {
        true => moved(score, verdict, thresholds),
        false => None,
    };
    moved.unwrap_or(score)
}

/// Where the score is moved to; `None` where it stands in the verdict's zone. Marginal and Inconclusive are moved below the pass
/// threshold but, where there is room, above marginal, so that a client goes on or asks a person; Fail below marginal. The new
/// score stays in its zone when a client cuts off its fraction.
fn moved(score: f64, verdict: Verdict, thresholds: Thresholds) -> Option<f64> {
    let Thresholds { pass, marginal } = thresholds;
    match verdict {
        Verdict::Pass => None,
        Verdict::Marginal | Verdict::Inconclusive => (score >= pass).then(|| {
            if pass - 1.0 > marginal {
                pass - 1.0
            } else if pass > marginal {
                f64::midpoint(pass, marginal)
            } else {
                below(pass)
            }
        }),
        // Clients pass by `pass` first, also where `marginal` is above it.
        Verdict::Fail => {
            let least = marginal.min(pass);
            (score >= least).then(|| below(least))
        }
    }
}

/// A score below `limit`: one less, but not below zero where that still is less.
fn below(limit: f64) -> f64 {
    if limit > 0.0 {
        (limit - 1.0).max(0.0)
    } else {
        limit - 1.0
    }
}

/// Why the verdict is what it is, in a few words.
fn why(judgement: &Judgement) -> String {
    let name = |result: usize| match judgement.results.get(result) {
        Some(result) => format!("`{}`", result.label()),
        None => "a metric".to_owned(),
    };
    match judgement.reason {
        VerdictReason::ScoreReached => "the score reaches the pass threshold".to_owned(),
        VerdictReason::ScoreBetween => "the score lies between the thresholds".to_owned(),
        VerdictReason::ScoreBelow => "the score is below the marginal threshold".to_owned(),
        VerdictReason::DecidedScoreLower => {
            "only groups without any decision lift the score".to_owned()
        }
        VerdictReason::CriticalMetric { result } => {
            format!("the critical metric {} failed", name(result))
        }
        VerdictReason::CriticalUndecided { result } => {
            format!("the critical metric {} was not decided", name(result))
        }
        VerdictReason::TooLittleDecided => "too little could be decided".to_owned(),
        VerdictReason::NothingDecided => "nothing could be decided".to_owned(),
        VerdictReason::NothingCounted => "nothing was to be counted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(score: f64, verdict: Verdict, pass: f64, marginal: f64, expected: Option<f64>) {
        let thresholds = Thresholds { pass, marginal };
        let found = moved(score, verdict, thresholds);
        assert_eq!(found, expected, "{score} {verdict:?} {pass} {marginal}");
        let shown = found.unwrap_or(score);
        let label = ScoreLabel::of(shown, thresholds);
        match verdict {
            Verdict::Pass => {}
            Verdict::Marginal | Verdict::Inconclusive => assert_ne!(label, ScoreLabel::Pass),
            Verdict::Fail => assert_eq!(label, ScoreLabel::Fail),
        }
    }

    #[test]
    fn a_score_is_moved_into_the_zone_of_the_verdict() {
        use Verdict::{Fail, Inconclusive, Marginal, Pass};
        check(100.0, Pass, 95.0, 75.0, None);
        check(100.0, Marginal, 95.0, 75.0, Some(94.0));
        check(100.0, Inconclusive, 95.0, 75.0, Some(94.0));
        check(80.0, Inconclusive, 95.0, 75.0, None);
        check(0.0, Inconclusive, 95.0, 75.0, None);
        check(100.0, Fail, 95.0, 75.0, Some(74.0));
        check(74.0, Fail, 95.0, 75.0, None);
    }

    #[test]
    fn thresholds_without_room_between_them_still_keep_a_score_from_passing() {
        use Verdict::{Fail, Inconclusive};
        check(100.0, Inconclusive, 75.0, 75.0, Some(74.0));
        check(100.0, Inconclusive, 75.5, 75.0, Some(75.25));
        check(100.0, Inconclusive, 50.0, 75.0, Some(49.0));
        check(100.0, Fail, 50.0, 75.0, Some(49.0));
        check(0.0, Inconclusive, 0.0, 0.0, Some(-1.0));
        check(0.0, Fail, 0.5, 0.5, None);
        check(0.5, Fail, 0.5, 0.5, Some(0.0));
    }
}
