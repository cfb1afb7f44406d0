//! The plan of a release: all its stages with all their steps. The object that is shown is the object that is executed; its
//! hash tells them apart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Stage;
use crate::config::release::spec::ReleaseSpec;
use crate::model::release::alike::Alike;
use crate::model::release::cluster::{Artifact, Capacity, Place, View, Weights};
use crate::model::release::names::GroupName;

/// A whole plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What was asked, and where it stands.
    pub release: Release,
    /// The stages, in their order. The last two take back and clean up; their steps follow from what was done.
    pub stages: Vec<Stage>,
    /// How the stages are shown, in their order and without a gap.
    pub phases: Vec<Phase>,
}

/// Stages in a row that are shown as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// `Prepare`, `25%`, `Decision`, `Clean up`.
    pub name: String,
    /// The place of its first stage.
    pub first: usize,
}

/// What a release rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The spec.
    pub spec: Arc<ReleaseSpec>,
    /// Each target of the spec, in its order, as it was found.
    pub targets: Vec<PlannedTarget>,
}

/// One target, as it was found, and the names of what will be made there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTarget {
    /// The target's name in the spec.
    pub name: String,
    /// Where.
    pub place: Place,
    /// The server groups that served, the source (the one that baseline and sizes are taken from) first; empty at a first
    /// deployment.
    pub previous: Vec<PreviousGroup>,
    /// The shares that they had.
    pub weights: Weights,
    /// The baseline's server group, where there will be one.
    #[serde(default)]
    pub baseline: Option<GroupName>,
    /// The canary's.
    #[serde(default)]
    pub canary: Option<GroupName>,
    /// The server group that the new version takes over with.
    #[serde(default)]
    pub next: Option<GroupName>,
    /// All that was seen, for the drift check and for people.
    pub observed: View,
}

/// A server group that served before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousGroup {
    /// Its name.
    pub name: GroupName,
    /// What runs in it.
    pub artifact: Artifact,
    /// Its sizes, which are given back to it.
    pub capacity: Capacity,
}

/// Which server groups a judgement of a release compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Which target, by its place.
    pub target: usize,
    /// The server group that stands for the live version.
    pub baseline: GroupName,
    /// The server group that stands for the new version.
    pub canary: GroupName,
    /// 1 for the first judgement of a block, that is since sizes and shares changed last.
    pub in_block: u32,
    /// How many there are in the block.
    pub of_block: u32,
    /// From the start of the block to this judgement's end, in milliseconds.
    pub after_ms: u64,
    /// How far back it looks, in milliseconds; `None` to the start of the block.
    #[serde(default)]
    pub look_back_ms: Option<u64>,
    /// Distance of two points in seconds.
    pub step_secs: u64,
    /// How alike the two must be before the block starts.
    #[serde(default)]
    pub alike: Alike,
}

impl Plan {
    /// The SHA-256 of the plan as JSON, 64 hexadecimal digits: equal for equal plans.
    #[must_use]
    pub fn hash(&self) -> String {
        // All maps are sorted, so that equal plans have equal texts. What cannot be written as JSON has no numbers in it that
        // could fail; an empty text would be a hash that no plan is found by.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(&text);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name of the phase that a stage belongs to.
    #[must_use]
    pub fn phase_of(&self, stage: usize) -> Option<usize> {
        self.phases.iter().rposition(|phase| phase.first <= stage)
    }
}
