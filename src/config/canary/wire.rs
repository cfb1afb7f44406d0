//! Kayenta's canary config as it is written. The field names and the words are Kayenta's; what they mean is decided by
//! [`super::load`]. The JSON Schema and the strict reading follow from these types.

use std::collections::BTreeMap;

use coalmine_judges::config::Thresholds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::own::{History, MOST_HISTORY_HOURS, OwnParameters};
pub use super::parameters::{CanaryParameters, EffectSize, OutlierParameters};
pub use super::query::{Query, QueryPair};

/// Which metrics to compare, how, in which groups and with which weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    title = "Canary config",
    deny_unknown_fields,
    extend("required" = ["metrics", "classifier"])
)]
pub struct CanaryConfig {
    /// When the config was stored first, in milliseconds since 1970-01-01T00:00:00Z. Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_timestamp: Option<i64>,
    /// When the config was stored last, in milliseconds since 1970-01-01T00:00:00Z. Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_timestamp: Option<i64>,
    /// `createdTimestamp` as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_timestamp_iso: Option<String>,
    /// `updatedTimestamp` as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_timestamp_iso: Option<String>,
    /// Name of the config: letters, digits, `-` and `_`. Needed to store it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names the stored config. Chosen by the server where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the config is for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Any text; `"1"` by custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_version: Option<String>,
    /// The applications that the config is for. At least one is needed to store it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// The judge that shall judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeChoice>,
    /// The metrics, in the order of the report.
    #[schemars(length(min = 1))]
    pub metrics: Vec<Metric>,
    /// Query templates by name; a query asks for one by `customFilterTemplate`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
    /// How metrics become a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Classifier")]
    pub classifier: Option<Classifier>,
}

/// The judge that a config asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct JudgeChoice {
    /// `NetflixACAJudge-v1.0` or another judge's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Kept, but read by no judge.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub judge_configurations: Map<String, Value>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["name", "groups"]))]
pub struct Metric {
    /// Unique within the config; joins the metric with its query results.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1))]
    pub name: Option<String>,
    /// How to read the metric; not needed to judge series from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// The groups whose score the metric counts in. A metric without a group counts in no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>")]
    pub groups: Option<Vec<String>>,
    /// How to judge the metric.
    #[serde(skip_serializing_if = "AnalysisConfigurations::is_empty")]
    #[schemars(with = "AnalysisShape")]
    pub analysis_configurations: AnalysisConfigurations,
    /// The scope of the request that the query asks in; `default` by custom. Needed where there is a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_name: Option<String>,
}

/// A metric's settings by judge, exactly as given: what one reader passes over may matter to another.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnalysisConfigurations(pub Map<String, Value>);

impl AnalysisConfigurations {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How to judge a metric, by judge.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "AnalysisConfigurations", deny_unknown_fields)]
pub struct AnalysisShape {
    /// Kayenta's settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryParameters>,
    /// Coalmine's own settings: kind, tolerance, denominator and history of the metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coalmine: Option<OwnParameters>,
}

/// How metrics become a score.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct Classifier {
    /// Weight of each group in percent. Groups without a weight share what is left of 100.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group_weights: BTreeMap<String, f64>,
    /// The scores that decide where the request names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_thresholds: Option<ScoreThresholds>,
}

/// The scores from which on a canary passes, or is at least marginal.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct ScoreThresholds {
    /// At or above: pass; 95 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64", range(min = 0, max = 100))]
    pub pass: Option<f64>,
    /// At or above, and below `pass`: marginal. Below: fail. 75 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64", range(min = 0, max = 100))]
    pub marginal: Option<f64>,
}

impl ScoreThresholds {
    /// Both scores; each that is absent takes its own default.
    #[must_use]
    pub fn filled(self) -> Thresholds {
        let default = Thresholds::default();
        Thresholds {
            pass: self.pass.unwrap_or(default.pass),
            marginal: self.marginal.unwrap_or(default.marginal),
        }
    }
}
