//! Kayenta's queries as they are written, one kind for each kind of metric store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    #[schemars(extend("required" = ["type", "metricType"]))]
    Stackdriver {
        /// Type of the metric.
        #[schemars(with = "String")]
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
        /// What stands after `SELECT`; needed unless there is a template.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        select: Option<String>,
        /// What stands after `WHERE`; needed unless there is a template.
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
        /// The measurement; needed unless there is a template.
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
        /// Any target expression, with `$scope` and `$location`; needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric_name: Option<String>,
        /// The type once more, as Kayenta writes it in its answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_type: Option<String>,
    },
    /// Wavefront.
    Wavefront {
        /// Name of the metric; needed.
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
        /// The query in Atlas' stack language; needed.
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
#[schemars(deny_unknown_fields, extend("required" = ["key", "value"]))]
pub struct QueryPair {
    /// Name of the dimension; `!` before it excludes.
    #[schemars(with = "String")]
    pub key: Option<String>,
    /// Its value, or several with commas between them.
    #[schemars(with = "String")]
    pub value: Option<String>,
}

impl Query {
    /// The word for the kind of store, as `type` names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Prometheus { .. } => "prometheus",
            Self::Stackdriver { .. } => "stackdriver",
            Self::Datadog { .. } => "datadog",
            Self::Newrelic { .. } => "newrelic",
            Self::Influxdb { .. } => "influxdb",
            Self::Signalfx { .. } => "signalfx",
            Self::Graphite { .. } => "graphite",
            Self::Wavefront { .. } => "wavefront",
            Self::Atlas { .. } => "atlas",
        }
    }

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
