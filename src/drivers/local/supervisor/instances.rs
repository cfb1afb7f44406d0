//! Starts processes, and finds again those that a supervisor before this one started.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::check::health_check;
use super::core::{Core, Trouble};
use super::process::{self, INSTANCE, Life, SUPERVISOR};
use super::seat::Seat;
use super::{health, output};
use crate::drivers::local::environment;
use crate::drivers::local::state::{Process, SavedGroup, SavedInstance};
use crate::model::release::process::ProcessTemplate;

/// Why a process was not started.
#[derive(Debug)]
pub(super) struct NotStarted {
    pub(super) why: String,
    /// It will not start the next time either.
    pub(super) hopeless: bool,
}

/// Starts the process of an instance and looks after it. `mark` says whose it is.
pub(super) fn start(
    core: &Core,
    group: &SavedGroup,
    instance: &SavedInstance,
    (mark, wake): (&str, &Arc<Notify>),
) -> Result<Arc<Seat>, NotStarted> {
    let failed = |why: String| NotStarted {
        why,
        hopeless: false,
    };
    let path = core.folder.output(&instance.id, &instance.token);
    let out = output::open(&path)
        .map_err(|error| failed(format!("cannot write `{}`: {error}", path.display())))?;
    let err = out
        .try_clone()
        .map_err(|error| failed(format!("cannot write `{}`: {error}", path.display())))?;
    let mut command = command(group, instance, mark)?;
    command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // Signals go to all that it starts, and a terminal's to none of it.
        .process_group(0)
        .kill_on_drop(false);
    let mut child = command.spawn().map_err(|error| NotStarted {
        why: format!(
            "cannot be started: `{}`: {error}",
            command.as_std().get_program().display()
        ),
        hopeless: matches!(
            error.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
        ),
    })?;
    // It is our child: it has its number until we have looked at its end.
    let process = child.id().and_then(process::named);
    let Some(process) = process else {
        // It may as well run, where no file could be opened; nobody would know it.
        let _ = child.start_kill();
        return Err(failed("could not be looked at after its start".to_owned()));
    };
    core.files.give_back(process.pid);
    let names = (instance.id.as_str(), instance.token.as_str(), instance.port);
    let seat = Seat::new(names, process, false, false);
    tracing::info!(
        instance = seat.id,
        pid = process.pid,
        port = seat.port,
        "started an instance"
    );
    tokio::spawn(wait(child, Arc::clone(&seat), Arc::clone(wake)));
    look_after(core, group, &seat);
    Ok(seat)
}

/// Asks for its health from now on.
pub(super) fn look_after(core: &Core, group: &SavedGroup, seat: &Arc<Seat>) {
    let path = core.folder.output(&seat.id, &seat.token);
    tokio::spawn(health::watch(Arc::clone(seat), health_check(group), path));
}

fn command(
    group: &SavedGroup,
    instance: &SavedInstance,
    mark: &str,
) -> Result<Command, NotStarted> {
    let hopeless = |why: String| NotStarted {
        why,
        hopeless: true,
    };
    let template = ProcessTemplate::of(&group.template)
        .map_err(|error| hopeless(format!("has a template that cannot be run: {error}")))?;
    let artifact = &group.artifact;
    let fill = |text: &String| {
        ProcessTemplate::fill(text, &artifact.reference, &artifact.version, instance.port)
    };
    let mut words = template.command.iter().map(fill);
    let program = words
        .next()
        .ok_or_else(|| hopeless("has a template without a command".to_owned()))?;
    let mut command = Command::new(program);
    command.args(words);
    // Ours may hold secrets, where a person started us.
    command.env_clear().envs(environment::passed_on());
    command.env("PORT", instance.port.to_string());
    for (name, value) in &template.environment {
        command.env(name, fill(value));
    }
    command.env(SUPERVISOR, mark).env(INSTANCE, &instance.token);
    Ok(command)
}

async fn wait(mut child: Child, seat: Arc<Seat>, wake: Arc<Notify>) {
    let how = match child.wait().await {
        Ok(status) => told(status),
        Err(error) => format!("ended, and nothing is known of it: {error}"),
    };
    tracing::info!(
        instance = seat.id,
        pid = seat.process.pid,
        "an instance {how}"
    );
    seat.end(how);
    wake.notify_one();
}

fn told(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// A port of 127.0.0.1 that nobody has now, nor any of the instances that have not begun to listen yet.
pub(super) fn free_port(taken: &[u16]) -> Option<u16> {
    // Held until the end, so that the system does not give the same one again.
    let mut held = Vec::new();
    for _ in 0..=taken.len() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        held.push(listener);
        if !taken.contains(&port) {
            return Some(port);
        }
    }
    None
}

/// Takes over what runs still of what is kept, and kills what has our mark and is not kept. Gives the number of those that run.
pub(super) fn adopt(core: &mut Core, mark: &str) -> usize {
    let mut found = process::of_supervisor(mark);
    let mut next = core.saved.clone();
    let boot = process::boot();
    let same_boot = boot.is_some() && next.boot == boot;
    next.boot = boot;
    for place in &mut next.places {
        for group in &mut place.groups {
            let names = group.clone();
            for instance in &mut group.instances {
                let running = found.remove(&instance.token).unwrap_or_default();
                // A number from before the machine was started anew is somebody else's.
                let known = instance
                    .process
                    .filter(|process| same_boot && process::life(*process) != Life::Ended);
                // The one that was started when the supervisor died before it knew the number.
                let leader = running.iter().find(|found| found.leads);
                let process: Option<Process> = known.or(leader.map(|found| found.process));
                instance.process = process;
                if let Some(process) = process {
                    let named = (instance.id.as_str(), instance.token.as_str(), instance.port);
                    let seat = Seat::new(named, process, true, instance.up);
                    look_after(core, &names, &seat);
                    core.seats.insert(instance.token.clone(), seat);
                } else {
                    instance.up = false;
                    let path = core.folder.output(&instance.id, &instance.token);
                    let why = "ended while no supervisor looked after it".to_owned();
                    let mut trouble = Trouble::after(None, why, output::last_lines(&path));
                    trouble.again = std::time::Instant::now();
                    core.troubles.insert(instance.token.clone(), trouble);
                    for left in running {
                        process::kill(left.process);
                    }
                }
            }
        }
    }
    for left in found.into_values().flatten() {
        tracing::warn!(
            pid = left.process.pid,
            "a process of ours belongs to no instance, and is killed"
        );
        process::kill(left.process);
    }
    // If it cannot be written now, it is found the same way the next time.
    let _ = core.keep(next);
    core.seats.len()
}
