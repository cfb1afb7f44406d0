//! How many files may be open at once, and the connections that they are enough for.

use std::io;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use tokio::sync::Semaphore;

/// Kept for everything but connections of clients.
const KEPT: u64 = 256;
/// A connection of a client has one to an instance.
const FILES_EACH: u64 = 2;
/// No more connections are taken at once, however many files there may be.
const MOST: u64 = 16_384;
/// So many always.
const LEAST: u64 = 16;

/// The limit of open files, raised as far as it may be.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// As it was: instances start with it, because some programs go through all numbers that are allowed.
    before: Rlimit,
    connections: Arc<Semaphore>,
}

impl Files {
    /// Raises the limit of this process.
    pub(super) fn raise() -> Self {
        let before = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: before.maximum,
            ..before
        };
        let now = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => raised,
            Err(error) => {
                tracing::warn!("the limit of open files cannot be raised: {error}");
                before
            }
        };
        let connections = Semaphore::new(connections(now.current));
        Self {
            before,
            connections: Arc::new(connections),
        }
    }

    /// One for each connection of a client that may be open.
    pub(super) fn connections(&self) -> Arc<Semaphore> {
        Arc::clone(&self.connections)
    }

    /// Gives a child the limit that was before.
    pub(super) fn give_back(&self, pid: u32) {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may have ended; a limit that is too high does little harm.
            let _ = prlimit(Some(pid), Resource::Nofile, self.before);
        }
    }
}

fn connections(files: Option<u64>) -> usize {
    let files = files.unwrap_or(u64::MAX);
    let enough = (files.saturating_sub(KEPT) / FILES_EACH).clamp(LEAST, MOST);
    usize::try_from(enough).unwrap_or(usize::MAX)
}

/// Whether it is for want of something on our side that a connection could not be made, and says nothing of the other.
pub(super) fn is_our_want(error: &io::Error) -> bool {
    let ours = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        Errno::ADDRNOTAVAIL,
    ];
    let number = error.raw_os_error();
    ours.iter().any(|ours| number == Some(ours.raw_os_error()))
}

/// Whether the other side takes no connection.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (files, expected) in [
            (Some(1_024), 384),
            (Some(100), 16),
            (Some(1_048_576), 16_384),
            (None, 16_384),
        ] {
            assert_eq!(connections(files), expected, "{files:?}");
        }
    }

    #[test]
    fn a_want_of_files_says_nothing_of_the_instance() {
        let of = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for errno in [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL] {
            let error = of(errno);
            assert!(is_our_want(&error) && !is_refusal(&error), "{error}");
        }
        for errno in [Errno::CONNREFUSED, Errno::CONNRESET] {
            let error = of(errno);
            assert!(is_refusal(&error) && !is_our_want(&error), "{error}");
        }
    }
}
