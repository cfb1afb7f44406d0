//! What shall be judged and how: the part of a canary config that a judge reads, already checked.

pub mod evidence;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::evidence::EvidenceSpec;

/// Which change of a metric counts against the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Only a rise.
    Increase,
    /// Only a fall.
    Decrease,
    /// A rise or a fall.
    #[default]
    Either,
}

impl Direction {
    /// Whether a rise counts.
    #[must_use]
    pub fn counts_increase(self) -> bool {
        matches!(self, Self::Increase | Self::Either)
    }

    /// Whether a fall counts.
    #[must_use]
    pub fn counts_decrease(self) -> bool {
        matches!(self, Self::Decrease | Self::Either)
    }
}

/// What becomes of missing points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NanStrategy {
    /// They are left out.
    #[default]
    Remove,
    /// They become zero: right for counts that are not written when nothing happened.
    Replace,
}

/// How far from the quartiles a point must lie to be an outlier, in interquartile ranges; finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct OutlierFactor(f64);

impl OutlierFactor {
    /// Kayenta's default.
    pub const DEFAULT: Self = Self(3.0);

    /// Takes a factor above zero; `None` for zero, negative numbers, infinities and NaN.
    #[must_use]
    pub fn new(factor: f64) -> Option<Self> {
        (factor.is_finite() && factor > 0.0).then_some(Self(factor))
    }

    /// The factor as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for OutlierFactor {
    type Error = String;

    fn try_from(factor: f64) -> Result<Self, String> {
        Self::new(factor).ok_or_else(|| format!("outlier factor `{factor}` is not above zero"))
    }
}

impl From<OutlierFactor> for f64 {
    fn from(factor: OutlierFactor) -> Self {
        factor.0
    }
}

/// What becomes of outliers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "strategy")]
pub enum Outliers {
    /// They stay.
    #[default]
    Keep,
    /// They are left out, on each side by its own fences.
    Remove {
        /// Width of the fences.
        factor: OutlierFactor,
    },
}

/// How large a change is, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EffectMeasure {
    /// Mean of the canary over mean of the baseline; 1 is no change.
    #[default]
    MeanRatio,
    /// Common-language effect size: the chance that a canary point lies above a baseline point; 0.5 is no change.
    Cles,
}

impl EffectMeasure {
    /// The value that means no change.
    #[must_use]
    pub fn neutral(self) -> f64 {
        match self {
            Self::MeanRatio => 1.0,
            Self::Cles => 0.5,
        }
    }
}

/// The changes that are allowed, on the scale of `measure`. A limit at [`EffectMeasure::neutral`] allows any direction's
/// smallest significant change to count, so it is no tolerance at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectLimits {
    /// The scale of all four limits.
    pub measure: EffectMeasure,
    /// A rise counts when the effect is at or above this.
    pub allowed_increase: f64,
    /// A fall counts when the effect is at or below this.
    pub allowed_decrease: f64,
    /// A rise of a critical metric fails the canary when the effect is at or above this.
    pub critical_increase: f64,
    /// A fall of a critical metric fails the canary when the effect is at or below this.
    pub critical_decrease: f64,
}

impl EffectLimits {
    /// The defaults of `measure`: every limit at no change.
    #[must_use]
    pub fn defaults(measure: EffectMeasure) -> Self {
        let neutral = measure.neutral();
        Self {
            measure,
            allowed_increase: neutral,
            allowed_decrease: neutral,
            critical_increase: neutral,
            critical_decrease: neutral,
        }
    }
}

impl Default for EffectLimits {
    fn default() -> Self {
        Self::defaults(EffectMeasure::default())
    }
}

/// One metric of a canary config, as a judge sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSpec {
    /// Unique within a config that was read strictly; of several equal names the first counts.
    pub name: String,
    /// The groups whose score the metric counts in; may be empty, then it counts in none.
    pub groups: Vec<String>,
    /// Which change counts.
    pub direction: Direction,
    /// What becomes of missing points.
    pub nan_strategy: NanStrategy,
    /// What becomes of outliers.
    pub outliers: Outliers,
    /// The changes that are allowed.
    pub effect: EffectLimits,
    /// Whether the metric alone can fail the canary.
    pub critical: bool,
    /// Whether missing data counts as a failure of the metric.
    pub must_have_data: bool,
    /// Whether the metric is shown but not counted.
    pub muted: bool,
    /// What the evidence judge is told; other judges do not read it.
    #[serde(default, skip_serializing_if = "EvidenceSpec::is_default")]
    pub evidence: EvidenceSpec,
}

impl MetricSpec {
    /// A metric with all defaults, in `groups`.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            groups: groups.into_iter().map(Into::into).collect(),
            direction: Direction::default(),
            nan_strategy: NanStrategy::default(),
            outliers: Outliers::default(),
            effect: EffectLimits::default(),
            critical: false,
            must_have_data: false,
            muted: false,
            evidence: EvidenceSpec::default(),
        }
    }
}

/// The part of a canary config that a judge reads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgeConfig {
    /// All metrics, in the config's order.
    pub metrics: Vec<MetricSpec>,
    /// Weight of each group in percent; groups without a weight share what is left of 100.
    pub group_weights: BTreeMap<String, f64>,
}

/// The scores from which on a canary passes, or is at least marginal; both in 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thresholds {
    /// At or above: pass.
    pub pass: f64,
    /// At or above, and below `pass`: marginal. Below: fail.
    pub marginal: f64,
}

impl Default for Thresholds {
    /// 95 and 75, as Spinnaker's own screens propose.
    fn default() -> Self {
        Self {
            pass: 95.0,
            marginal: 75.0,
        }
    }
}
