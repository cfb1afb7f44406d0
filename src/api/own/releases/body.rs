//! What requests for releases carry, and small answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::own::execution_body::ExecutionSummary;
use crate::ui::release::list_text::ReleaseSummary;

/// Which releases a list shall have.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReleaseListParameters {
    /// Only of this application.
    pub application: Option<String>,
    /// Only with one of these, parted by commas: `not_started`, `running`, `suspended`, `succeeded`, `terminal`, `canceled`.
    pub status: Option<String>,
    /// Which page, from 1.
    pub page: Option<String>,
    /// How many a page has: 1 to 200, 50 where absent.
    pub limit: Option<String>,
}

/// A page of releases, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseList {
    /// The releases.
    pub releases: Vec<ReleaseRow>,
    /// The page with older ones; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<u64>,
}

/// One release of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseRow {
    /// What a list has of every execution.
    #[serde(flatten)]
    pub execution: ExecutionSummary,
    /// What only releases have.
    #[serde(flatten)]
    pub release: ReleaseSummary,
}

/// What shall be planned.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanRequest {
    /// The release spec: its text, YAML or JSON, or the JSON itself.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// The texts of the files that the spec names, by their path as it is written there. No other file is read.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The artifact's version in place of the spec's.
    #[serde(default)]
    pub version: Option<String>,
    /// The artifact's reference in place of the spec's.
    #[serde(default)]
    pub artifact: Option<String>,
    /// What relative paths of programs start from, on the service's machine; as they are where absent.
    #[serde(default)]
    pub folder: Option<String>,
}

/// What shall be started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StartRequest {
    /// The hash of a plan that was made before.
    pub plan_hash: Option<String>,
    /// The plan itself, instead of its hash.
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Value>,
    /// Who asks; `somebody` where absent.
    pub by: String,
}

/// A release that was started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Its id.
    pub id: String,
}

/// An answer to the question that a release waits with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Answer {
    /// `approve` or `reject`; `approve` where absent.
    pub choice: Option<String>,
    /// Who answers; `somebody` where absent.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What came of a wish to have a release taken back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakenBack {
    /// The release that takes it back: the same, or a new one.
    pub id: String,
    /// Whether it is a new one.
    pub is_new: bool,
}
