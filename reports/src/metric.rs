//! One metric, ready to be written: every string rounded and worded, every position in percent.

use coalmine_judges::config::EffectMeasure;
use coalmine_judges::judgement::{Classification, MetricResult, Reason, SideSummary};
use coalmine_judges::series::MetricSetPair;

use crate::SentQuery;
use crate::effect::{Effect, MeanChange, Tolerance, axis};
use crate::format::{self, Signs};
use crate::sentence::Sentence;
use crate::summary::{self, SummaryRow};
use crate::why;

/// How a result is shown: its classification, or that it does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    High,
    Low,
    NodataFail,
    Error,
    Inconclusive,
    Nodata,
    Muted,
    Pass,
}

impl Kind {
    /// In the order in which reports list them.
    pub(crate) const ALL: [Self; 8] = [
        Self::High,
        Self::Low,
        Self::NodataFail,
        Self::Error,
        Self::Inconclusive,
        Self::Nodata,
        Self::Muted,
        Self::Pass,
    ];

    pub(crate) fn of(result: &MetricResult) -> Self {
        if result.spec.muted {
            return Self::Muted;
        }
        match result.classification {
            Classification::High => Self::High,
            Classification::Low => Self::Low,
            Classification::NodataFailMetric => Self::NodataFail,
            Classification::Error => Self::Error,
            Classification::Inconclusive => Self::Inconclusive,
            Classification::Nodata => Self::Nodata,
            Classification::Pass => Self::Pass,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Low => "Low",
            Self::NodataFail => "NodataFailMetric",
            Self::Error => "Error",
            Self::Inconclusive => "Inconclusive",
            Self::Nodata => "Nodata",
            Self::Muted => "Muted",
            Self::Pass => "Pass",
        }
    }

    /// Name of its class and its mark on a page.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::NodataFail => "nodatafail",
            Self::Error => "error",
            Self::Inconclusive => "inconclusive",
            Self::Nodata => "nodata",
            Self::Muted => "muted",
            Self::Pass => "pass",
        }
    }

    /// Its mark in a terminal and in Markdown.
    pub(crate) fn mark(self) -> char {
        match self {
            Self::High => '▲',
            Self::Low => '▼',
            Self::NodataFail => '◍',
            Self::Error => '✕',
            Self::Inconclusive => '◇',
            Self::Nodata => '◌',
            Self::Muted => '⊘',
            Self::Pass => '●',
        }
    }

    /// Its mark without UTF-8.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::High => 'H',
            Self::Low => 'L',
            Self::NodataFail => 'N',
            Self::Error => 'E',
            Self::Inconclusive => '?',
            Self::Nodata => 'n',
            Self::Muted => 'm',
            Self::Pass => 'P',
        }
    }

    /// Whether it counts against the canary.
    pub(crate) fn failed(self) -> bool {
        match self {
            Self::High | Self::Low | Self::NodataFail => true,
            Self::Error | Self::Inconclusive | Self::Nodata | Self::Muted | Self::Pass => false,
        }
    }
}

/// Positions of the effect on the shared axis, in percent of its width.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Plot {
    /// Left end and width of the band.
    pub(crate) band: Option<(f64, f64)>,
    /// Limits of the band that are on the axis.
    pub(crate) limits: Vec<f64>,
    /// The interval, cut to the axis.
    pub(crate) interval: Option<(f64, f64)>,
    /// The estimate, where it is on the axis.
    pub(crate) estimate: Option<f64>,
    /// Whether the interval leaves the axis to the left, to the right.
    pub(crate) off: (bool, bool),
    /// The ratio of the means, where it is to be named and is on the axis.
    pub(crate) mean: Option<f64>,
    /// What stands instead of a mark.
    pub(crate) words: Option<&'static str>,
    pub(crate) zero: f64,
}

