//! Kayenta's canary config as it is written. The field names and the words are Kayenta's; what they mean is decided by
//! [`super::load`]. The JSON Schema and the strict reading follow from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::parameters::{CanaryParameters, EffectSize, OutlierParameters};

/// Which metrics to compare, how, in which groups and with which weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(title = "Canary config", deny_unknown_fields)]
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
    #[schemars(required, length(min = 1))]
    pub metrics: Vec<Metric>,
    /// Query templates by name; a query asks for one by `customFilterTemplate`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
    /// How metrics become a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
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
#[schemars(deny_unknown_fields)]
pub struct Metric {
    /// Unique within the config; joins the metric with its query results.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required, length(min = 1))]
    pub name: Option<String>,
    /// How to read the metric; not needed to judge series from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// The groups whose score the metric counts in. A metric without a group counts in no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
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
    pub coalmine: Option<Map<String, Value>>,
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
    /// At or above: pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required, range(min = 0, max = 100))]
    pub pass: Option<f64>,
    /// At or above, and below `pass`: marginal. Below: fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required, range(min = 0, max = 100))]
    pub marginal: Option<f64>,
}

/// How to read a metric, by the kind of its store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
pub enum Query {
    /// Prometheus.
    Prometheus {
        /// Name of the metric; needed unless the template begins with `PromQL:`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// `gce_instance` or `aws_ec2_instance`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_type: Option<String>,
        /// Label conditions: `job="api"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label_bindings: Option<Vec<String>>,
        /// Labels to group by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_by_fields: Option<Vec<String>>,
        /// Old; nothing accepts it any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter: Option<String>,
        /// The query or filter itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// Name of one of the config's templates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Google Cloud Monitoring.
    Stackdriver {
        /// Type of the metric.
        #[schemars(required)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_type: Option<String>,
        /// Type of the monitored resource.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource_type: Option<String>,
        /// How series are combined; `REDUCE_MEAN` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cross_series_reducer: Option<String>,
        /// How points are combined; `ALIGN_MEAN` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per_series_aligner: Option<String>,
        /// Fields to group by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group_by_fields: Option<Vec<String>>,
        /// Old; nothing accepts it any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter: Option<String>,
        /// The filter itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// Name of one of the config's templates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Datadog.
    Datadog {
        /// Name of the metric; needed unless there is a template.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// The query itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// Name of one of the config's templates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// New Relic.
    Newrelic {
        /// What stands after `SELECT`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        select: Option<String>,
        /// What stands after `WHERE`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        q: Option<String>,
        /// The query itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// Name of one of the config's templates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// InfluxDB.
    Influxdb {
        /// The measurement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// Fields to select; all where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fields: Option<Vec<String>>,
        /// The query itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// SignalFx.
    Signalfx {
        /// Name of the metric; needed unless there is a template.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// Dimensions to filter by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query_pairs: Option<Vec<QueryPair>>,
        /// How series are combined; `mean` where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aggregation_method: Option<String>,
        /// The program itself, with `${variables}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_inline_template: Option<String>,
        /// Name of one of the config's templates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_filter_template: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Graphite.
    Graphite {
        /// Any target expression, with `$scope` and `$location`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Wavefront.
    Wavefront {
        /// Name of the metric.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// How series are combined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aggregate: Option<String>,
        /// How points are combined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summarization: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Atlas.
    Atlas {
        /// The query in Atlas' stack language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        q: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
}

/// One dimension of a SignalFx query.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct QueryPair {
    /// Name of the dimension; `!` before it excludes.
    #[schemars(required)]
    pub key: Option<String>,
    /// Its value, or several with commas between them.
    #[schemars(required)]
    pub value: Option<String>,
}

impl Query {
    /// The template written into the query, unless it is empty.
    #[must_use]
    pub fn inline_template(&self) -> Option<&str> {
        match self {
            Self::Prometheus {
                custom_inline_template,
                ..
            }
            | Self::Stackdriver {
                custom_inline_template,
                ..
            }
            | Self::Datadog {
                custom_inline_template,
                ..
            }
            | Self::Newrelic {
                custom_inline_template,
                ..
            }
            | Self::Influxdb {
                custom_inline_template,
                ..
            }
            | Self::Signalfx {
                custom_inline_template,
                ..
            } => custom_inline_template.as_deref(),
            Self::Graphite { .. } | Self::Wavefront { .. } | Self::Atlas { .. } => None,
        }
        .filter(|template| !template.is_empty())
    }

    /// The name of the template that the query asks for, unless it is empty.
    #[must_use]
    pub fn filter_template(&self) -> Option<&str> {
        match self {
            Self::Prometheus {
                custom_filter_template,
                ..
            }
            | Self::Stackdriver {
                custom_filter_template,
                ..
            }
            | Self::Datadog {
                custom_filter_template,
                ..
            }
            | Self::Newrelic {
                custom_filter_template,
                ..
            }
            | Self::Signalfx {
                custom_filter_template,
                ..
            } => custom_filter_template.as_deref(),
            Self::Influxdb { .. }
            | Self::Graphite { .. }
            | Self::Wavefront { .. }
            | Self::Atlas { .. } => None,
        }
        .filter(|template| !template.is_empty())
    }

    /// The template written into the query, to be changed in place.
    pub(super) fn inline_template_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Prometheus {
                custom_inline_template,
                ..
            }
            | Self::Stackdriver {
                custom_inline_template,
                ..
            }
            | Self::Datadog {
                custom_inline_template,
                ..
            }
            | Self::Newrelic {
                custom_inline_template,
                ..
            }
            | Self::Influxdb {
                custom_inline_template,
                ..
            }
            | Self::Signalfx {
                custom_inline_template,
                ..
            } => custom_inline_template.as_mut(),
            Self::Graphite { .. } | Self::Wavefront { .. } | Self::Atlas { .. } => None,
        }
    }

    /// The old filter that nothing accepts any more.
    #[must_use]
    pub fn deprecated_filter(&self) -> Option<&str> {
        match self {
            Self::Prometheus { custom_filter, .. } | Self::Stackdriver { custom_filter, .. } => {
                custom_filter.as_deref()
            }
            Self::Datadog { .. }
            | Self::Newrelic { .. }
            | Self::Influxdb { .. }
            | Self::Signalfx { .. }
            | Self::Graphite { .. }
            | Self::Wavefront { .. }
            | Self::Atlas { .. } => None,
        }
    }
}
