//! The port that every judge implements.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::config::{JudgeConfig, MetricSpec, Thresholds};
use crate::evidence::calibration::Calibration;
use crate::judgement::Judgement;
use crate::sequential::EvidenceState;
use crate::series::{HistorySeries, InstanceSeries, MetricSetPair};

/// One metric set pair with the config of its metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricPair<'a> {
    /// How to judge it.
    pub spec: &'a MetricSpec,
    /// What to judge.
    pub set: &'a MetricSetPair,
}

/// All that a judgement rests on.
#[derive(Debug, Clone)]
pub struct JudgeInput<'a> {
    config: &'a JudgeConfig,
    thresholds: Thresholds,
    pairs: Vec<MetricPair<'a>>,
    history: &'a [HistorySeries],
    instances: &'a [InstanceSeries],
    traffic: Option<TrafficShare>,
    calibration: Option<&'a Calibration>,
    looks: Looks<'a>,
}

/// What part of the requests each side should get, in any unit: two instances against four are 2 and 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficShare {
    baseline: f64,
    canary: f64,
}

impl TrafficShare {
    /// Takes two finite weights above zero; `None` for others.
    #[must_use]
    pub fn new(baseline: f64, canary: f64) -> Option<Self> {
        let weight = |value: f64| value.is_finite() && value > 0.0;
        (weight(baseline) && weight(canary)).then_some(Self { baseline, canary })
    }

    /// The canary's part of both together, between 0 and 1.
    #[must_use]
    pub fn canary(self) -> f64 {
        // Halves first: the sum of two large weights may overflow.
        let (baseline, canary) = (self.baseline / 2.0, self.canary / 2.0);
        canary / (baseline + canary)
    }
}

/// How often the same canary is judged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Looks<'a> {
    /// Once, when all data is there.
    #[default]
    Once,
    /// Again and again while data comes in; the answer may be acted upon at any look.
    Repeated {
        /// What the look before this one handed on in [`Judgement::evidence`]; absent at the first look.
        carried: Option<&'a EvidenceState>,
        /// Whether this is the last look that was planned: then what could not be said so far is said as well as one look can.
        last: bool,
    },
}

impl<'a> JudgeInput<'a> {
    /// Joins each pair with the first metric of the config that has its name. A metric without a pair is no error.
    ///
    /// # Errors
    /// Pairs that no metric names, all of them at once.
    pub fn new(
        config: &'a JudgeConfig,
        thresholds: Thresholds,
        sets: &'a [MetricSetPair],
    ) -> Result<Self, Refusal> {
        let mut by_name = BTreeMap::new();
        for spec in &config.metrics {
            by_name.entry(spec.name.as_str()).or_insert(spec);
        }
        let mut pairs = Vec::with_capacity(sets.len());
        let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
        for set in sets {
            match by_name.get(set.name.as_str()) {
                Some(spec) => pairs.push(MetricPair { spec, set }),
                None if seen.insert(set.name.as_str()) => unknown.push(set.name.clone()),
                None => {}
            }
        }
        if unknown.is_empty() {
            Ok(Self {
                config,
                thresholds,
                pairs,
                history: &[],
                instances: &[],
                traffic: None,
                calibration: None,
                looks: Looks::Once,
            })
        } else {
            Err(Refusal::UnknownMetrics(unknown))
        }
    }

    /// The same with the live version's past. Histories of metrics that the config does not name are no error, and a judge that
    /// has no use for them judges as it would without.
    #[must_use]
    pub fn with_history(self, history: &'a [HistorySeries]) -> Self {
        Self { history, ..self }
    }

    /// The same with the series of single instances. Instances of pairs that are not judged are no error.
    #[must_use]
    pub fn with_instances(self, instances: &'a [InstanceSeries]) -> Self {
        Self { instances, ..self }
    }

    /// The same with the parts of the traffic that the sides should get; without it, equal parts.
    #[must_use]
    pub fn with_traffic(self, traffic: TrafficShare) -> Self {
        Self {
            traffic: Some(traffic),
            ..self
        }
    }

    /// The same with what canaries without a change were measured to show.
    #[must_use]
    pub fn with_calibration(self, calibration: &'a Calibration) -> Self {
        Self {
            calibration: Some(calibration),
            ..self
        }
    }

    /// The same as one of several looks.
    #[must_use]
    pub fn with_looks(self, looks: Looks<'a>) -> Self {
        Self { looks, ..self }
    }

    /// The config as judged.
    #[must_use]
    pub fn config(&self) -> &'a JudgeConfig {
        self.config
    }

    /// The scores that decide.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The pairs, in the order in which they were given.
    #[must_use]
    pub fn pairs(&self) -> &[MetricPair<'a>] {
        &self.pairs
    }

    /// The live version's past, all metrics, in the order in which it was given; empty where nothing is known of it.
    #[must_use]
    pub fn history(&self) -> &'a [HistorySeries] {
        self.history
    }

    /// The series of single instances, all pairs, in the order in which they were given.
    #[must_use]
    pub fn instances(&self) -> &'a [InstanceSeries] {
        self.instances
    }

    /// The parts of the traffic, where they were given.
    #[must_use]
    pub fn traffic(&self) -> Option<TrafficShare> {
        self.traffic
    }

    /// What canaries without a change were measured to show.
    #[must_use]
    pub fn calibration(&self) -> Option<&'a Calibration> {
        self.calibration
    }

    /// Which of how many looks this is.
    #[must_use]
    pub fn looks(&self) -> Looks<'a> {
        self.looks
    }

    /// The past of one metric: all its series, whatever their tags.
    pub fn history_of(&self, metric: &str) -> impl Iterator<Item = &'a HistorySeries> {
        let history = self.history.iter();
        history.filter(move |past| past.name == metric)
    }
}

/// Why a config and its data cannot be judged at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Pairs whose metric the config does not have. Kayenta's words, so that its users find them.
    #[error("Could not find metric config for {}", some_of(.0))]
    UnknownMetrics(Vec<String>),
}

/// The first five names, and how many more there are.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// A judge: pure, total and deterministic. The same input gives the same judgement, to the bit.
pub trait Judge: Send + Sync {
    /// The name by which a config asks for this judge.
    fn name(&self) -> &'static str;

    /// Judges all pairs; the results stand in the order of the pairs, muted metrics included.
    fn judge(&self, input: &JudgeInput<'_>) -> Judgement;
}
