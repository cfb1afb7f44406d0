//! The result of a judge: every number that the verdict rests on, with typed reasons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{MetricSpec, Thresholds};
use crate::evidence::result::{EvidenceReason, MetricEvidence};
use crate::sequential::EvidenceState;

/// What a judge says of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Classification {
    /// No change that counts.
    Pass,
    /// The canary is higher than is allowed.
    High,
    /// The canary is lower than is allowed.
    Low,
    /// Neither could be shown.
    Inconclusive,
    /// A side has no points.
    Nodata,
    /// A side has no points, and the config says that this counts as a failure.
    NodataFailMetric,
    /// The metric could not be judged.
    Error,
}

impl Classification {
    /// All of them, in the order in which a report lists them: what failed, what is undecided, what passed.
    pub const ALL: [Self; 7] = [
        Self::High,
        Self::Low,
        Self::NodataFailMetric,
        Self::Error,
        Self::Inconclusive,
        Self::Nodata,
        Self::Pass,
    ];

    /// The word for it, as in the API and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::High => "High",
            Self::Low => "Low",
            Self::Inconclusive => "Inconclusive",
            Self::Nodata => "Nodata",
            Self::NodataFailMetric => "NodataFailMetric",
            Self::Error => "Error",
        }
    }

    /// Whether it counts against the canary.
    #[must_use]
    pub fn failed(self) -> bool {
        match self {
            Self::High | Self::Low | Self::NodataFailMetric => true,
            Self::Pass | Self::Inconclusive | Self::Nodata | Self::Error => false,
        }
    }

    /// Whether the metric was decided at all, for or against the canary.
    #[must_use]
    pub fn decided(self) -> bool {
        self == Self::Pass || self.failed()
    }
}

/// What the score says by the thresholds alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScoreLabel {
    /// At or above the pass threshold.
    Pass,
    /// At or above the marginal threshold.
    Marginal,
    /// Below both.
    Fail,
}

impl ScoreLabel {
    /// Compares a score with the thresholds, the pass threshold first (as Kayenta does where `marginal` is above `pass`).
    #[must_use]
    pub fn of(score: f64, thresholds: Thresholds) -> Self {
        if score >= thresholds.pass {
            Self::Pass
        } else if score >= thresholds.marginal {
            Self::Marginal
        } else {
            Self::Fail
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Marginal => "Marginal",
            Self::Fail => "Fail",
        }
    }
}

/// The answer, the better one first. No evidence is never success: it is `Inconclusive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Go on.
    Pass,
    /// Ask a person.
    Marginal,
    /// The data cannot answer.
    Inconclusive,
    /// Roll back.
    Fail,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Marginal => "Marginal",
            Self::Fail => "Fail",
            Self::Inconclusive => "Inconclusive",
        }
    }
}

/// Why a metric got its classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum Reason {
    /// A side has no points after preparation (Nodata, NodataFailMetric).
    MissingData,
    /// A side has no points at all although missing points become zero; Kayenta passes it, we leave it undecided (Inconclusive).
    NothingToReplace,
    /// Both sides hold the same values (Pass).
    Identical,
    /// All points of both sides are one value (Pass).
    OneValue,
    /// The interval of the shift is clear of zero by more than the judge's tolerance, and the effect reaches its limit (High, Low).
    BeyondLimit,
    /// The interval of the shift holds zero or comes too close to it (Pass).
    NoShift,
    /// The interval is clear of zero, but only in the direction that does not count (Pass).
    DirectionNotCounted,
    /// The interval is clear of zero, but the effect does not reach its limit (Pass).
    WithinLimit,
    /// Infinite points, or differences too large for a number, keep the judge from comparing; Kayenta passes it, we leave it undecided (Inconclusive).
    InfiniteValues,
    /// The comparison failed (Error).
    CannotCompare {
        /// What went wrong, in words.
        cause: String,
    },
    /// What the evidence judge found (Pass, High, Low, Inconclusive).
    Evidence {
        /// In its own terms.
        #[serde(flatten)]
        finding: EvidenceReason,
    },
}

/// Something that a reader should know before trusting a metric's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Caution {
    /// Fewer points on a side than the normal approximation needs (8).
    FewPoints,
    /// The end of the interval that decides, or all of it, is so close to zero beside the judge's absolute root tolerance
    /// (1e-4) that it may be rounding.
    UnitTooSmall,
    /// Both sides are constant: the interval rests on noise that the judge adds.
    ConstantSides,
    /// Some points are infinite.
    InfiniteValues,
    /// More than half of the points of a side are missing.
    MostlyMissing,
    /// A side has no points but missing ones, and these became zero: the comparison rests on nothing that was measured there.
    AllReplaced,
}

