//! Kayenta's wire types: the metric set pairs that it stores and the judge result that its clients read.
//!
//! Only here the sides are called `control` and `experiment`. Nothing here judges or reads files. Field names, omitted fields
//! and the writing of NaN and infinities follow Kayenta's JSON exactly.

use std::collections::BTreeMap;
use std::fmt;

use coalmine_judges::judgement::{
    Classification, Judgement, MetricResult, Reason, SideStats, SideSummary,
};
use coalmine_judges::series::{self, Grid, Series};
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::query::SentQueries;

/// A number as Kayenta writes it: NaN and the infinities are the strings `NaN`, `Infinity` and `-Infinity`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double(pub f64);

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else if self.0 > 0.0 {
            serializer.serialize_str("Infinity")
        } else {
            serializer.serialize_str("-Infinity")
        }
    }
}

/// A place where a number stands in the input: read without complaint, so that the reader can tell of all wrong ones at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scalar {
    /// A number, a number in a string, or one of `Infinity` and `-Infinity`. Never NaN.
    Value(f64),
    /// `null`, `NaN` or an absent field.
    #[default]
    Hole,
    /// Anything else, in words for a message.
    Other(Box<str>),
}

impl Scalar {
    fn from_text(text: &str) -> Self {
        match text {
            "NaN" => Self::Hole,
            "Infinity" => Self::Value(f64::INFINITY),
            "-Infinity" => Self::Value(f64::NEG_INFINITY),
            other => match other.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Self::Value(value),
                Ok(_) | Err(_) => Self::Other(format!("the text `{}`", shortened(other)).into()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;

        impl<'de> Visitor<'de> for AnyScalar {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "JSON has one kind of number; Kayenta reads a double too"
            )]
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value as f64))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "JSON has one kind of number; Kayenta reads a double too"
            )]
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Value(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::from_text(text))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Hole)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other(format!("`{value}`").into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("a list".into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("an object".into()))
            }
        }

        deserializer.deserialize_any(AnyScalar)
    }
}

/// The first 40 characters, for messages.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Something that both sides have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sides<T> {
    /// The baseline.
    pub control: T,
    /// The canary.
    pub experiment: T,
}

/// A metric set pair as it is written in a pair list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricSetPair {
    /// The metric's name.
    pub name: String,
    /// Names the pair.
    pub id: String,
    /// What tells it from others of the same metric.
    pub tags: BTreeMap<String, String>,
    /// The points of both sides; missing ones are NaN.
    pub values: Sides<Vec<Double>>,
    /// Where the points stand in time, where that is known.
    pub scopes: Scopes,
    /// The queries as sent.
    pub attributes: Sides<BTreeMap<String, String>>,
}

/// Where the points of both sides stand in time, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Scopes {
    /// The baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<MetricSetScope>,
    /// The canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<MetricSetScope>,
}

impl MetricSetPair {
    /// Our pair as Kayenta writes it.
    #[must_use]
    pub fn of(set: &series::MetricSetPair, sent: &SentQueries) -> Self {
        let values = |series: &Series| {
            let points = series.values().iter();
            points.map(|v| Double(v.unwrap_or(f64::NAN))).collect()
        };
        let attributes = |query: &Option<String>| {
            let query = query.iter();
            query
                .map(|query| ("query".to_owned(), query.clone()))
                .collect()
        };
        Self {
            name: set.name.clone(),
            id: set.id.clone(),
            tags: set.tags.clone(),
            values: Sides {
                control: values(&set.baseline),
                experiment: values(&set.canary),
            },
            scopes: Scopes {
                control: set.baseline.grid().map(Into::into),
                experiment: set.canary.grid().map(Into::into),
            },
            attributes: Sides {
                control: attributes(&sent.baseline),
                experiment: attributes(&sent.canary),
            },
        }
    }
}

/// Where the points of one side stand in time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSetScope {
    /// Time of the first point, RFC 3339.
    pub start_time_iso: String,
    /// The same, in milliseconds since 1970-01-01T00:00:00Z.
    pub start_time_millis: i64,
    /// Distance of two points in milliseconds.
    pub step_millis: u64,
}

