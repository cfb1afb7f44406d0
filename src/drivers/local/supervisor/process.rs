//! Processes as the system shows them, and signals to those that are ours beyond doubt: number and start time must match, else
//! nothing is done. The environment only finds processes whose number was never written down: programs may overwrite it, as
//! those that set their title do, or hide it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::drivers::local::state::Process;

/// The variable that says which supervisor's processes these are.
pub(crate) const SUPERVISOR: &str = "COALMINE_SUPERVISOR";
/// The variable that says which start of which instance a process belongs to.
pub(crate) const INSTANCE: &str = "COALMINE_INSTANCE";

/// What the system tells of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    process: Process,
    /// The process that leads its group.
    group: u32,
    /// It ended, and its parent has not looked yet.
    ended: bool,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// This very process runs.
    Runs,
    /// It ended, or its number is another one's by now.
    Ended,
    /// The system does not say: no file can be opened, or there is no `/proc`.
    Unknown,
}

/// Whether this very process runs. Right only as long as the machine was not started anew.
pub(super) fn life(process: Process) -> Life {
    match fs::read_to_string(format!("/proc/{}/stat", process.pid)) {
        Ok(text) => match parse_stat(&text) {
            Some(stat) if stat.process == process && !stat.ended => Life::Runs,
            Some(_) => Life::Ended,
            None => Life::Unknown,
        },
        Err(error) => {
            // The second is of one that ended between the opening and the reading.
            let none = error.kind() == io::ErrorKind::NotFound
                || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error());
            if none && Path::new("/proc/self").exists() {
                Life::Ended
            } else {
                Life::Unknown
            }
        }
    }
}

/// The process of this number; `None` where there is none.
pub(super) fn named(pid: u32) -> Option<Process> {
    stat(pid).map(|stat| stat.process)
}

/// What is new whenever the machine is started: numbers and start times from before mean nothing. `None` where the system does
/// not say.
pub(super) fn boot() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Signals the process and all of its group, if it is the one that is meant.
///
/// # Errors
/// Nothing was sent: it is not there, it is not known to be, or the system refuses.
pub(super) fn signal_group(process: Process, signal: Signal) -> io::Result<()> {
    // It was started as the leader of its group.
    Ok(kill_process_group(meant(process)?, signal)?)
}

/// Kills every process that has this token still: what an instance started and left behind.
pub(super) fn kill_leftovers(mark: &str, token: &str) {
    for found in of_supervisor(mark).remove(token).unwrap_or_default() {
        kill(found.process);
    }
}

/// Kills one process, if it is the one that is meant.
pub(super) fn kill(process: Process) {
    if let Ok(pid) = meant(process) {
        // It may have ended in this moment.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn meant(process: Process) -> io::Result<Pid> {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    match (life(process), pid) {
        (Life::Runs, Some(pid)) => Ok(pid),
        (Life::Runs | Life::Ended, _) => Err(io::ErrorKind::NotFound.into()),
        (Life::Unknown, _) => Err(io::Error::other("`/proc` cannot be read")),
    }
}

/// A process that was found by its environment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) process: Process,
    /// It leads its group: it is the one that we started.
    pub(super) leads: bool,
}

/// All processes that have the mark of a supervisor, by the token of their start. One that ends meanwhile is not in it.
pub(super) fn of_supervisor(mark: &str) -> BTreeMap<String, Vec<Found>> {
    let mut found: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return found;
    };
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else {
            continue;
        };
        if variable(pid, SUPERVISOR).as_deref() != Some(mark) {
            continue;
        }
        if let Some(token) = variable(pid, INSTANCE)
            && let Some(stat) = stat(pid).filter(|stat| !stat.ended)
        {
            found.entry(token).or_default().push(Found {
                process: stat.process,
                leads: stat.group == pid,
            });
        }
    }
    found
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

/// Reads `/proc/PID/stat`. The second field is the program's name in brackets, which may hold anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let pid = text.split(' ').next()?.parse().ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    // From the third field on.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        process: Process {
            pid,
            start_ticks: fields.get(19)?.parse().ok()?,
        },
        group: fields.get(2)?.parse().ok()?,
        ended: matches!(*fields.first()?, "Z" | "X"),
    })
}

/// A variable of the environment that a process was started with; `None` also where we may not look.
fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|line| {
        let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        String::from_utf8(rest.to_vec()).ok()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_brackets_in_its_name_is_read_right() {
        let text = "4242 (a) R (b)) S 1 4240 4240 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 3 0 987654 1 1";
        let stat = parse_stat(text).unwrap();
        let process = Process {
            pid: 4242,
            start_ticks: 987_654,
        };
        let expected = Stat {
            process,
            group: 4240,
            ended: false,
        };
        assert_eq!(stat, expected);
    }

    fn spawn(command: &mut std::process::Command) -> (std::process::Child, Process) {
        use std::os::unix::process::CommandExt as _;
        let child = command.process_group(0).spawn().unwrap();
        let process = named(child.id()).unwrap();
        (child, process)
    }

    #[test]
    fn a_process_that_is_not_the_one_meant_is_not_signalled() {
        let mut command = std::process::Command::new("sleep");
        command.arg("60").env(SUPERVISOR, "mark-of-this-test");
        let (mut child, process) = spawn(command.env(INSTANCE, "token"));
        let later = Process {
            start_ticks: process.start_ticks + 1,
            ..process
        };
        kill(later);
        let error = signal_group(later, Signal::KILL).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!((life(process), life(later)), (Life::Runs, Life::Ended));
        kill_leftovers("another mark", "token");
        kill_leftovers("mark-of-this-test", "another token");
        assert_eq!(life(process), Life::Runs);
        kill_leftovers("mark-of-this-test", "token");
        child.wait().unwrap();
        assert_eq!(life(process), Life::Ended);
    }

    #[test]
    fn a_process_without_our_environment_is_signalled_by_number_and_start() {
        let mut command = std::process::Command::new("sleep");
        let (mut child, process) = spawn(command.arg("60").env_clear());
        assert_eq!(life(process), Life::Runs);
        signal_group(process, Signal::TERM).unwrap();
        child.wait().unwrap();
        assert!(signal_group(process, Signal::TERM).is_err());
    }
}
