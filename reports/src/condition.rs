//! What would have changed the verdict, in words.

use coalmine_judges::judgement::Judgement;
use coalmine_judges::what_if::Change;

use crate::format::{self, Signs};
use crate::metric::{self, MetricView};
use crate::sentence::Sentence;

/// Names listed in one condition.
const NAMES: usize = 3;

/// What would have changed the verdict, to follow `if`.
pub(crate) fn condition(change: &Change, judgement: &Judgement, signs: Signs) -> Sentence {
    let label = |index: usize| {
        judgement
            .results
            .get(index)
            .map_or_else(String::new, |result| {
                let label = if result.tags.is_empty() {
                    metric::name(result.name())
                } else {
                    format::clean(&result.label())
                };
                signs.shorten(&label, 48)
            })
    };
    let list = |indices: &[usize]| {
        let names: Vec<String> = indices.iter().map(|index| label(*index)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Sentence::new().names(&names, NAMES)
    };
    match change {
        Change::Passed(index) => Sentence::new().name(label(*index)).words(" had passed"),
        Change::AllPassed(indices) if indices.len() > 2 => Sentence::new().words(format!(
            "all {} metrics that failed had passed",
            indices.len()
        )),
        Change::AllPassed(indices) | Change::AllOrdinaryPassed(indices) => {
            list(indices).words(" had passed")
        }
        Change::NotCritical(index) => Sentence::new()
            .name(label(*index))
            .words(" were not critical"),
        Change::UndecidedPassed(indices) => undecided_list(indices, &list).words(" had passed"),
        Change::UndecidedFailed(indices) => undecided_list(indices, &list).words(" had failed"),
        Change::NotMuted(index) => Sentence::new().name(label(*index)).words(" were not muted"),
        Change::Failed(index) => Sentence::new().name(label(*index)).words(" had failed"),
    }
}

fn undecided_list(indices: &[usize], list: &dyn Fn(&[usize]) -> Sentence) -> Sentence {
    if indices.len() > 2 {
        Sentence::new().words(format!("all {} undecided metrics", indices.len()))
    } else {
        list(indices)
    }
}

/// One line of explanation below a condition; empty where there is nothing to add.
pub(crate) fn explanation(
    change: &Change,
    judgement: &Judgement,
    metrics: &[MetricView],
) -> String {
    let of = |index: &usize| metrics.iter().find(|metric| metric.index == *index);
    match change {
        Change::Passed(index) => of(index)
            .filter(|metric| !metric.interval.is_empty())
            .map_or_else(String::new, |metric| {
                if let Some(mean) = &metric.mean {
                    format!(
                        "Its tolerance is {}; {mean}, shift {} {}.",
                        metric.tolerance, metric.estimate, metric.interval
                    )
                } else if metric.tolerance_set {
                    format!(
                        "Its tolerance is {}; it changed by {} {}.",
                        metric.tolerance, metric.estimate, metric.interval
                    )
                } else {
                    format!(
                        "It changed by {} {}, and no tolerance is set.",
                        metric.estimate, metric.interval
                    )
                }
            }),
        Change::AllPassed(_) => "No single one of them would have been enough.".to_owned(),
        Change::AllOrdinaryPassed(_) => "None of them fails the canary alone.".to_owned(),
        Change::NotCritical(_) => "The score alone would have decided.".to_owned(),
        Change::UndecidedPassed(_) | Change::UndecidedFailed(_) => String::new(),
        Change::NotMuted(index) => {
            judgement
                .results
                .get(*index)
                .map_or_else(String::new, |result| {
                    format!(
                        "It is {}, but does not count.",
                        result.classification.word()
                    )
                })
        }
        Change::Failed(index) => judgement
            .results
            .get(*index)
            .map_or_else(String::new, |result| {
                if result.spec.critical {
                    "It is critical.".to_owned()
                } else {
                    "Of the metrics that passed, it carries the most weight.".to_owned()
                }
            }),
    }
}
