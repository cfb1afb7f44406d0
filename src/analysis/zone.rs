//! A score that says what the verdict says. Kayenta's clients decide by the score alone, so where a verdict is not theirs the score can
//! be moved into the verdict's zone.

use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Verdict;

/// Where the score is moved to; `None` where it stands in the verdict's zone. Marginal and Inconclusive are moved below the pass
/// threshold but, where there is room, above marginal, so that a client goes on or asks a person; Fail below marginal. The new
/// score stays in its zone when a client cuts off its fraction.
#[must_use]
pub fn moved(score: f64, verdict: Verdict, thresholds: Thresholds) -> Option<f64> {
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

#[cfg(test)]
mod tests {
    use coalmine_judges::judgement::ScoreLabel;

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
