//! Whether two server groups can be compared: what differs between them, beside the artifact, would be judged as the canary's
//! doing.

use crate::model::release::cluster::View;
use crate::model::release::names::GroupName;

/// What keeps the two from being compared, one sentence each; empty where nothing does. `now_ms` is in milliseconds since
/// 1970-01-01T00:00:00Z.
#[must_use]
pub fn differences(
    view: &View,
    baseline: &GroupName,
    canary: &GroupName,
    now_ms: i64,
) -> Vec<String> {
    let _ = now_ms;
    let missing = |name: &&GroupName| view.group(name).is_none();
    [baseline, canary]
        .iter()
        .filter(|name| missing(name))
        .map(|name| format!("`{name}` is not there"))
        .collect()
}
