//! Makes what runs the same as what is kept: starts what lacks, ends what is too much, starts again what ended by itself, and
//! lets go what is past its deadline.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::net::TcpListener;

use super::Supervisor;
use super::core::{Core, Trouble};
use super::expire::expire;
use super::instances::{self, free_port};
use super::process::Life;
use super::seat::{Leaving, Seat};
use super::{output, process};
use crate::drivers::local::state::{Saved, SavedGroup, SavedInstance};
use crate::model::release::process::ProcessTemplate;

/// Longest time from one look to the next.
const LOOK: Duration = Duration::from_millis(100);
/// Longest time that an instance which shall go waits for its requests.
const DRAIN: Duration = Duration::from_secs(60);
/// From one look at the length of the log to the next.
const LOOK_AT_LOG: Duration = Duration::from_secs(10);
/// An instance that was up for so long has no trouble any more.
const WELL: Duration = Duration::from_secs(60);

impl Supervisor {
    /// Looks until the supervisor ends.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut log_looked_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            let mut core = self.core.lock().await;
            self.turn(&mut core).await;
            if log_looked_at.elapsed() >= LOOK_AT_LOG {
                log_looked_at = Instant::now();
                shorten(&core.folder.log());
            }
        }
    }

    async fn turn(&self, core: &mut Core) {
        look_for_ends(core, &self.mark);
        let mut next = core.saved.clone();
        let mut lines = Vec::new();
        for place in &mut next.places {
            let up = |group: &SavedGroup| {
                let mut seats = group.staying().filter_map(|it| core.seat(it));
                seats.any(|seat| seat.is_up())
            };
            lines.extend(expire(place, up, self.now_ms()));
        }
        let mut outputs = self.shape(core, &mut next);
        let starting = prepare(core, &mut next, self.now_ms());
        if core.keep(next).is_err() {
            return;
        }
        let mut tokens = Vec::new();
        for start in starting {
            if let Some(before) = start.before {
                core.troubles.insert(start.token.clone(), before.trouble);
                outputs.push(before.output);
            }
            tokens.push(start.token);
        }
        for output in outputs {
            // Nobody can ask for it any more.
            let _ = std::fs::remove_file(output);
        }
        let starting = tokens;
        for line in lines {
            tracing::warn!("{line}");
        }
        let tokens: HashSet<&str> = core.saved.instances().map(|it| it.token.as_str()).collect();
        core.troubles
            .retain(|token, _| tokens.contains(token.as_str()));
        self.start(core, &starting);
        leave(core);
        reopen(core).await;
        self.end_if_idle(core);
    }

    /// Sizes: who stays, who goes, who comes. Also what is known of those that stay.
    /// Gives the outputs that are of no use once it is kept.
    fn shape(&self, core: &Core, next: &mut Saved) -> Vec<PathBuf> {
        let mut outputs = Vec::new();
        let mut ports: Vec<u16> = next.instances().map(|instance| instance.port).collect();
        for place in &mut next.places {
            for group in &mut place.groups {
                let gone =
                    |instance: &SavedInstance| instance.stopping && core.seat(instance).is_none();
                for instance in group.instances.iter().filter(|it| gone(it)) {
                    outputs.push(core.folder.output(&instance.id, &instance.token));
                }
                group.instances.retain(|instance| !gone(instance));
                for instance in &mut group.instances {
                    let seat = core.seat(instance);
                    instance.up = seat.is_some_and(|seat| seat.is_up());
                    if let Some(seat) = seat {
                        // It was not written when it was started, where the disk was full.
                        instance.process = Some(seat.process);
                    }
                }
                let desired = if group.deleting {
                    0
                } else {
                    group.capacity.desired
                };
                let desired = usize::try_from(desired).unwrap_or(usize::MAX);
                shrink(group, desired);
                while group.staying().count() < desired {
                    let Some(port) = free_port(&ports) else {
                        tracing::error!("there is no free port for an instance");
                        break;
                    };
                    ports.push(port);
                    group.instances.push(self.new_instance(group, port));
                }
            }
            place
                .groups
                .retain(|group| !(group.deleting && group.instances.is_empty()));
        }
        outputs
    }

    fn new_instance(&self, group: &SavedGroup, port: u16) -> SavedInstance {
        let taken = |number: &u32| group.instances.iter().any(|it| it.number == *number);
        let number = (1..=u32::MAX).find(|number| !taken(number)).unwrap_or(0);
        SavedInstance {
            id: format!("{}-{number}", group.name),
            number,
            token: new_token(),
            port,
            process: None,
            started_ms: self.now_ms(),
            restarts: 0,
            up: false,
            stopping: false,
        }
    }

    /// Starts the processes of these tokens, which are written down already.
    fn start(&self, core: &mut Core, tokens: &[String]) {
        if tokens.is_empty() {
            return;
        }
        let mut next = core.saved.clone();
        for token in tokens {
            let found = core
                .saved
                .places
                .iter()
                .flat_map(|place| &place.groups)
                .find_map(|group| {
                    let instance = group.instances.iter().find(|it| it.token == *token)?;
                    Some((group, instance))
                });
            let Some((group, instance)) = found else {
                continue;
            };
            match instances::start(core, group, instance, (&self.mark, &self.wake)) {
                Ok(seat) => {
                    if let Some(instance) = next.instance_mut(token) {
                        instance.process = Some(seat.process);
                    }
                    core.seats.insert(token.clone(), seat);
                }
                Err(error) => {
                    let id = instance.id.clone();
                    tracing::warn!(instance = id, "an instance {}", error.why);
                    let before = core.troubles.get(token);
                    let trouble = Trouble::after(before, error.why, Vec::new());
                    let trouble = Trouble {
                        hopeless: error.hopeless,
                        ..trouble
                    };
                    core.troubles.insert(token.clone(), trouble);
                }
            }
        }
        // Where it cannot be written, they are found again by their tokens.
        if core.keep(next).is_err() {
            core.publish();
        }
    }

    /// Ends the supervisor when there has been nothing to hold for long enough.
    fn end_if_idle(&self, core: &mut Core) {
        let holds_groups = core.saved.places.iter().any(|it| !it.groups.is_empty());
        if holds_groups {
            core.active = Instant::now();
            return;
        }
        if core.ending || !(core.stopping || core.active.elapsed() >= self.grace) {
            return;
        }
        let mut next = core.saved.clone();
        for place in &mut next.places {
            place.router = None;
        }
        if core.keep(next).is_ok() {
            tracing::info!("there is nothing left to hold");
            core.ending = true;
            self.stop.cancel();
        }
    }
}

