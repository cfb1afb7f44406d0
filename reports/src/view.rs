//! A report's data, rounded and worded once for all formats.

use coalmine_judges::judgement::{Judgement, MetricResult, Verdict};
use coalmine_judges::what_if::{self, Change, WhatIf};

use crate::effect::Effect;
use crate::format::{self, Signs};
use crate::metric::{self, Kind, MetricView};
use crate::score::{ScoreView, position, score};
use crate::sentence::Sentence;
use crate::window::Window;
use crate::{Report, condition, verdict};

/// Conditions that a report lists.
const CONDITIONS: usize = 8;
/// Conditions that are tried.
const EXPLORED: usize = 24;
/// Metrics in one condition; one over more says nothing.
const JOINED: usize = 3;
/// Conditions listed although they leave the verdict as it is.
const UNCHANGED: usize = 3;

/// The word, the class on a page and the marks of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerdictMark {
    pub(crate) word: &'static str,
    pub(crate) class: &'static str,
    pub(crate) mark: char,
    pub(crate) letter: char,
}

impl VerdictMark {
    pub(crate) fn of(verdict: Verdict) -> Self {
        let (class, mark, letter) = match verdict {
            Verdict::Pass => ("pass", '✓', 'P'),
            Verdict::Marginal => ("marginal", '◐', 'M'),
            Verdict::Fail => ("fail", '✕', 'F'),
            Verdict::Inconclusive => ("inconclusive", '◇', '?'),
        };
        Self {
            word: verdict.word(),
            class,
            mark,
            letter,
        }
    }
}

/// How many results are of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) kind: Kind,
    pub(crate) number: usize,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupView {
    pub(crate) name: String,
    /// `30 of 40`.
    pub(crate) points: String,
    /// Percent of the widest weight.
    pub(crate) width: f64,
    pub(crate) filled: f64,
    pub(crate) score: String,
    /// `3 of 4`.
    pub(crate) passed: String,
    pub(crate) lost_on: Sentence,
    pub(crate) not_counted: String,
}

/// What would have changed the verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConditionView {
    pub(crate) condition: Sentence,
    pub(crate) explanation: String,
    pub(crate) score: String,
    pub(crate) position: f64,
    pub(crate) verdict: VerdictMark,
    pub(crate) same: bool,
    pub(crate) better: bool,
}

/// A report's data, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) verdict: VerdictMark,
    pub(crate) headline: Sentence,
    pub(crate) paragraph: Sentence,
    /// `checkout 2.19.0 against 2.18.3, 11:00 to 12:30 UTC`.
    pub(crate) subject: Sentence,
    /// What a page calls itself: `checkout 2.19.0`.
    pub(crate) title: String,
    pub(crate) score: ScoreView,
    pub(crate) tally: Vec<Tally>,
    pub(crate) groups: Vec<GroupView>,
    pub(crate) groups_note: Option<String>,
    pub(crate) conditions: Vec<ConditionView>,
    /// In order of severity.
    pub(crate) metrics: Vec<MetricView>,
    /// `98%`; absent where nothing was compared.
    pub(crate) level: Option<String>,
    pub(crate) window: Option<Window>,
    pub(crate) judged_at: Option<String>,
    pub(crate) judge: String,
    pub(crate) thresholds: String,
}

impl View {
    pub(crate) fn new(report: &Report<'_>, signs: Signs) -> Self {
        let judgement = report.judgement;
        let explored = what_if::explore(judgement, EXPLORED);
        let signs = signs.for_scores(
            &scores(judgement, &explored),
            &[judgement.thresholds.pass, judgement.thresholds.marginal],
        );
        let metrics = metrics(report, signs);
        let window = Window::of(report.sets);
        let level = judgement
            .results
            .iter()
            .find_map(Effect::of)
            .map(Effect::level);
        let score = score(report, signs);
        Self {
            verdict: VerdictMark::of(judgement.verdict),
            headline: verdict::headline(judgement, &metrics, signs),
            paragraph: verdict::paragraph(judgement, &metrics, signs),
            subject: subject(report, window.as_ref()),
            title: title(report),
            tally: tally(&metrics),
            groups: groups(report, signs),
            groups_note: groups_note(report, signs),
            conditions: conditions(judgement, explored, &metrics, score.from, signs),
            level,
            window,
            judged_at: report.context.judged_at_ms.and_then(|time| {
                Some(format!(
                    "{}, {} UTC",
                    format::date(time)?,
                    format::clock(time)?
                ))
            }),
            judge: metric::name(&judgement.judge),
            thresholds: score.caption.clone(),
            score,
            metrics,
        }
    }