/// Summary statistics of one side after preparation; all zero where `count` is zero.
///
/// Infinite points, and sums and squares that overflow, make infinite statistics, written as the strings `Infinity` and
/// `-Infinity`; a statistic that has no value then (infinity minus infinity) is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SideStats {
    /// Number of points.
    pub count: usize,
    /// Smallest point.
    #[serde(with = "extended")]
    pub min: Option<f64>,
    /// Largest point.
    #[serde(with = "extended")]
    pub max: Option<f64>,
    /// Arithmetic mean.
    #[serde(with = "extended")]
    pub mean: Option<f64>,
    /// Standard deviation with denominator n − 1; 0 for one point.
    #[serde(with = "extended")]
    pub std: Option<f64>,
}

/// One side of a metric: what was there, what was left out, and its statistics.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SideSummary {
    /// Points as read, missing ones included.
    pub points: usize,
    /// Of these, missing.
    pub missing: usize,
    /// Of those that were there, left out as outliers.
    pub removed: usize,
    /// Of those that were there, infinite.
    pub infinite: usize,
    /// Statistics of what was judged.
    pub stats: SideStats,
}

/// An estimated shift `canary - baseline` with its interval, in the metric's unit; all finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftEstimate {
    /// The shift.
    pub estimate: f64,
    /// Lower end of the interval as the judge used it. The compatible judge's root finder can put it above `high`.
    pub low: f64,
    /// Upper end of the interval as the judge used it.
    pub high: f64,
    /// Confidence level of the interval, in 0 to 1.
    pub confidence: f64,
}

/// What a judge says of one metric set pair, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricResult {
    /// Id of the metric set pair.
    pub id: String,
    /// Tags of the metric set pair.
    pub tags: BTreeMap<String, String>,
    /// The metric's config as judged.
    pub spec: MetricSpec,
    /// The answer.
    pub classification: Classification,
    /// Why.
    pub reason: Reason,
    /// Whether this result alone fails the canary by the judge's own rules, were it not muted. In the compatible judge also
    /// set for a critical metric without data.
    pub critical: bool,
    /// The version now live.
    pub baseline: SideSummary,
    /// The new version.
    pub canary: SideSummary,
    /// The shift that the decision rests on; absent where nothing was compared or it is not finite.
    pub shift: Option<ShiftEstimate>,
    /// Mean of the canary over mean of the baseline; absent where a mean is zero or not finite, or nothing was compared.
    pub ratio: Option<f64>,
    /// The effect on the scale of the config's measure; absent likewise.
    pub effect: Option<f64>,
    /// What a reader should know before trusting this.
    pub cautions: Vec<Caution>,
    /// What the evidence judge rests on; absent in the judgements of others, and where nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<MetricEvidence>>,
}

impl MetricResult {
    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The name, followed by the tags where there are any: `latency {zone=a}`.
    #[must_use]
    pub fn label(&self) -> String {
        if self.tags.is_empty() {
            return self.spec.name.clone();
        }
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{} {{{}}}", self.spec.name, tags.join(", "))
    }

    /// Whether the result counts in groups and score.
    #[must_use]
    pub fn counted(&self) -> bool {
        !self.spec.muted
    }

    /// Kayenta's words for the result; `None` where it gives none.
    #[must_use]
    pub fn kayenta_reason(&self) -> Option<String> {
        let name = self.name();
        match (self.classification, &self.reason) {
            (Classification::Nodata | Classification::NodataFailMetric, _) => {
                Some(format!("Missing data for {name}"))
            }
            (Classification::Pass, Reason::Identical) => {
                Some("The Canary and Baseline data are identical".to_owned())
            }
            (Classification::High | Classification::Low, _) if self.critical => Some(format!(
                "The metric {name} was classified as {} (Critical)",
                self.classification.word()
            )),
            (Classification::High | Classification::Low, _) => Some(format!(
                "{name} was classified as {}",
                self.classification.word()
            )),
            (Classification::Error, _) => Some("Metric Classification Failed".to_owned()),
            (Classification::Pass | Classification::Inconclusive, _) => None,
        }
    }

    /// Whether the result says something about the canary. A classification does not, where a side that must have data has
    /// none and missing points were taken for zero.
    #[must_use]
    pub fn decided(&self) -> bool {
        let replaced = self.cautions.contains(&Caution::AllReplaced);
        self.classification.decided() && !(self.spec.must_have_data && replaced)
    }

