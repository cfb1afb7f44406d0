//! What a driver does: each operation is a state that shall be, never a change to make, so that doing it twice is doing it once.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cluster::{Artifact, Capacity, Place, Role, Template, Weights};
use super::names::GroupName;
use crate::model::ids::ExecutionId;

/// Names one operation of one execution: the key of its effect, written into tags and labels. The same in every attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpId {
    /// Which execution.
    pub execution: ExecutionId,
    /// Which of its stages, from 0.
    pub stage: u32,
    /// Which step of the stage, from 0.
    pub step: u32,
}

impl fmt::Display for OpId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}.{}", self.execution, self.stage, self.step)
    }
}

/// A state that shall be at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Where.
    pub place: Place,
    /// What.
    pub change: Change,
}

/// What shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Change {
    /// There is a router for the cluster.
    OpenRouter {
        /// Where it listens; the driver chooses where it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// There is this server group. It has no share of the traffic until it is given one.
    CreateGroup {
        /// Its name.
        group: GroupName,
        /// What it is for.
        role: Role,
        /// What runs in it.
        artifact: Artifact,
        /// How it is run.
        template: Template,
        /// Its sizes.
        capacity: Capacity,
        /// After how many milliseconds, counted from its making, it is removed whatever happens; never for production.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lives_ms: Option<u64>,
    },
    /// The group has these sizes.
    Resize {
        /// Which group.
        group: GroupName,
        /// The sizes.
        capacity: Capacity,
    },
    /// So many instances of the group are up and registered, and were for a while. Changes nothing; waits.
    AwaitHealthy {
        /// Which group.
        group: GroupName,
        /// How many.
        instances: u32,
    },
    /// The traffic is parted so; groups that are not named have none. Confirmed by reading it back.
    SetTraffic {
        /// All shares; they add up to all traffic.
        weights: Weights,
    },
    /// The group's instances may serve.
    Enable {
        /// Which group.
        group: GroupName,
    },
    /// The group's instances serve no more, and no request is left in them.
    Disable {
        /// Which group.
        group: GroupName,
    },
    /// The group is removed at this distance from now, unless somebody wants it again; `None` takes that back.
    SetExpiry {
        /// Which group.
        group: GroupName,
        /// After how many milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lives_ms: Option<u64>,
    },
    /// There is no such server group. Only what has no share of the traffic is removed, and only what is ours.
    DeleteGroup {
        /// Which group.
        group: GroupName,
    },
}

impl Change {
    /// The group that it concerns, if it concerns one.
    #[must_use]
    pub fn group(&self) -> Option<&GroupName> {
        match self {
            Self::OpenRouter { .. } | Self::SetTraffic { .. } => None,
            Self::CreateGroup { group, .. }
            | Self::Resize { group, .. }
            | Self::AwaitHealthy { group, .. }
            | Self::Enable { group }
            | Self::Disable { group }
            | Self::SetExpiry { group, .. }
            | Self::DeleteGroup { group } => Some(group),
        }
    }

    /// Whether it changes anything, or only waits.
    #[must_use]
    pub fn mutates(&self) -> bool {
        match self {
            Self::AwaitHealthy { .. } => false,
            Self::OpenRouter { .. }
            | Self::CreateGroup { .. }
            | Self::Resize { .. }
            | Self::SetTraffic { .. }
            | Self::Enable { .. }
            | Self::Disable { .. }
            | Self::SetExpiry { .. }
            | Self::DeleteGroup { .. } => true,
        }
    }
}
