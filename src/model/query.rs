//! Queries as they were sent.

use serde::{Deserialize, Serialize};

/// The text of one metric's query for each side, as it was sent to the metric store; `None` where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentQueries {
    /// For the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// For the canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
}
