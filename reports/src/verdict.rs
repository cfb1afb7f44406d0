//! The verdict in one sentence, and the paragraph that gives its reason.

use coalmine_judges::judgement::{
    Classification, Judgement, MetricResult, ScoreLabel, Verdict, VerdictReason,
};
use coalmine_judges::judges::coalmine_v1;
use coalmine_judges::score::by_evidence;

use coalmine_judges::judges::netflix_aca;

use crate::format::{self, Signs};
use crate::metric::{Kind, MetricView};
use crate::sentence::Sentence;

/// Longest name in a headline.
const NAME_LENGTH: usize = 72;
/// Names listed in one sentence.
const NAMES: usize = 3;

/// What happened, without the verdict's word: `error rate rose 3.1× [2.4, 4.0], critical`. `metrics` are in order of severity.
pub(crate) fn headline(judgement: &Judgement, metrics: &[MetricView], signs: Signs) -> Sentence {
    match judgement.reason {
        VerdictReason::CriticalMetric { result } => {
            about(metrics, result, signs).words(", critical")
        }
        VerdictReason::CriticalUndecided { result } => {
            let mut sentence = Sentence::new().words("critical metric ");
            match judgement.results.get(result) {
                // It has a classification, made of zeros.
                Some(undecided) if undecided.classification.decided() => {
                    let label = Signs::PAGE.shorten(&format::clean(&undecided.label()), 48);
                    sentence
                        .name(label)
                        .words(" must have data, and every point of a side is missing")
                }
                _ => {
                    sentence.0.extend(about(metrics, result, signs).0);
                    sentence
                }
            }
        }
        VerdictReason::ScoreReached
        | VerdictReason::ScoreBetween
        | VerdictReason::MetricFailed { .. }
        | VerdictReason::ScoreBelow
        | VerdictReason::DecidedScoreLower => changed(judgement, metrics, signs),
        VerdictReason::TooLittleDecided => {
            let (decided, counted) = decided(judgement);
            Sentence::new()
                .words("only ")
                .strong(format!(
                    "{} of {}",
                    format::count(decided),
                    metrics_word(counted)
                ))
                .words(" could be decided")
        }
        VerdictReason::NothingDecided => {
            let (_, counted) = decided(judgement);
            match counted {
                1 => only(metrics).map_or_else(Sentence::new, |metric| described(metric, signs)),
                _ => Sentence::new().words(format!(
                    "none of {} could be decided",
                    metrics_word(counted)
                )),
            }
        }
        VerdictReason::NothingCounted => nothing_counted(judgement),
    }
}

fn only(metrics: &[MetricView]) -> Option<&MetricView> {
    metrics.iter().find(|metric| metric.kind != Kind::Muted)
}

fn about(metrics: &[MetricView], result: usize, signs: Signs) -> Sentence {
    metrics
        .iter()
        .find(|metric| metric.index == result)
        .map_or_else(
            || Sentence::new().words("a metric decided"),
            |metric| described(metric, signs),
        )
}

fn described(metric: &MetricView, signs: Signs) -> Sentence {
    let mut sentence = Sentence::new()
        .name(signs.shorten(&metric.label(), NAME_LENGTH))
        .words(" ");
    sentence.0.extend(metric.happened.0.iter().cloned());
    sentence
}

/// The headline of a verdict that rests on the score.
fn changed(judgement: &Judgement, metrics: &[MetricView], signs: Signs) -> Sentence {
    let failed: Vec<&MetricView> = metrics
        .iter()
        .filter(|metric| metric.kind.failed())
        .collect();
    let (_, counted) = decided(judgement);
    let score = format!("score {}", signs.score(shown_score(judgement)));
    let Some(worst) = failed.first() else {
        let text = match (judgement.verdict, counted) {
            (Verdict::Pass, 1) => "no change that counts in 1 metric".to_owned(),
            (Verdict::Pass, counted) => {
                format!("no change that counts in {}", metrics_word(counted))
            }
            (Verdict::Marginal | Verdict::Fail | Verdict::Inconclusive, _) => {
                format!("{score}, although no metric failed")
            }
        };
        return Sentence::new().words(text);
    };
    let sentence = if judgement.verdict == Verdict::Pass {
        Sentence::new().words(format!("{score}, although "))
    } else {
        Sentence::new()
    };
    let sentence = if failed.len() == 1 {
        let mut sentence = sentence;
        sentence.0.extend(described(worst, signs).0);
        sentence
    } else {
        let mut sentence = sentence
            .strong(format!(
                "{} of {}",
                format::count(failed.len()),
                metrics_word(counted)
            ))
            .words(if judgement.verdict == Verdict::Pass {
                " failed, most of all "
            } else {
                " failed, first of all "
            });
        sentence.0.extend(described(worst, signs).0);
        sentence
    };
    if judgement.verdict == Verdict::Pass {
        sentence
    } else {
        sentence.words(format!(", {score}"))
    }
}

fn metrics_word(number: usize) -> String {
    format::counted(number, "metric", "metrics")
}

