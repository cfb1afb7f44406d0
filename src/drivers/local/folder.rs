//! The folder of a local account: where the supervisor's lock, socket, state and logs are.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Longest path of a socket: the system's structure has 108 bytes, the last one is 0.
const SOCKET_PATH_BYTES: usize = 107;

/// The folder, without links and dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it, for this user alone, where it is absent.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(fs::canonicalize(path)?))
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Held by the one supervisor as long as it lives.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("supervisor.lock")
    }

    /// All that the supervisor knows.
    pub(super) fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// The mark that every process of this folder has in its environment. Apart from the state, so that processes are
    /// recognised when the state is lost.
    pub(super) fn mark(&self) -> PathBuf {
        self.0.join("mark")
    }

    /// What the supervisor writes about itself.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    /// What one start of an instance writes.
    pub(super) fn output(&self, instance: &str, token: &str) -> PathBuf {
        let short = token.get(..8).unwrap_or(token);
        self.0
            .join("output")
            .join(format!("{instance}-{short}.log"))
    }

    /// Where the outputs are.
    pub(super) fn outputs(&self) -> PathBuf {
        self.0.join("output")
    }

    /// Where the supervisor listens: in the folder; where that path would be too long for a socket, in a folder of its own
    /// whose name is in a file here.
    pub(super) fn socket(&self) -> PathBuf {
        let here = self.0.join("supervisor.sock");
        if here.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES {
            return here;
        }
        match fs::read_to_string(self.elsewhere()) {
            Ok(elsewhere) => {
                PathBuf::from(elsewhere.trim_end_matches('\n')).join("supervisor.sock")
            }
            Err(_) => here,
        }
    }

    /// As [`Self::socket`], and makes the folder that it is in where there is none that is ours.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn make_socket_path(&self) -> io::Result<PathBuf> {
        let socket = self.socket();
        if socket.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES {
            let folder = socket.parent().map(fs::symlink_metadata);
            let me = rustix::process::getuid().as_raw();
            if let Some(Ok(metadata)) = folder
                && metadata.is_dir()
                && metadata.uid() == me
            {
                return Ok(socket);
            }
        }
        // Random and readable for its owner only: nobody else can have made it.
        let elsewhere = tempfile::Builder::new()
            .prefix("coalmine-")
            .tempdir()?
            .keep();
        write_whole(&self.elsewhere(), elsewhere.as_os_str().as_bytes())?;
        Ok(elsewhere.join("supervisor.sock"))
    }

    fn elsewhere(&self) -> PathBuf {
        self.0.join("socket-folder")
    }
}

/// Writes a file whole or not at all, and durably.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".coalmine-")
        .suffix(".tmp")
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    // The new name must last as well.
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_a_deep_folder_is_elsewhere_and_is_found_again() {
        let temporary = tempfile::tempdir().unwrap();
        let deep = temporary.path().join("d".repeat(120));
        let folder = Folder::open(&deep).unwrap();
        let made = folder.make_socket_path().unwrap();
        assert!(made.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES);
        assert_eq!(folder.socket(), made);
        assert_eq!(folder.make_socket_path().unwrap(), made, "made once");
        fs::remove_dir(made.parent().unwrap()).unwrap();
        let again = folder.make_socket_path().unwrap();
        assert_ne!(again, made, "made anew where it is gone");
        fs::remove_dir(again.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_socket_of_an_ordinary_folder_is_in_it() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        let made = folder.make_socket_path().unwrap();
        assert_eq!(made, folder.path().join("supervisor.sock"));
    }
}
