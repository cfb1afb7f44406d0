//! What the supervisor holds in memory, and the one way to change what is kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::files::Files;
use super::proxy::Proxy;
use super::routing::Route;
use super::seat::Seat;
use super::seldom::Seldom;
use crate::drivers::local::folder::Folder;
use crate::drivers::local::state::{Saved, SavedGroup, SavedInstance, SavedPlace};
use crate::drivers::local::wire::Refusal;
use crate::model::release::cluster::Place;

/// Everything, under one lock.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) folder: Folder,
    /// As it is in the file.
    pub(super) saved: Saved,
    /// The processes that run, by token.
    pub(super) seats: HashMap<String, Arc<Seat>>,
    /// What went wrong with an instance, by the token of its present start.
    pub(super) troubles: HashMap<String, Trouble>,
    pub(super) routers: HashMap<Place, Opened>,
    /// When something was last asked for, or held.
    pub(super) active: Instant,
    /// Everything shall go, and then the supervisor.
    pub(super) stopping: bool,
    /// The supervisor takes nothing more.
    pub(super) ending: bool,
    pub(super) files: Files,
    /// The state cannot be written.
    unwritten: Seldom,
}

/// A router that listens.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) proxy: Arc<Proxy>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What went wrong with an instance.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// `exited with code 1`.
    pub(super) why: String,
    /// What it had written.
    pub(super) output: Vec<String>,
    /// How often in a row.
    pub(super) times: u32,
    /// How often in a row it ended soon after its start.
    pub(super) soon: u32,
    /// It is not started before.
    pub(super) again: Instant,
    /// It cannot be started at all: there is no such program.
    pub(super) hopeless: bool,
}

impl Trouble {
    /// Longest time until an instance is started again.
    const LONGEST: Duration = Duration::from_secs(30);
    /// Time until it is started again after its first failure; doubled by each further one.
    const FIRST: Duration = Duration::from_millis(250);

    /// A process that ends before this time is over ended soon.
    const SOON: Duration = Duration::from_secs(10);

    /// The trouble after `before`, of a process that ran for so long, where that is known.
    pub(super) fn of_end(
        before: Option<&Self>,
        why: String,
        output: Vec<String>,
        ran: Option<Duration>,
    ) -> Self {
        let is_soon = ran.is_some_and(|ran| ran < Self::SOON);
        let soon = if is_soon {
            before.map_or(0, |before| before.soon).saturating_add(1)
        } else {
            0
        };
        Self {
            soon,
            ..Self::after(before, why, output)
        }
    }

    /// The trouble after `before`.
    pub(super) fn after(before: Option<&Self>, why: String, output: Vec<String>) -> Self {
        let times = before.map_or(0, |before| before.times).saturating_add(1);
        let factor = 2u32.saturating_pow(times.saturating_sub(1).min(16));
        Self {
            why,
            output,
            times,
            soon: 0,
            again: Instant::now() + (Self::FIRST * factor).min(Self::LONGEST),
            hopeless: false,
        }
    }
}

impl Core {
    pub(super) fn new(folder: Folder, saved: Saved, files: Files) -> Self {
        Self {
            folder,
            saved,
            seats: HashMap::new(),
            troubles: HashMap::new(),
            routers: HashMap::new(),
            active: Instant::now(),
            stopping: false,
            ending: false,
            files,
            unwritten: Seldom::default(),
        }
    }

    /// Keeps `next` and routes by it; where it cannot be written, nothing changes.
    pub(super) fn keep(&mut self, next: Saved) -> Result<(), Refusal> {
        if next != self.saved {
            let written = tokio::task::block_in_place(|| next.write(&self.folder));
            if let Err(error) = written {
                let path = self.folder.state();
                if let Some(unsaid) = self.unwritten.due() {
                    tracing::error!(unsaid, "cannot write `{}`: {error}", path.display());
                }
                return Err(Refusal::not_now(format!(
                    "cannot write `{}`: {error}; nothing was changed",
                    path.display()
                ))
                .hint("is the disk full?"));
            }
            self.saved = next;
        }
        self.publish();
        Ok(())
    }

    /// Tells all proxies where their requests go.
    pub(super) fn publish(&self) {
        for place in &self.saved.places {
            if let Some(opened) = self.routers.get(&place.place) {
                opened.proxy.table.set(self.routes(place));
            }
        }
    }

    fn routes(&self, place: &SavedPlace) -> Vec<Route> {
        let serving = place.groups.iter().filter(|it| it.enabled && !it.deleting);
        let routes = serving.map(|group| Route {
            group: group.name.clone(),
            share: place.share(&group.name).basis_points(),
            seats: group
                .staying()
                .filter_map(|it| self.seat(it))
                .cloned()
                .collect(),
        });
        routes.filter(|route| route.share > 0).collect()
    }

    /// The process that runs for an instance.
    pub(super) fn seat(&self, instance: &SavedInstance) -> Option<&Arc<Seat>> {
        self.seats.get(&instance.token)
    }

    /// Requests that are in the group's processes.
    pub(super) fn in_flight(&self, group: &SavedGroup) -> u64 {
        let seats = group.instances.iter().filter_map(|it| self.seat(it));
        seats.map(|seat| seat.in_flight()).sum()
    }

    /// Begins to serve at a router's address.
    pub(super) fn open(&mut self, place: &Place, listener: TcpListener) {
        let proxy = Arc::new(Proxy::default());
        let stop = CancellationToken::new();
        let task = Arc::clone(&proxy).serve(listener, self.files.connections(), stop.clone());
        let task = tokio::spawn(task);
        let opened = Opened { proxy, stop, task };
        self.routers.insert(place.clone(), opened);
        self.publish();
    }

    /// Ends all routers; the tasks are over when their last requests are.
    pub(super) fn close_all(&mut self) -> Vec<JoinHandle<()>> {
        let opened = std::mem::take(&mut self.routers).into_values();
        opened
            .map(|opened| {
                opened.stop.cancel();
                opened.task
            })
            .collect()
    }
}