    /// All metrics of a kind.
    pub(crate) fn of_kind(&self, kinds: &[Kind]) -> Vec<&MetricView> {
        self.metrics
            .iter()
            .filter(|metric| kinds.contains(&metric.kind))
            .collect()
    }

    /// The first single change that would have led to a better verdict.
    pub(crate) fn way_out(&self) -> Option<&ConditionView> {
        self.conditions.iter().find(|condition| condition.better)
    }
}

fn metrics(report: &Report<'_>, signs: Signs) -> Vec<MetricView> {
    let mut metrics: Vec<(&MetricResult, MetricView)> = report
        .judgement
        .results
        .iter()
        .enumerate()
        .map(|(index, result)| {
            let set = report.sets.get(index);
            let query = report.context.queries.get(index);
            (result, MetricView::new(index, result, set, query, signs))
        })
        .collect();
    metrics.sort_by(|(a, view_a), (b, view_b)| {
        verdict::severity(a)
            .cmp(&verdict::severity(b))
            .then_with(|| larger(b, view_b).total_cmp(&larger(a, view_a)))
            .then_with(|| view_a.index.cmp(&view_b.index))
    });
    for (rank, (_, view)) in metrics.iter_mut().enumerate() {
        view.sort.severity = rank;
    }
    metrics.into_iter().map(|(_, view)| view).collect()
}

/// By what metrics of one severity are ordered: the size of the effect where they failed; others follow in the judgement's order.
fn larger(result: &MetricResult, view: &MetricView) -> f64 {
    if result.classification.failed() {
        view.sort.effect.abs()
    } else {
        -1.0
    }
}

fn tally(metrics: &[MetricView]) -> Vec<Tally> {
    Kind::ALL
        .into_iter()
        .map(|kind| Tally {
            kind,
            number: metrics.iter().filter(|metric| metric.kind == kind).count(),
        })
        .filter(|tally| tally.number > 0)
        .collect()
}

fn title(report: &Report<'_>) -> String {
    let context = report.context;
    let parts: Vec<String> = [&context.application, &context.canary]
        .into_iter()
        .flatten()
        .map(|part| format::clean(part))
        .collect();
    if parts.is_empty() {
        context
            .config_name
            .as_ref()
            .map_or_else(|| "canary".to_owned(), |name| format::clean(name))
    } else {
        parts.join(" ")
    }
}

fn subject(report: &Report<'_>, window: Option<&Window>) -> Sentence {
    let context = report.context;
    let mut sentence = Sentence::new();
    if let Some(application) = &context.application {
        sentence = sentence.name(format::clean(application)).words(" ");
    }
    sentence = match &context.canary {
        Some(canary) => sentence.name(format::clean(canary)),
        None => sentence.words("canary"),
    };
    sentence = sentence.words(" against ");
    sentence = match &context.baseline {
        Some(baseline) => sentence.name(format::clean(baseline)),
        None => sentence.words("baseline"),
    };
    match window {
        Some(window) => sentence.words(format!(", {}", window.short)),
        None => sentence,
    }
}