fn nothing_counted(judgement: &Judgement) -> Sentence {
    let muted = judgement
        .results
        .iter()
        .filter(|result| !result.counted())
        .count();
    Sentence::new().words(match (judgement.results.len(), muted) {
        (0, _) => "there were no metrics to judge",
        (all, muted) if all == muted => "all metrics are muted, so nothing counts",
        _ => "no metric belongs to a group, so nothing counts",
    })
}

/// Results that were decided, and that count.
fn decided(judgement: &Judgement) -> (usize, usize) {
    let counted: Vec<&MetricResult> = judgement
        .results
        .iter()
        .filter(|result| result.counted())
        .collect();
    let decided = counted.iter().filter(|result| result.decided()).count();
    (decided, counted.len())
}

/// The score that the verdict rests on.
pub(crate) fn shown_score(judgement: &Judgement) -> f64 {
    match (&judgement.reason, judgement.decided_score) {
        (VerdictReason::DecidedScoreLower, Some(decided)) => decided,
        _ => judgement.score,
    }
}

/// Why the verdict is what it is, and what else is worth knowing before the details.
pub(crate) fn paragraph(judgement: &Judgement, metrics: &[MetricView], signs: Signs) -> Sentence {
    reason(judgement, metrics, signs)
        .then(others(judgement, metrics))
        .then(undecided(judgement))
        .then(label(judgement, signs))
        .then(tolerance(metrics))
}

fn reason(judgement: &Judgement, metrics: &[MetricView], signs: Signs) -> Sentence {
    let score = signs.score(judgement.score);
    let pass = signs.score(judgement.thresholds.pass);
    let marginal = signs.score(judgement.thresholds.marginal);
    let text = match judgement.reason {
        VerdictReason::CriticalMetric { .. } => {
            "A critical metric that fails makes the verdict Fail, whatever the other metrics say.".to_owned()
        }
        VerdictReason::CriticalUndecided { .. } => {
            "Without an answer for a critical metric there can be no Pass: no evidence is not success.".to_owned()
        }
        VerdictReason::ScoreReached => format!("The score of {score} reaches {pass}, from which on a canary passes."),
        VerdictReason::ScoreBetween => {
            format!("The score of {score} lies below {pass}, from which on a canary passes, and not below {marginal}: a person should decide.")
        }
        VerdictReason::MetricFailed { .. } => format!("The score of {score} reaches {pass}, but a metric that failed makes the verdict Marginal at best: a person should decide."),
        VerdictReason::ScoreBelow => format!(
            "The score of {score} is below {}, the lowest that is not a failure.",
            signs.score(judgement.thresholds.marginal.min(judgement.thresholds.pass))
        ),
        VerdictReason::DecidedScoreLower => match judgement.decided_score {
            Some(decided) => format!(
                "The judge counts a score of {score}, but gives groups without any decision full marks. What was decided scores {}, and the verdict rests on that.",
                signs.score(decided)
            ),
            None => "The judge gives groups without any decision full marks; the verdict does not.".to_owned(),
        },
        VerdictReason::TooLittleDecided if judgement.judge == coalmine_v1::NAME => format!(
            "{} of the weight was decided; a Pass needs {}.",
            format::share(judgement.coverage),
            format::share(by_evidence::ENOUGH_COVERAGE)
        ),
        VerdictReason::TooLittleDecided => format!(
            "{} of the weight was decided; a verdict needs more than half of the metrics and more than half of the weight.",
            format::share(judgement.coverage)
        ),
        VerdictReason::NothingDecided => {
            "No metric was decided, for or against the canary. No evidence is not success.".to_owned()
        }
        VerdictReason::NothingCounted => {
            "Nothing was found that could count for or against the canary. No evidence is not success.".to_owned()
        }
    };
    Sentence::new()
        .words(text)
        .words(zero(judgement, metrics, signs))
}

/// Why the score is zero, where the groups do not say it.
fn zero(judgement: &Judgement, metrics: &[MetricView], signs: Signs) -> String {
    if judgement.score != 0.0 {
        return String::new();
    }
    if matches!(judgement.reason, VerdictReason::CriticalMetric { .. }) {
        return match judgement.decided_score {
            Some(decided) if decided != 0.0 => format!(
                " The judge sets the score to 0 for that; by the groups alone it would be {}.",
                signs.score(decided)
            ),
            Some(_) | None => String::new(),
        };
    }
    let failed = metrics.iter().any(|metric| metric.kind.failed());
    if judgement.reason == VerdictReason::ScoreBelow && !failed {
        return " The judge’s own rules set it to 0.".to_owned();
    }
    String::new()
}