/// A name that nobody has had: 128 bits by chance and time.
pub(super) fn new_token() -> String {
    ulid::Ulid::generate().to_string().to_lowercase()
}

/// Marks those that are too many: first what is not up, then the newest.
fn shrink(group: &mut SavedGroup, desired: usize) {
    let too_many = group.staying().count().saturating_sub(desired);
    let mut staying: Vec<&mut SavedInstance> = group
        .instances
        .iter_mut()
        .filter(|instance| !instance.stopping)
        .collect();
    staying.sort_by_key(|instance| (instance.up, std::cmp::Reverse(instance.number)));
    for instance in staying.into_iter().take(too_many) {
        instance.stopping = true;
    }
}

/// Takes note of processes that ended.
fn look_for_ends(core: &mut Core, mark: &str) {
    for seat in core.seats.values() {
        // Nobody tells us of those that are not our children.
        if seat.adopted && process::life(seat.process) == Life::Ended {
            seat.end(
                "ended; how is not known, as it was started by a supervisor before this one"
                    .to_owned(),
            );
        }
        if seat.up_for() > WELL {
            core.troubles.remove(&seat.token);
        }
    }
    let ended: Vec<Arc<Seat>> = core
        .seats
        .values()
        .filter(|seat| seat.ended().is_some())
        .cloned()
        .collect();
    for seat in ended {
        core.seats.remove(&seat.token);
        process::kill_leftovers(mark, &seat.token);
        let lines = output::last_lines(&core.folder.output(&seat.id, &seat.token));
        let before = core.troubles.get(&seat.token);
        // How long one ran that a supervisor before this one started is not known.
        let ran = (!seat.adopted).then(|| seat.ran_for());
        let trouble = Trouble::of_end(before, seat.ended().unwrap_or_default(), lines, ran);
        core.troubles.insert(seat.token.clone(), trouble);
    }
}

