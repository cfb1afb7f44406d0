//! The name of an installation, kept in its data folder: written once, and never changed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::data_dir::{DataDir, DataDirError};
use crate::model::ids::InstallationId;

/// The file with the name.
const FILE: &str = "installation";
/// How many characters a name has.
const LENGTH: usize = 26;

impl DataDir {
    /// The name of the installation that this folder belongs to; made at the first call, whole and durably. One that was damaged is
    /// not made anew: what carries the old one would be nobody's.
    ///
    /// # Errors
    /// The file holds no name, or the system refuses.
    pub fn installation(&self) -> Result<InstallationId, DataDirError> {
        let path = self.path().join(FILE);
        let failed = |cause| DataDirError::System {
            path: self.path().to_path_buf(),
            doing: "reading the name of the installation",
            cause,
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let name = text.trim();
                if name.len() == LENGTH && name.bytes().all(|it| it.is_ascii_alphanumeric()) {
                    Ok(InstallationId::new(name))
                } else {
                    Err(DataDirError::NoInstallation(path))
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = ulid::Ulid::generate().to_string();
                write_whole(self.path(), &path, &name).map_err(failed)?;
                Ok(InstallationId::new(name))
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(DataDirError::NoInstallation(path))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn write_whole(folder: &Path, path: &Path, name: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{name}")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name must last as well.
    File::open(folder)?.sync_all()
}
