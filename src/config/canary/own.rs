//! Our own settings of a metric, under `analysisConfigurations.coalmine`. Kayenta keeps them and reads none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::wire::Metric;

/// Longest history that is fetched: 90 days, more than any metric store shows at the step of a canary.
pub const MOST_HISTORY_HOURS: u32 = 2_160;

/// Coalmine's own settings of a metric. Further keys are kept for judges that read them.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnParameters {
    /// The live scope's past, fetched with the metric, from which its natural variation can be learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Which past is fetched with a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct History {
    /// How many hours before the window, 1 to 2160.
    #[schemars(range(min = 1, max = 2160))]
    pub hours: u32,
    /// The scope that has the past; the baseline's where absent. A baseline that was started for the canary has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its location; the baseline's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Metric {
    /// The history that the metric asks for; `None` where it asks for none. Asked of the settings as given: after a lenient
    /// reading they may hold anything.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow the path `analysisConfigurations.coalmine.history`.
    pub fn history(&self) -> Result<Option<History>, String> {
        let own = self.analysis_configurations.0.get("coalmine");
        let history = match own.and_then(|own| own.get("history")) {
            None | Some(Value::Null) => return Ok(None),
            Some(history) => history,
        };
        let history: History =
            serde_json::from_value(history.clone()).map_err(|error| error.to_string())?;
        if (1..=MOST_HISTORY_HOURS).contains(&history.hours) {
            Ok(Some(history))
        } else {
            let found = history.hours;
            Err(format!(
                "`hours` is {found}; expected 1 to {MOST_HISTORY_HOURS}"
            ))
        }
    }
}