/// The failed metrics that the headline does not name.
fn others(judgement: &Judgement, metrics: &[MetricView]) -> Sentence {
    let named = match judgement.reason {
        VerdictReason::CriticalMetric { result } | VerdictReason::CriticalUndecided { result } => {
            Some(result)
        }
        VerdictReason::ScoreReached
        | VerdictReason::ScoreBetween
        | VerdictReason::MetricFailed { .. }
        | VerdictReason::ScoreBelow
        | VerdictReason::DecidedScoreLower => metrics
            .iter()
            .find(|metric| metric.kind.failed())
            .map(|metric| metric.index),
        VerdictReason::TooLittleDecided
        | VerdictReason::NothingDecided
        | VerdictReason::NothingCounted => None,
    };
    let others: Vec<&MetricView> = metrics
        .iter()
        .filter(|metric| metric.kind.failed() && Some(metric.index) != named)
        .collect();
    if others.is_empty() {
        return Sentence::new();
    }
    let names: Vec<String> = others
        .iter()
        .map(|metric| Signs::PAGE.shorten(&metric.label(), 48))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sentence = Sentence::new().names(&names, NAMES);
    let verb = if others.len() == 1 {
        " fails too"
    } else {
        " fail too"
    };
    let critical = others
        .iter()
        .filter(|metric| {
            judgement
                .results
                .get(metric.index)
                .is_some_and(|result| result.critical)
        })
        .count();
    sentence.words(verb).words(match (critical, others.len()) {
        (0, 1) => ", and is not critical.",
        (0, _) => ", none of them critical.",
        (_, 1) => ", and is critical as well.",
        (_, _) => ", critical ones among them.",
    })
}

fn undecided(judgement: &Judgement) -> Sentence {
    let (decided, counted) = decided(judgement);
    let undecided = counted - decided;
    match judgement.reason {
        VerdictReason::NothingDecided
        | VerdictReason::NothingCounted
        | VerdictReason::TooLittleDecided => Sentence::new(),
        VerdictReason::ScoreReached
        | VerdictReason::ScoreBetween
        | VerdictReason::MetricFailed { .. }
        | VerdictReason::ScoreBelow
        | VerdictReason::DecidedScoreLower
        | VerdictReason::CriticalMetric { .. }
        | VerdictReason::CriticalUndecided { .. } => {
            if undecided == 0 {
                return Sentence::new();
            }
            Sentence::new().words(format!(
                "{} of {} could not be decided and {} not count.",
                format::count(undecided),
                metrics_word(counted),
                if undecided == 1 { "does" } else { "do" }
            ))
        }
    }
}

/// What the score's own label is, where the verdict differs from it.
fn label(judgement: &Judgement, signs: Signs) -> Sentence {
    let same = match (judgement.label, judgement.verdict) {
        (ScoreLabel::Pass, Verdict::Pass)
        | (ScoreLabel::Marginal, Verdict::Marginal)
        | (ScoreLabel::Fail, Verdict::Fail) => true,
        (ScoreLabel::Pass | ScoreLabel::Marginal | ScoreLabel::Fail, _) => false,
    };
    if same {
        return Sentence::new();
    }
    let (label, score) = (judgement.label.word(), signs.score(judgement.score));
    Sentence::new().words(if judgement.judge == netflix_aca::NAME {
        format!("A client that reads only Kayenta’s score sees {label} ({score}).")
    } else {
        format!("By its score of {score} alone it would be {label}.")
    })
}

fn tolerance(metrics: &[MetricView]) -> Sentence {
    let counted = || {
        let compared = |metric: &&MetricView| !metric.interval.is_empty();
        metrics
            .iter()
            .filter(|metric| metric.kind != Kind::Muted)
            .filter(compared)
    };
    if counted().next().is_some() && counted().all(|metric| !metric.tolerance_set) {
        return Sentence::new()
            .words("No tolerance is set: any significant change counts, however small.");
    }
    Sentence::new()
}

/// How a classification counts in the lists below a group.
pub(crate) fn not_counted(results: &[&MetricResult]) -> String {
    let number = |kind: Kind| {
        results
            .iter()
            .filter(|result| Kind::of(result) == kind)
            .count()
    };
    let parts: Vec<String> = [Kind::Error, Kind::Inconclusive, Kind::Nodata, Kind::Muted]
        .into_iter()
        .map(|kind| (number(kind), kind))
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{} {}", format::count(number), kind.word()))
        .collect();
    parts.join(", ")
}

/// Order in which a list shows results: what failed the canary alone, what failed, what is undecided, muted, passed; larger
/// effects first.
pub(crate) fn severity(result: &MetricResult) -> (u8, Kind) {
    let alone = result.counted() && result.critical && result.classification.failed();
    let kind = Kind::of(result);
    let class = match kind {
        Kind::High | Kind::Low if alone => 0,
        Kind::NodataFail if alone => 0,
        Kind::High | Kind::Low => 1,
        Kind::NodataFail => 2,
        Kind::Error | Kind::Inconclusive | Kind::Nodata if result.spec.critical => 3,
        Kind::Error | Kind::Inconclusive | Kind::Nodata => 4,
        Kind::Muted if result.classification == Classification::Pass => 6,
        Kind::Muted => 5,
        Kind::Pass => 7,
    };
    let order = if class <= 1 { Kind::High } else { kind };
    (class, order)
}