    /// What Kayenta calls this result. It knows no Inconclusive: where it compares nothing it says Pass, and for another
    /// judge's undecided results Nodata comes closest.
    #[must_use]
    pub fn kayenta_classification(&self) -> Classification {
        match (self.classification, &self.reason) {
            (Classification::Inconclusive, Reason::InfiniteValues | Reason::NothingToReplace) => {
                Classification::Pass
            }
            (Classification::Inconclusive, _) => Classification::Nodata,
            (other, _) => other,
        }
    }
}

/// Score of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupScore {
    /// The group's name.
    pub name: String,
    /// The judge's score, 0 to 100; 0 where nothing was decided.
    pub score: f64,
    /// The weight it had in the total, in percent: as configured, or its share of what was left. Kayenta lets it be negative.
    pub weight: f64,
    /// Whether the config names the weight.
    pub weighted: bool,
    /// Results that passed.
    pub passed: usize,
    /// Results that count against the canary.
    pub failed: usize,
    /// Results without a decision.
    pub undecided: usize,
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum VerdictReason {
    /// The score reaches the pass threshold, and enough was decided (Pass).
    ScoreReached,
    /// The score lies between the thresholds (Marginal).
    ScoreBetween,
    /// The score is below the marginal threshold (Fail).
    ScoreBelow,
    /// The score as the judge counts it is higher, but only because groups without any decision count as passed (Marginal, Fail).
    DecidedScoreLower,
    /// A critical metric failed (Fail).
    CriticalMetric {
        /// Index of the metric in the judgement's results.
        result: usize,
    },
    /// A critical metric was not decided (Inconclusive).
    CriticalUndecided {
        /// Index of the metric in the judgement's results.
        result: usize,
    },
    /// The score reaches the pass threshold, but a metric that is not critical failed (Marginal).
    MetricFailed {
        /// Index of the metric in the judgement's results.
        result: usize,
    },
    /// Too much is undecided (Inconclusive): for the compatible judge half of the results or of the weight, for the evidence
    /// judge more than a fifth of the weight.
    TooLittleDecided,
    /// There are results, and not one of them was decided (Inconclusive).
    NothingDecided,
    /// There is nothing to count: no pairs, all muted, none in a group, or no group with a weight above zero (Inconclusive).
    NothingCounted,
}

/// The whole judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// Version of this format.
    pub version: u32,
    /// Name of the judge.
    pub judge: String,
    /// The scores that decided.
    pub thresholds: Thresholds,
    /// The weights of groups as configured, in percent; also of groups that have no result.
    pub group_weights: BTreeMap<String, f64>,
    /// One result for each pair, in their order, muted ones included.
    pub results: Vec<MetricResult>,
    /// The groups of all results that count, by name.
    pub groups: Vec<GroupScore>,
    /// The judge's score, 0 to 100 (Kayenta's can leave that range where weights exceed 100).
    pub score: f64,
    /// The judge's own words for the score, empty where it has none.
    pub score_reason: String,
    /// The score over what was decided alone, without credit for groups that have no decision; absent where nothing was decided.
    pub decided_score: Option<f64>,
    /// Share of the weight that was decided, 0 to 1.
    pub coverage: f64,
    /// What the score says by the thresholds alone; in the compatible judge this is Kayenta's answer.
    pub label: ScoreLabel,
    /// The answer: Pass or Marginal only where `label` is at least as good, and Inconclusive where the data cannot carry it.
    pub verdict: Verdict,
    /// Why.
    pub reason: VerdictReason,
    /// Evidence over all looks, where the canary was judged repeatedly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceState>,
}

impl Judgement {
    /// Version of the format that this code writes.
    pub const VERSION: u32 = 1;
}

/// A number that may be infinite or absent: JSON numbers, the strings `Infinity` and `-Infinity`, and `null`.
mod extended {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    pub(super) fn serialize<S: Serializer>(
        value: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match *value {
            Some(v) if v.is_finite() => serializer.serialize_f64(v),
            Some(v) if v > 0.0 => serializer.serialize_str("Infinity"),
            Some(v) if v < 0.0 => serializer.serialize_str("-Infinity"),
            _ => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        match Option::<Written>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Written::Number(number)) => Ok(Some(number)),
            Some(Written::Word(word)) => match word.as_str() {
                "Infinity" => Ok(Some(f64::INFINITY)),
                "-Infinity" => Ok(Some(f64::NEG_INFINITY)),
                other => Err(D::Error::custom(format!(
                    "expected a number, `Infinity` or `-Infinity`, found `{other}`"
                ))),
            },
        }
    }
}
