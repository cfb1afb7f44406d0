//! Evidence that may be looked at after every point, and acted upon at any of them.

use serde::{Deserialize, Serialize};

/// What one look hands on to the next. Plain data: it may be written down between looks and read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceState {
    /// Version of this format.
    pub version: u32,
    /// Looks that were taken.
    pub looks: u32,
}