impl From<Grid> for MetricSetScope {
    fn from(grid: Grid) -> Self {
        Self {
            start_time_iso: jiff::Timestamp::from_millisecond(grid.start_ms)
                .map(|time| time.to_string())
                .unwrap_or_default(),
            start_time_millis: grid.start_ms,
            step_millis: grid.step_ms,
        }
    }
}

/// A metric set pair as it is read: everything that can be absent is optional, unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReadPair {
    /// The metric's name; the one field that is needed beside the values.
    pub name: Option<String>,
    /// Names the pair.
    pub id: Option<String>,
    /// What tells it from others of the same metric.
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// The points of both sides.
    pub values: Option<ReadSides<Vec<Scalar>>>,
    /// Where the points stand in time.
    pub scopes: Option<ReadSides<ReadScope>>,
    /// What is known of the queries.
    pub attributes: Option<ReadSides<BTreeMap<String, serde_json::Value>>>,
}

/// Something that both sides may have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReadSides<T> {
    /// The baseline.
    #[serde(default = "none")]
    pub control: Option<T>,
    /// The canary.
    #[serde(default = "none")]
    pub experiment: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// Where the points of one side stand in time, as it is read.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadScope {
    /// Time of the first point, RFC 3339.
    pub start_time_iso: Option<String>,
    /// The same, in milliseconds since 1970-01-01T00:00:00Z; wins over the text.
    pub start_time_millis: Scalar,
    /// Distance of two points in milliseconds.
    pub step_millis: Scalar,
}

/// Kayenta's result of a judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeResult {
    /// Name of the judge.
    pub judge_name: String,
    /// One for each metric set pair, in their order, muted ones included.
    pub results: Vec<CanaryAnalysisResult>,
    /// One for each group.
    pub group_scores: Vec<CanaryJudgeGroupScore>,
    /// The total.
    pub score: CanaryJudgeScore,
}

/// Kayenta's result of one metric set pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAnalysisResult {
    /// The metric's name.
    pub name: String,
    /// The pair's tags.
    pub tags: BTreeMap<String, String>,
    /// The pair's id.
    pub id: String,
    /// `Pass`, `High`, `Low`, `Nodata`, `NodataFailMetric` or `Error`.
    pub classification: &'static str,
    /// Why; omitted where Kayenta gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification_reason: Option<String>,
    /// The metric's groups.
    pub groups: Vec<String>,
    /// Statistics of the canary.
    pub experiment_metadata: SideMetadata,
    /// Statistics of the baseline.
    pub control_metadata: SideMetadata,
    /// The ratio of the means; omitted for `Error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_metadata: Option<ResultMetadata>,
    /// Whether it alone fails the canary.
    pub critical: bool,
    /// Whether it counts in no score.
    pub muted: bool,
}

/// Kayenta's wrapping of one side's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SideMetadata {
    /// The statistics.
    pub stats: Stats,
}

/// Kayenta's statistics of one side after preparation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stats {
    /// Smallest value.
    pub min: Double,
    /// Largest value.
    pub max: Double,
    /// Arithmetic mean.
    pub mean: Double,
    /// Standard deviation, denominator n − 1.
    pub std: Double,
    /// Number of values.
    pub count: usize,
}

/// Kayenta's ratio of the means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ResultMetadata {
    /// Mean of the canary over mean of the baseline.
    pub ratio: Double,
}

/// Kayenta's score of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeGroupScore {
    /// The group's name.
    pub name: String,
    /// 0 to 100.
    pub score: Double,
    /// Always empty.
    pub classification: &'static str,
    /// Always empty.
    pub classification_reason: &'static str,
}

/// Kayenta's total score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryJudgeScore {
    /// 0 to 100.
    pub score: Double,
    /// `Pass`, `Marginal` or `Fail`.
    pub classification: &'static str,
    /// Why; empty where there is no reason.
    pub classification_reason: String,
}

