//! What a supervisor keeps: enough to go on with after its own death. One file, written whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::folder::{Folder, write_whole};
use crate::model::release::cluster::{
    Artifact, Capacity, Owner, Place, Role, Share, Template, Weights,
};
use crate::model::release::names::GroupName;

/// The version of the file.
const VERSION: u32 = 1;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Saved {
    version: u32,
    /// The start of the machine in which the numbers of processes were written down.
    #[serde(default)]
    pub(super) boot: Option<String>,
    /// Every place that was ever changed: its fencing number outlives what was there.
    pub(super) places: Vec<SavedPlace>,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedPlace {
    pub(super) place: Place,
    /// The greatest number of a lock that was seen.
    pub(super) fencing: u64,
    #[serde(default)]
    pub(super) router: Option<SavedRouter>,
    #[serde(default)]
    pub(super) groups: Vec<SavedGroup>,
}

/// What parts the traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedRouter {
    /// Where it listens; after a restart again.
    pub(super) address: SocketAddr,
    /// Shares that are not 0.
    #[serde(default)]
    pub(super) weights: Weights,
}

/// A server group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedGroup {
    pub(super) name: GroupName,
    pub(super) role: Role,
    #[serde(default)]
    pub(super) owner: Option<Owner>,
    pub(super) artifact: Artifact,
    pub(super) template: Template,
    pub(super) capacity: Capacity,
    pub(super) enabled: bool,
    /// When it was disabled.
    #[serde(default)]
    pub(super) disabled_ms: Option<i64>,
    pub(super) created_ms: i64,
    #[serde(default)]
    pub(super) expires_ms: Option<i64>,
    /// The operation that set the deadline last.
    #[serde(default)]
    pub(super) expiry_operation: Option<String>,
    /// It is going, and does not come back.
    #[serde(default)]
    pub(super) deleting: bool,
    #[serde(default)]
    pub(super) instances: Vec<SavedInstance>,
}

/// One instance: a place in the group in which a process runs, one after the other if it must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedInstance {
    /// `search-v001-2`.
    pub(super) id: String,
    pub(super) number: u32,
    /// Of this start; in the environment of the process. Written down before the process is started.
    pub(super) token: String,
    pub(super) port: u16,
    /// The process, once it is known.
    #[serde(default)]
    pub(super) process: Option<Process>,
    pub(super) started_ms: i64,
    #[serde(default)]
    pub(super) restarts: u32,
    /// It was up when this was written; believed after a restart until it is asked.
    #[serde(default)]
    pub(super) up: bool,
    /// It takes no new requests, and goes when its last one is answered.
    #[serde(default)]
    pub(super) stopping: bool,
}

/// A process, such that another one that got its number later is not taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// When it was started, in clock ticks since the machine was.
    pub(super) start_ticks: u64,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            version: VERSION,
            boot: None,
            places: Vec::new(),
        }
    }
}

impl Saved {
    /// Reads it; nothing at all where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of ours: never taken for an empty one.
    pub(super) fn read(folder: &Folder) -> io::Result<Self> {
        let path = folder.state();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let bad = |why: String| {
            let told = format!("`{}` cannot be read: {why}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, told)
        };
        let saved: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if saved.version != VERSION {
            let found = saved.version;
            return Err(bad(format!("version {found}; expected {VERSION}")));
        }
        Ok(saved)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// Those of the system, as a full disk; then the file is as it was.
    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        write_whole(&folder.state(), &text)
    }

    /// Whether there is something that a supervisor must hold.
    pub(super) fn holds_anything(&self) -> bool {
        self.places
            .iter()
            .any(|it| it.router.is_some() || !it.groups.is_empty())
    }

    pub(super) fn place(&self, place: &Place) -> Option<&SavedPlace> {
        self.places.iter().find(|it| it.place == *place)
    }

    /// The place; made where it is absent.
    pub(super) fn place_mut(&mut self, place: &Place) -> &mut SavedPlace {
        let index = self.places.iter().position(|it| it.place == *place);
        let index = index.unwrap_or_else(|| {
            self.places.push(SavedPlace {
                place: place.clone(),
                fencing: 0,
                router: None,
                groups: Vec::new(),
            });
            self.places.len() - 1
        });
        &mut self.places[index]
    }

    /// Every instance.
    pub(super) fn instances(&self) -> impl Iterator<Item = &SavedInstance> {
        let groups = self.places.iter().flat_map(|place| &place.groups);
        groups.flat_map(|group| &group.instances)
    }

    /// The instance whose present start has this token.
    pub(super) fn instance_mut(&mut self, token: &str) -> Option<&mut SavedInstance> {
        let groups = self.places.iter_mut().flat_map(|place| &mut place.groups);
        let mut instances = groups.flat_map(|group| &mut group.instances);
        instances.find(|instance| instance.token == token)
    }
}

impl SavedPlace {
    pub(super) fn group(&self, name: &GroupName) -> Option<&SavedGroup> {
        self.groups.iter().find(|group| group.name == *name)
    }

    pub(super) fn group_mut(&mut self, name: &GroupName) -> Option<&mut SavedGroup> {
        self.groups.iter_mut().find(|group| group.name == *name)
    }

    /// The share that a group was given.
    pub(super) fn share(&self, name: &GroupName) -> Share {
        let weights = self.router.as_ref().map(|router| &router.weights);
        let share = weights.and_then(|weights| weights.get(name));
        share.copied().unwrap_or_default()
    }
}

impl SavedGroup {
    /// The instances that shall stay.
    pub(super) fn staying(&self) -> impl Iterator<Item = &SavedInstance> {
        self.instances.iter().filter(|instance| !instance.stopping)
    }
}

/// `weights` without those that are 0.
pub(super) fn only_shares(weights: &Weights) -> Weights {
    let some = weights.iter().filter(|(_, share)| **share > Share::NONE);
    some.map(|(name, share)| (name.clone(), *share))
        .collect::<BTreeMap<_, _>>()
}
