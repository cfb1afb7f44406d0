//! Files that are written whole or not at all: into a temporary file beside the target, then renamed.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;
use thiserror::Error;

/// Why a file cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The target is a directory.
    #[error("it is a directory; expected a file name")]
    Directory,
    /// The folder that shall hold it does not exist.
    #[error("there is no folder `{0}`")]
    NoFolder(String),
    /// The name asks for a compression that is not at hand.
    #[error("found the ending `.{0}`; expected `.gz`, or none of a compressed file")]
    Compression(String),
    /// The system refused.
    #[error("{}", told(.0))]
    System(#[from] io::Error),
}

/// A file that does not exist until [`WholeFile::finish`]; dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct WholeFile {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// An ordinary file: written in its folder under another name.
    Beside {
        folder: PathBuf,
        target: PathBuf,
        /// The permissions that the file has; `None` where there is no file yet.
        permissions: Option<fs::Permissions>,
    },
    /// Something that is no file, as `/dev/null` or a pipe, which a rename would replace.
    Straight(fs::File),
}

/// Endings of compressed files that we do not write.
const OTHER_COMPRESSIONS: [&str; 9] =
    ["zst", "zstd", "xz", "bz2", "br", "lz4", "zip", "7z", "lzma"];

impl WholeFile {
    /// Prepares for writing `path`, so that a path that cannot be written is known before the work is done.
    ///
    /// # Errors
    /// A directory, a folder that does not exist or cannot be written.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        // A link stays a link: what it points to is written.
        let target = resolved(path);
        let mut permissions = None;
        if let Ok(metadata) = fs::metadata(&target) {
            if metadata.is_dir() {
                return Err(WriteError::Directory);
            }
            let file = fs::OpenOptions::new().write(true).open(&target)?;
            if !metadata.is_file() {
                return Ok(Self {
                    place: Place::Straight(file),
                });
            }
            permissions = Some(metadata.permissions());
        }
        if target.file_name().is_none() || path.as_os_str().to_string_lossy().ends_with('/') {
            return Err(WriteError::Directory);
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(WriteError::NoFolder(folder.display().to_string()));
        }
        // Tried now and made again at the end, so that work that is broken off leaves nothing.
        temporary_in(folder, permissions.as_ref())?.close()?;
        Ok(Self {
            place: Place::Beside {
                folder: folder.to_path_buf(),
                target,
                permissions,
            },
        })
    }

    /// Writes everything by `write` and puts the file in its place.
    ///
    /// # Errors
    /// Those of `write` and of the system; then the target is as it was.
    pub fn finish(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        match self.place {
            Place::Straight(file) => {
                let mut out = BufWriter::new(file);
                write(&mut out)?;
                out.flush()?;
            }
            Place::Beside {
                folder,
                target,
                permissions,
            } => {
                let mut out = BufWriter::new(temporary_in(&folder, permissions.as_ref())?);
                write(&mut out)?;
                let temporary = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                if let Some(permissions) = permissions {
                    // The user's mask may have taken some of them away.
                    temporary.as_file().set_permissions(permissions)?;
                }
                temporary.as_file().sync_all()?;
                temporary.persist(target).map_err(|error| error.error)?;
            }
        }
        Ok(())
    }
}

/// The path without links and dots. Of a file that does not exist yet, as far as its folder exists; of a link that leads to
/// none, the file that would be made by writing to it.
#[must_use]
pub fn resolved(path: &Path) -> PathBuf {
    /// As many links after each other as Linux follows.
    const MOST_LINKS: usize = 40;
    let folder_of = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) | None => PathBuf::from("."),
    };
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if let Ok(whole) = fs::canonicalize(&path) {
            return whole;
        }
        match fs::read_link(&path) {
            Ok(to) => path = folder_of(&path).join(to),
            Err(_) => break,
        }
    }
    match (fs::canonicalize(folder_of(&path)), path.file_name()) {
        (Ok(folder), Some(name)) if folder.is_dir() => folder.join(name),
        (Ok(_), _) | (Err(_), _) => path,
    }
}

/// Made with the permissions of the file that it will replace, so that what is private is so from the beginning; without
/// one as an ordinary file, which is what the user's mask leaves.
fn temporary_in(folder: &Path, permissions: Option<&fs::Permissions>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".coalmine-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let ordinary = fs::Permissions::from_mode(0o666);
        builder.permissions(permissions.cloned().unwrap_or(ordinary));
    }
    builder.tempfile_in(folder)
}

/// The system's words without the name of our temporary file, which nobody asked for.
fn told(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" at path \"").unwrap_or(text.len());
    text[..end].to_owned()
}

/// How a file of this name is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
}

impl Packing {
    /// By the ending of the name.
    ///
    /// # Errors
    /// An ending of a compression that is not at hand.
    pub fn of(path: &Path) -> Result<Self, WriteError> {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("gz") => Ok(Self::Gzip),
            Some(other) if OTHER_COMPRESSIONS.contains(&other) => {
                Err(WriteError::Compression(other.to_owned()))
            }
            Some(_) | None => Ok(Self::Plain),
        }
    }

    /// Writes by `write`, compressed as asked. Equal content gives equal bytes: no time stands in it.
    ///
    /// # Errors
    /// Those of `write` and `out`.
    pub fn write(
        self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Plain => write(out),
            Self::Gzip => {
                let mut packed = GzEncoder::new(out, Compression::default());
                write(&mut packed)?;
                packed.finish().map(|_| ())
            }
        }
    }
}