/// One metric, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct MetricView {
    /// Place in the judgement.
    pub(crate) index: usize,
    pub(crate) kind: Kind,
    /// `High`, or `Muted (High)`.
    pub(crate) word: String,
    pub(crate) name: String,
    /// `zone=a, pod=b`; empty for most.
    pub(crate) tags: String,
    pub(crate) groups: Vec<String>,
    pub(crate) critical: bool,
    pub(crate) must_have_data: bool,
    /// `1,426 → 1,612`, the means.
    pub(crate) values: String,
    /// `+13.0%`; `no data` and the like where nothing was compared.
    pub(crate) estimate: String,
    /// `[+12.5, +13.4]`; empty where nothing was compared.
    pub(crate) interval: String,
    /// `+12.5 to +13.4`; likewise.
    pub(crate) span: String,
    pub(crate) tolerance: String,
    pub(crate) tolerance_set: bool,
    /// `mean +50%`, where the mean met its limit or not and the shift says otherwise.
    pub(crate) mean: Option<String>,
    pub(crate) plot: Plot,
    pub(crate) points: String,
    pub(crate) missing: String,
    pub(crate) removed: String,
    /// Numbers by which a table sorts.
    pub(crate) sort: SortKeys,
    pub(crate) why: Sentence,
    pub(crate) brief: Sentence,
    pub(crate) happened: Sentence,
    pub(crate) cautions: Vec<String>,
    pub(crate) summary: Vec<SummaryRow>,
    pub(crate) measure: Option<String>,
    /// `98%`.
    pub(crate) shift_level: String,
    pub(crate) query_baseline: Option<String>,
    pub(crate) query_canary: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct SortKeys {
    pub(crate) severity: usize,
    pub(crate) effect: f64,
    pub(crate) points: usize,
    pub(crate) missing: usize,
}

impl MetricView {
    pub(crate) fn new(
        index: usize,
        result: &MetricResult,
        set: Option<&MetricSetPair>,
        query: Option<&SentQuery>,
        signs: Signs,
    ) -> Self {
        let kind = Kind::of(result);
        let effect = Effect::of(result);
        let tolerance = Tolerance::of(&result.spec);
        let tags: Vec<String> = result
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let query_of = |text: Option<&String>| text.map(|text| format::clean_lines(text));
        Self {
            index,
            kind,
            word: if kind == Kind::Muted {
                format!("Muted ({})", result.classification.word())
            } else {
                kind.word().to_owned()
            },
            name: name(&result.spec.name),
            tags: format::clean(&tags.join(", ")),
            groups: result.spec.groups.iter().map(|group| name(group)).collect(),
            critical: result.spec.critical,
            must_have_data: result.spec.must_have_data,
            values: both(result, signs, |side| mean(side, signs)),
            estimate: effect.map_or_else(
                || uncompared(result).to_owned(),
                |effect| effect.estimate(signs),
            ),
            interval: effect.map_or_else(String::new, |effect| effect.interval(signs)),
            span: effect.map_or_else(String::new, |effect| effect.span(signs)),
            tolerance: tolerance.words(signs),
            tolerance_set: tolerance.is_set(),
            mean: MeanChange::of(result).map(|mean| mean.cell(signs)),
            plot: plot(result, effect, tolerance),
            points: pair(result, |side| side.stats.count),
            missing: pair(result, |side| side.missing),
            removed: pair(result, |side| side.removed),
            sort: SortKeys {
                severity: 0,
                effect: sort_effect(effect),
                points: result.baseline.stats.count + result.canary.stats.count,
                missing: result.baseline.missing + result.canary.missing,
            },
            why: why::sentence(result, signs),
            brief: why::brief(result, signs),
            happened: why::happened(result, signs),
            cautions: why::cautions(result, set, signs),
            summary: summary::rows(result, set, signs),
            measure: measure(result, signs),
            shift_level: effect.map_or_else(String::new, Effect::level),
            query_baseline: query_of(query.and_then(|query| query.baseline.as_ref())),
            query_canary: query_of(query.and_then(|query| query.canary.as_ref())),
        }
    }

    /// The tolerance, after the change of the mean where that has to be named: `mean +50%, at most +25%`.
    pub(crate) fn held_against(&self) -> String {
        match &self.mean {
            Some(mean) => format!("{mean}, {}", self.tolerance),
            None => self.tolerance.clone(),
        }
    }

    /// The name with its tags on one line.
    pub(crate) fn label(&self) -> String {
        if self.tags.is_empty() {
            self.name.clone()
        } else {
            format!("{} {{{}}}", self.name, self.tags)
        }
    }
}

