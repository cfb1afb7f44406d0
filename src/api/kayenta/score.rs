//! The score on Kayenta's wire. Its clients decide by the score alone, so where our verdict is not theirs the score can be moved
//! into the verdict's zone.

use coalmine_judges::judgement::{Judgement, ScoreLabel, VerdictReason};
use coalmine_judges::judges::netflix_aca;

use crate::analysis::zone;
use crate::api::ApiSettings;
use crate::model::kayenta::{CanaryJudgeResult, Double};

/// Whether the score of this judge's results follows the verdict. Kayenta's own judge gives Kayenta's numbers unless the
/// settings say otherwise. Of an execution this is settled when it is accepted.
pub(super) fn is_safe(settings: &ApiSettings, judge: &str) -> bool {
    settings.safe_scores || judge != netflix_aca::NAME
}

/// The result as clients see it, with the score moved into the verdict's zone where it `follows_verdict`.
pub(super) fn result(judgement: &Judgement, follows_verdict: bool) -> CanaryJudgeResult {
    let mut result = CanaryJudgeResult::from(judgement);
    if follows_verdict {
        let moved = zone::moved(judgement.score, judgement.verdict, judgement.thresholds);
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
        VerdictReason::MetricFailed { result } => {
            format!("the metric {} failed", name(result))
        }
        VerdictReason::TooLittleDecided => "too little could be decided".to_owned(),
        VerdictReason::NothingDecided => "nothing could be decided".to_owned(),
        VerdictReason::NothingCounted => "nothing was to be counted".to_owned(),
    }
}