impl From<&Judgement> for CanaryJudgeResult {
    /// What Kayenta would have answered: the label of the score alone, and no `Inconclusive`.
    fn from(judgement: &Judgement) -> Self {
        Self {
            judge_name: judgement.judge.clone(),
            results: judgement.results.iter().map(Into::into).collect(),
            group_scores: judgement
                .groups
                .iter()
                .map(|group| CanaryJudgeGroupScore {
                    name: group.name.clone(),
                    score: group.score.into(),
                    classification: "",
                    classification_reason: "",
                })
                .collect(),
            score: CanaryJudgeScore {
                score: judgement.score.into(),
                classification: judgement.label.word(),
                classification_reason: judgement.score_reason.clone(),
            },
        }
    }
}

impl From<&MetricResult> for CanaryAnalysisResult {
    fn from(result: &MetricResult) -> Self {
        Self {
            name: result.spec.name.clone(),
            tags: result.tags.clone(),
            id: result.id.clone(),
            classification: classification(result).word(),
            classification_reason: reason(result),
            groups: result.spec.groups.clone(),
            experiment_metadata: (&result.canary).into(),
            control_metadata: (&result.baseline).into(),
            result_metadata: ratio(result).map(|ratio| ResultMetadata {
                ratio: Double(ratio),
            }),
            critical: result.critical,
            muted: result.spec.muted,
        }
    }
}

impl From<&SideSummary> for SideMetadata {
    fn from(side: &SideSummary) -> Self {
        let SideStats {
            count,
            min,
            max,
            mean,
            std,
        } = side.stats;
        let double = |value: Option<f64>| Double(value.unwrap_or(f64::NAN));
        Self {
            stats: Stats {
                min: double(min),
                max: double(max),
                mean: double(mean),
                std: double(std),
                count,
            },
        }
    }
}

/// Kayenta has no `Inconclusive`: what it passes without looking is `Pass`, everything else undecided is `Nodata`.
fn classification(result: &MetricResult) -> Classification {
    match (result.classification, &result.reason) {
        (Classification::Inconclusive, Reason::InfiniteValues | Reason::NothingToReplace) => {
            Classification::Pass
        }
        (Classification::Inconclusive, _) => Classification::Nodata,
        (other, _) => other,
    }
}

/// Kayenta's words.
fn reason(result: &MetricResult) -> Option<String> {
    let name = &result.spec.name;
    match result.classification {
        Classification::High | Classification::Low => {
            let word = result.classification.word();
            Some(if result.critical {
                format!("The metric {name} was classified as {word} (Critical)")
            } else {
                format!("{name} was classified as {word}")
            })
        }
        Classification::Error => Some("Metric Classification Failed".to_owned()),
        Classification::Nodata | Classification::NodataFailMetric => {
            Some(format!("Missing data for {name}"))
        }
        Classification::Pass | Classification::Inconclusive => match result.reason {
            Reason::Identical => Some("The Canary and Baseline data are identical".to_owned()),
            Reason::MissingData => Some(format!("Missing data for {name}")),
            Reason::NothingToReplace
            | Reason::OneValue
            | Reason::BeyondLimit
            | Reason::NoShift
            | Reason::DirectionNotCounted
            | Reason::WithinLimit
            | Reason::InfiniteValues
            | Reason::CannotCompare { .. } => None,
        },
    }
}

/// Kayenta's ratio: 1 where it compared nothing, NaN where the division has no value, absent for an error.
fn ratio(result: &MetricResult) -> Option<f64> {
    match result.reason {
        Reason::MissingData | Reason::NothingToReplace | Reason::Identical | Reason::OneValue => {
            Some(1.0)
        }
        Reason::CannotCompare { .. } => None,
        Reason::BeyondLimit
        | Reason::NoShift
        | Reason::DirectionNotCounted
        | Reason::WithinLimit
        | Reason::InfiniteValues => Some(result.ratio.unwrap_or_else(|| ratio_of_means(result))),
    }
}

/// The division where the judgement keeps no ratio because a mean is zero or not finite.
fn ratio_of_means(result: &MetricResult) -> f64 {
    match (result.canary.stats.mean, result.baseline.stats.mean) {
        (Some(canary), Some(baseline)) if canary != 0.0 && baseline != 0.0 => canary / baseline,
        _ => f64::NAN,
    }
}