/// A name that can be seen: an empty one would leave a hole.
pub(crate) fn name(name: &str) -> String {
    if name.trim().is_empty() {
        "(no name)".to_owned()
    } else {
        format::clean(name)
    }
}

fn both(result: &MetricResult, signs: Signs, text: impl Fn(&SideSummary) -> String) -> String {
    format!(
        "{} {} {}",
        text(&result.baseline),
        signs.arrow,
        text(&result.canary)
    )
}

fn pair(result: &MetricResult, number: impl Fn(&SideSummary) -> usize) -> String {
    format!(
        "{} / {}",
        format::count(number(&result.baseline)),
        format::count(number(&result.canary))
    )
}

fn mean(side: &SideSummary, signs: Signs) -> String {
    if side.stats.count == 0 {
        return "none".to_owned();
    }
    summary::statistic(side.stats.mean, signs)
}

/// What stands for an effect that was not computed.
fn uncompared(result: &MetricResult) -> &'static str {
    match result.classification {
        Classification::Nodata | Classification::NodataFailMetric => "no data",
        Classification::Pass => "no change",
        Classification::High
        | Classification::Low
        | Classification::Inconclusive
        | Classification::Error => "no effect",
    }
}

fn plot(result: &MetricResult, effect: Option<Effect>, tolerance: Tolerance) -> Plot {
    let percent = |fraction: f64| axis::position(fraction) * 100.0;
    let on_axis = |position: f64| (0.0..=100.0).contains(&position);
    let mut plot = Plot {
        zero: percent(0.0),
        ..Plot::default()
    };
    if let Some((low, high)) = tolerance.band() {
        let left = low.map_or(0.0, percent).clamp(0.0, 100.0);
        let right = high.map_or(100.0, percent).clamp(0.0, 100.0);
        plot.band = Some((left, (right - left).max(0.0)));
        let ends = [low, high].into_iter().flatten().map(percent);
        plot.limits = ends.filter(|end| on_axis(*end)).collect();
    }
    match effect {
        None => plot.words = Some(uncompared(result)),
        Some(Effect { relative: None, .. }) => plot.words = Some("from zero"),
        Some(Effect {
            relative: Some(relative),
            ..
        }) => {
            let (low, high) = (percent(relative.low), percent(relative.high));
            plot.interval = Some((low.clamp(0.0, 100.0), high.clamp(0.0, 100.0)));
            let estimate = percent(relative.estimate);
            plot.estimate = on_axis(estimate).then_some(estimate);
            plot.off = (low < 0.0, high > 100.0);
            plot.mean = MeanChange::of(result)
                .map(|mean| percent(mean.fraction))
                .filter(|mean| on_axis(*mean));
        }
    }
    plot
}

/// Absolute shifts have no common unit, so they stand after all percentages, by direction.
fn sort_effect(effect: Option<Effect>) -> f64 {
    match effect {
        Some(Effect {
            relative: Some(relative),
            ..
        }) => relative.estimate,
        Some(Effect { absolute, .. }) => absolute.estimate.signum() * 1e300,
        None => 0.0,
    }
}

/// The effect on the scale of the config's measure, in words.
fn measure(result: &MetricResult, signs: Signs) -> Option<String> {
    // Where the mean ratio met its limit, the reason has named it.
    let told = matches!(result.reason, Reason::BeyondLimit | Reason::WithinLimit)
        && result.spec.effect.measure == EffectMeasure::MeanRatio
        && Tolerance::of(&result.spec).is_set();
    let ratio = result
        .ratio
        .filter(|_| !told)
        .map(|ratio| format!("Ratio of the means: {}.", signs.effect(ratio)));
    let chance = match result.spec.effect.measure {
        EffectMeasure::Cles => result.effect.map(|effect| {
            format!(
                "Chance that a canary point lies above a baseline point: {}; 0.5 is no change.",
                signs.effect(effect)
            )
        }),
        EffectMeasure::MeanRatio => None,
    };
    match (ratio, chance) {
        (None, None) => None,
        (ratio, chance) => Some(
            [ratio, chance]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        ),
    }
}
