//! The lines of a plan: each an operation with what it changes, what guards it and what takes it back.

use serde::{Deserialize, Serialize};

use super::operation::{Change, Operation};

/// One line of a plan. What is shown is what is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What shall be.
    pub operation: Operation,
    /// One sentence: `Create search-canary-v232`.
    pub sentence: String,
    /// What was there when the plan was made, for people: `0`, `3 instances`, `5%`; empty where there is nothing to compare.
    #[serde(default)]
    pub before: String,
    /// What will be there: `3 instances`.
    #[serde(default)]
    pub after: String,
    /// What must still hold when it is done; nothing where any state will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// What takes it back; absent where nothing needs to, or nothing can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Change>,
    /// After how many milliseconds it is given up.
    pub longest_ms: u64,
}

/// What a step rests on. Other findings mean that somebody else changed the place since the plan was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Expect {
    /// There is no group of this name, or it is this execution's own.
    Absent {
        /// The group.
        group: super::names::GroupName,
    },
    /// The traffic is parted so.
    Traffic {
        /// The shares.
        weights: super::cluster::Weights,
    },
    /// The group has this capacity, or wants more instances (something scaled it meanwhile).
    Capacity {
        /// The group.
        group: super::names::GroupName,
        /// The capacity.
        capacity: super::cluster::Capacity,
    },
}