/// A process that shall be started.
struct Start {
    token: String,
    before: Option<Before>,
}

/// What there was of the start before.
struct Before {
    trouble: Trouble,
    output: PathBuf,
}

/// Gives those that shall be started now a token of this start.
fn prepare(core: &Core, next: &mut Saved, now_ms: i64) -> Vec<Start> {
    let mut ports: Vec<u16> = next.instances().map(|instance| instance.port).collect();
    let mut starting = Vec::new();
    let groups = next.places.iter_mut().flat_map(|place| &mut place.groups);
    for instance in groups.flat_map(|group| &mut group.instances) {
        if instance.stopping || core.seat(instance).is_some() {
            continue;
        }
        let mut before = None;
        if let Some(trouble) = core.troubles.get(&instance.token) {
            if trouble.again > Instant::now() {
                continue;
            }
            let Some(port) = free_port(&ports) else {
                continue;
            };
            ports.push(port);
            before = Some(Before {
                trouble: trouble.clone(),
                output: core.folder.output(&instance.id, &instance.token),
            });
            instance.token = new_token();
            instance.port = port;
            instance.process = None;
            instance.started_ms = now_ms;
            instance.restarts = instance.restarts.saturating_add(1);
        }
        starting.push(Start {
            token: instance.token.clone(),
            before,
        });
    }
    starting
}

/// Ends the processes of instances that shall go, each as far as it is.
fn leave(core: &mut Core) {
    let groups = core.saved.places.iter().flat_map(|place| &place.groups);
    for group in groups {
        let grace = ProcessTemplate::of(&group.template).map(|it| it.stop_grace_ms);
        let grace = Duration::from_millis(grace.unwrap_or_default());
        for instance in group.instances.iter().filter(|it| it.stopping) {
            if let Some(seat) = core.seat(instance) {
                leave_one(seat, grace);
            }
        }
    }
}

fn leave_one(seat: &Seat, grace: Duration) {
    let mut leaving = seat.leaving();
    let since = *leaving.drained_since.get_or_insert_with(Instant::now);
    match leaving.told {
        None if seat.in_flight() == 0 || since.elapsed() >= DRAIN => {
            if signal(seat, &mut leaving, Signal::TERM) {
                leaving.told = Some(Instant::now());
            }
        }
        Some(told) if told.elapsed() >= grace && !leaving.killed => {
            if signal(seat, &mut leaving, Signal::KILL) {
                leaving.killed = true;
                tracing::warn!(
                    instance = seat.id,
                    pid = seat.process.pid,
                    "an instance did not end when it was told to, and was killed"
                );
            }
        }
        None | Some(_) => {}
    }
    seat.set_leaving(leaving);
}

/// Whether it was sent; where not, it is tried again at the next look.
fn signal(seat: &Seat, leaving: &mut Leaving, signal: Signal) -> bool {
    let Err(error) = process::signal_group(seat.process, signal) else {
        return true;
    };
    // One that ended in this moment is nothing to speak of.
    if error.kind() != std::io::ErrorKind::NotFound && !leaving.complained {
        leaving.complained = true;
        tracing::warn!(
            instance = seat.id,
            pid = seat.process.pid,
            "an instance cannot be told to end: {error}"
        );
    }
    false
}

fn shorten(log: &Path) {
    // There is none where a person started the supervisor.
    if log.exists()
        && let Err(error) = output::keep_short(log)
    {
        tracing::warn!("cannot keep the log short: {error}");
    }
}

/// Opens routers that could not be opened when the supervisor began, because somebody had their port.
async fn reopen(core: &mut Core) {
    let closed: Vec<_> = core
        .saved
        .places
        .iter()
        .filter(|place| !core.routers.contains_key(&place.place))
        .filter_map(|place| Some((place.place.clone(), place.router.as_ref()?.address)))
        .collect();
    for (place, address) in closed {
        if let Ok(listener) = TcpListener::bind(address).await {
            tracing::info!("the router of {place} listens at {address} again");
            core.open(&place, listener);
        }
    }
}