fn groups(report: &Report<'_>, signs: Signs) -> Vec<GroupView> {
    let judgement = report.judgement;
    let widest = judgement
        .groups
        .iter()
        .map(|group| group.weight.max(0.0))
        .fold(0.0, f64::max);
    let mut groups: Vec<_> = judgement.groups.iter().collect();
    groups.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| a.name.cmp(&b.name))
    });
    groups
        .into_iter()
        .map(|group| {
            let members: Vec<&MetricResult> = judgement
                .results
                .iter()
                .filter(|result| result.spec.groups.contains(&group.name))
                .collect();
            let lost: Vec<String> = members
                .iter()
                .filter(|result| result.counted() && result.classification.failed())
                .map(|result| signs.shorten(&metric::name(result.name()), 40))
                .collect();
            let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
            let decided = group.passed + group.failed;
            let won = if decided == 0 {
                0.0
            } else {
                group.weight * group.passed as f64 / decided as f64
            };
            let width = if widest > 0.0 {
                group.weight.max(0.0) / widest * 100.0
            } else {
                0.0
            };
            GroupView {
                name: metric::name(&group.name),
                points: if decided == 0 {
                    format!("none of {}", signs.score(group.weight))
                } else {
                    format!("{} of {}", signs.score(won), signs.score(group.weight))
                },
                width,
                filled: if decided == 0 {
                    0.0
                } else {
                    width * group.passed as f64 / decided as f64
                },
                score: if decided == 0 {
                    "none".to_owned()
                } else {
                    signs.score(group.passed as f64 / decided as f64 * 100.0)
                },
                passed: format!(
                    "{} of {}",
                    format::count(group.passed),
                    format::count(decided)
                ),
                lost_on: if lost.is_empty() {
                    Sentence::new()
                } else {
                    Sentence::new().words("lost on ").names(&lost, 3)
                },
                not_counted: verdict::not_counted(&members),
            }
        })
        .collect()
}

/// What the weights hide.
fn groups_note(report: &Report<'_>, signs: Signs) -> Option<String> {
    let groups = &report.judgement.groups;
    let total: f64 = groups.iter().map(|group| group.weight).sum();
    if !groups.is_empty() && (total - 100.0).abs() > 0.01 {
        return Some(format!(
            "The weights of these groups add up to {}, so that is the best score that could be reached.",
            signs.score(total)
        ));
    }
    None
}

/// All scores that a report holds against the thresholds.
fn scores(judgement: &Judgement, explored: &[WhatIf]) -> Vec<f64> {
    [judgement.score]
        .into_iter()
        .chain(judgement.decided_score)
        .chain(explored.iter().map(|what_if| what_if.score))
        .collect()
}

fn conditions(
    judgement: &Judgement,
    explored: Vec<WhatIf>,
    metrics: &[MetricView],
    from: f64,
    signs: Signs,
) -> Vec<ConditionView> {
    let mut same = 0;
    explored
        .into_iter()
        .filter(|what_if| !says_nothing(&what_if.change))
        .filter(|what_if| {
            if what_if.verdict != judgement.verdict {
                return true;
            }
            // What leaves the verdict is worth a few lines, where it could have changed it at all.
            let telling = judgement.verdict != Verdict::Pass || harmful(&what_if.change);
            same += usize::from(telling);
            telling && same <= UNCHANGED
        })
        .take(CONDITIONS)
        .map(|what_if| ConditionView {
            condition: condition::condition(&what_if.change, judgement, signs),
            explanation: condition::explanation(&what_if.change, judgement, metrics),
            score: signs.score(what_if.score),
            position: position(what_if.score, from),
            verdict: VerdictMark::of(what_if.verdict),
            same: what_if.verdict == judgement.verdict,
            better: what_if.verdict < judgement.verdict,
        })
        .collect()
}

/// Whether a change is of more metrics than a reader could weigh.
fn says_nothing(change: &Change) -> bool {
    match change {
        Change::AllOrdinaryPassed(metrics)
        | Change::UndecidedPassed(metrics)
        | Change::UndecidedFailed(metrics) => metrics.len() > JOINED,
        // Where no single change would do, it is the one that tells how far away the better verdict was.
        Change::AllPassed(_)
        | Change::Passed(_)
        | Change::NotCritical(_)
        | Change::NotMuted(_)
        | Change::Failed(_) => false,
    }
}

/// Whether a change speaks against the canary.
fn harmful(change: &Change) -> bool {
    match change {
        Change::UndecidedFailed(_) | Change::NotMuted(_) | Change::Failed(_) => true,
        Change::Passed(_)
        | Change::AllPassed(_)
        | Change::AllOrdinaryPassed(_)
        | Change::NotCritical(_)
        | Change::UndecidedPassed(_) => false,
    }
}
