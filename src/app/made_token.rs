//! The token of a server that was started for one command.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The file with the token of a server that was started for one command.
const TOKEN_FILE: &str = "service.token";

/// A token that was made for one command. Its file goes with it; only who has the data folder may make one.
pub(super) struct MadeToken {
    /// The file that holds it, where others of this user shall find it.
    pub(super) path: Option<PathBuf>,
    /// The token.
    pub(super) token: String,
}

impl MadeToken {
    /// Makes one, and keeps it in `folder`, where one is given, for nobody but this user.
    pub(super) fn make(folder: Option<&Path>) -> std::io::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        // Chance of the system, not of a generator that can be foretold.
        let mut chance = [0; 32];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut chance)?;
        let token: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
        let Some(folder) = folder else {
            return Ok(Self { path: None, token });
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let rights = std::fs::Permissions::from_mode(0o600);
        file.as_file().set_permissions(rights)?;
        file.write_all(token.as_bytes())?;
        let path = folder.join(TOKEN_FILE);
        file.persist(&path)?;
        Ok(Self {
            path: Some(path),
            token,
        })
    }
}

impl Drop for MadeToken {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A token that stays opens nothing.
            let _ = std::fs::remove_file(path);
        }
    }
}
