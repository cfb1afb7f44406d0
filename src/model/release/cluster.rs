//! What a driver sees: server groups, their instances and the router that parts the traffic among them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::names::{ClusterName, GroupName};
use crate::model::ids::{ExecutionId, InstallationId};

/// A share of traffic in hundredths of a percent, 0 to 10,000.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Share(u32);

impl Share {
    /// No traffic.
    pub const NONE: Self = Self(0);
    /// All traffic.
    pub const ALL: Self = Self(10_000);

    /// A share of `basis_points` hundredths of a percent; `None` above 10,000.
    #[must_use]
    pub fn new(basis_points: u32) -> Option<Self> {
        (basis_points <= 10_000).then_some(Self(basis_points))
    }

    /// Hundredths of a percent.
    #[must_use]
    pub fn basis_points(self) -> u32 {
        self.0
    }

    /// What is left of all traffic without this share.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(Self::ALL.0.saturating_sub(self.0))
    }

    /// At most all traffic.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(Self::ALL.0))
    }

    /// At least none.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Share {
    /// `25%`, `2.5%`, `0.25%`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(formatter, "{whole}%"),
            part if part % 10 == 0 => write!(formatter, "{whole}.{}%", part / 10),
            part => write!(formatter, "{whole}.{part:02}%"),
        }
    }
}

/// Shares by server group. Groups that are not named have none; the shares of a router that serves add up to all traffic.
pub type Weights = BTreeMap<GroupName, Share>;

/// Where a release happens: an account of a driver, a location in it, and the application there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The account, by its name in the server config.
    pub account: String,
    /// Region, zone, namespace; `local` on this machine.
    pub location: String,
    /// The cluster of production. Those of baseline and canary have the same name with a detail more.
    pub cluster: ClusterName,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} in {}, {}",
            self.cluster, self.account, self.location
        )
    }
}

/// What a server group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It serves, and stays.
    Production,
    /// The live version, fresh, for the comparison; removed after it.
    Baseline,
    /// The new version, for the comparison; removed after it.
    Canary,
}

impl Role {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Baseline => "baseline",
            Self::Canary => "canary",
        }
    }
}

/// What is deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The version, for people: `5.4.0`.
    pub version: String,
    /// What the driver starts: a path, an image.
    pub reference: String,
}

/// How an instance is run, but for the artifact. What is in it, the driver says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub Value);

impl Template {
    /// A hash that two templates share if, and only if, they are the same: 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        // serde_json's map is sorted by key, so that equal templates have equal texts.
        let digest = Sha256::digest(self.0.to_string().as_bytes());
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Sizes of a server group. `min <= desired <= max`, held by [`Capacity::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// Never fewer instances.
    pub min: u32,
    /// As many as are wanted now.
    pub desired: u32,
    /// Never more instances.
    pub max: u32,
}

impl Capacity {
    /// A capacity; `None` where the sizes contradict each other.
    #[must_use]
    pub fn new(min: u32, desired: u32, max: u32) -> Option<Self> {
        (min <= desired && desired <= max).then_some(Self { min, desired, max })
    }

    /// Exactly `size`, whatever scales.
    #[must_use]
    pub fn fixed(size: u32) -> Self {
        Self {
            min: size,
            desired: size,
            max: size,
        }
    }

    /// The same, but never fewer than now.
    #[must_use]
    pub fn pinned(self) -> Self {
        Self {
            min: self.desired,
            ..self
        }
    }
}

impl fmt::Display for Capacity {
    /// `40`, or `40 (30 to 60)` where it can change.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(formatter, "{}", self.desired)
        } else {
            write!(formatter, "{} ({} to {})", self.desired, self.min, self.max)
        }
    }
}

/// The health of an instance, all that is known of it taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// It serves.
    Up,
    /// Not yet.
    Starting,
    /// It should serve, and does not.
    Down,
    /// Taken out of traffic.
    OutOfService,
    /// Taken out of traffic, with requests still in it. Not yet down.
    Draining,
    /// Nothing is known. Never taken for up.
    Unknown,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceView {
    /// Its name, unique within the place.
    pub id: String,
    /// Its health.
    pub health: Health,
    /// Whether the router sends traffic to it, as far as its group has a share.
    pub registered: bool,
    /// When it was started, in milliseconds since 1970-01-01T00:00:00Z.
    pub started_ms: i64,
    /// How often it was started anew.
    #[serde(default)]
    pub restarts: u32,
    /// The zone that it runs in; may be empty.
    #[serde(default)]
    pub zone: String,
    /// Where its metrics are read, where it has such a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_url: Option<String>,
    /// The last lines that it wrote, where it is not up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_output: Vec<String>,
}

/// Who made a server group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The execution.
    pub execution: ExecutionId,
    /// The operation that made it.
    pub operation: String,
    /// The installation whose execution that is; `None` in what was made before installations had names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
}

/// One server group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// Its name.
    pub name: GroupName,
    /// What it is for.
    pub role: Role,
    /// Who made it; `None` for what is not ours.
    pub owner: Option<Owner>,
    /// What runs in it.
    pub artifact: Artifact,
    /// How it is run.
    pub template: Template,
    /// Its sizes.
    pub capacity: Capacity,
    /// Whether its instances may serve. A disabled group has no traffic, whatever its share.
    pub enabled: bool,
    /// Requests that are in its instances now, where the driver knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
    /// Its instances.
    pub instances: Vec<InstanceView>,
    /// When it was made, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: i64,
    /// When it is to be removed, whatever happens to us; never for a group that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
}

impl GroupView {
    /// How many instances are up.
    #[must_use]
    pub fn up(&self) -> u32 {
        let up = self.instances.iter().filter(|it| it.health == Health::Up);
        u32::try_from(up.count()).unwrap_or(u32::MAX)
    }
}

/// The router that parts the traffic of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterView {
    /// Where people's requests go: `127.0.0.1:8080`.
    pub address: String,
    /// Shares as they were set.
    pub weights: Weights,
    /// Shares of the requests of the last minute, where the driver counts; empty without requests.
    #[serde(default)]
    pub measured: Weights,
    /// How many requests these are.
    #[serde(default)]
    pub requests: u64,
    /// How many of them had no answer, or a 5xx.
    #[serde(default)]
    pub failed: u64,
}

/// All that is at a place, read in one go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Where.
    pub place: Place,
    /// The server groups of production, baseline and canary, by name.
    pub groups: Vec<GroupView>,
    /// The router; `None` before the first deployment.
    pub router: Option<RouterView>,
    /// The greatest number of a lock under which the place was changed; 0 where it never was.
    #[serde(default)]
    pub fencing: u64,
    /// When it was read, in milliseconds since 1970-01-01T00:00:00Z.
    pub observed_ms: i64,
}

impl View {
    /// The server group of this name.
    #[must_use]
    pub fn group(&self, name: &GroupName) -> Option<&GroupView> {
        self.groups.iter().find(|group| group.name == *name)
    }

    /// The share that a group was given.
    #[must_use]
    pub fn share(&self, name: &GroupName) -> Share {
        let weights = self.router.as_ref().map(|router| &router.weights);
        weights
            .and_then(|weights| weights.get(name))
            .copied()
            .unwrap_or_default()
    }
}
