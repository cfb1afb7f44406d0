//! Processes as the system shows them, and signals to those that are ours beyond doubt: number, start time and the token in
//! the environment must all match, else nothing is done.

use std::collections::BTreeMap;
use std::fs;

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

/// Whether this very process runs and has the token.
pub(super) fn is_alive(process: Process, token: &str) -> bool {
    let stat = stat(process.pid);
    stat.is_some_and(|stat| stat.process == process && !stat.ended)
        && variable(process.pid, INSTANCE).as_deref() == Some(token)
}

/// The process of this number; `None` where there is none.
pub(super) fn named(pid: u32) -> Option<Process> {
    stat(pid).map(|stat| stat.process)
}

/// Signals the process and all of its group, if it is the one that is meant. Says whether it was.
pub(super) fn signal_group(process: Process, token: &str, signal: Signal) -> bool {
    if !is_alive(process, token) {
        return false;
    }
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    // It was started as the leader of its group.
    pid.is_some_and(|pid| kill_process_group(pid, signal).is_ok())
}

/// Kills every process that has this token still: what an instance started and left behind.
pub(super) fn kill_leftovers(mark: &str, token: &str) {
    for found in of_supervisor(mark).remove(token).unwrap_or_default() {
        kill(found.process, token);
    }
}

/// Kills one process, if it is the one that is meant.
pub(super) fn kill(process: Process, token: &str) {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid
        && is_alive(process, token)
    {
        // It may have ended in this moment.
        let _ = kill_process(pid, Signal::KILL);
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

    #[test]
    fn a_process_that_is_not_the_one_meant_is_not_signalled() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env(SUPERVISOR, "mark-of-this-test")
            .env(INSTANCE, "token")
            .spawn()
            .unwrap();
        let process = named(child.id()).unwrap();
        let later = Process {
            start_ticks: process.start_ticks + 1,
            ..process
        };
        kill(process, "another token");
        kill(later, "token");
        assert!(!signal_group(later, "token", Signal::KILL));
        assert!(is_alive(process, "token"));
        kill_leftovers("another mark", "token");
        assert!(is_alive(process, "token"));
        kill_leftovers("mark-of-this-test", "token");
        child.wait().unwrap();
        assert!(!is_alive(process, "token"));
    }
}
