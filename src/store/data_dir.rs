//! The folder in which a service keeps its data, and the lock that lets one process at a time serve it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process serves it.
    #[error("the data folder `{}` is served by {}", path.display(), other(*pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other's process id, where it can be read.
        pid: Option<u32>,
    },
    /// There is a file of this name.
    #[error("`{}` is a file; expected a folder", .0.display())]
    NoFolder(PathBuf),
    /// The name of the installation is damaged.
    #[error("`{}` holds no name of an installation; expected 26 letters and digits", .0.display())]
    NoInstallation(PathBuf),
    /// The system refused.
    #[error("the data folder `{}` cannot be used while {doing}", path.display())]
    System {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

fn other(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("the process {pid}"),
    )
}

impl DataDirError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "stop the other process, or give this one a folder of its own",
            Self::NoFolder(_) => "give the path of a folder; it is made where it is absent",
            Self::NoInstallation(_) => {
                "put it back from a backup; or remove it, then what earlier releases left is removed at its time limit and not before"
            }
            Self::System { .. } => "does the folder belong to the user that runs Coalmine?",
        }
    }
}

/// The file with the lock.
const LOCK: &str = "coalmine.lock";
/// How often the lock is tried, and the pause between: who only looks (see [`is_held`]) has it for a moment.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Whether a living process serves the folder. What a process that was killed left there does not count; neither does a folder
/// that is absent or cannot be read.
#[must_use]
pub fn is_held(path: &Path) -> bool {
    let Ok(lock) = File::open(path.join(LOCK)) else {
        return false;
    };
    match lock.try_lock_shared() {
        Ok(()) => {
            let _ = lock.unlock();
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

fn take(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            taken => return taken,
        }
    }
    lock.try_lock()
}

/// A folder that this process alone serves, until the value is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock as long as it is open.
    lock: File,
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // Closing alone would leave the lock to a child process that is just being started.
        let _ = self.lock.unlock();
    }
}

impl DataDir {
    /// Takes the folder; makes it, for this user alone, where it is absent.
    ///
    /// # Errors
    /// Another process has it, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let system = |doing| {
            move |cause| DataDirError::System {
                path: path.to_path_buf(),
                doing,
                cause,
            }
        };
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(DataDirError::NoFolder(path.to_path_buf()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(system("making it"))?;
            }
            Err(error) => return Err(system("looking at it")(error)),
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(system("opening its lock"))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only for the message; it may be written at this moment.
                let pid = lock.read_to_string(&mut text).ok();
                return Err(DataDirError::InUse {
                    path: path.to_path_buf(),
                    pid: pid.and_then(|_| text.trim().parse().ok()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(system("locking it")(error)),
        }
        write_pid(&mut lock).map_err(system("writing its lock"))?;
        Ok(Self {
            path: path.to_path_buf(),
            lock,
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        database(&self.path)
    }

    /// Where bundles and judgements are.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        archive(&self.path)
    }
}

/// Where the database of a data folder is.
#[must_use]
pub fn database(folder: &Path) -> PathBuf {
    folder.join("coalmine.db")
}

/// Where bundles and judgements of a data folder are.
#[must_use]
pub fn archive(folder: &Path) -> PathBuf {
    folder.join("archive")
}

/// Readable for its owner only: what is measured tells much about a company.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
