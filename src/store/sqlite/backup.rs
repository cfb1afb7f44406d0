//! A copy of the database while it is in use.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _};

use super::SqliteStore;
use super::failure::failed;
use crate::store::StoreError;

const DOING: &str = "making a backup";

impl SqliteStore {
    /// Writes a copy of the database as it is at this moment to `target`, whole or not at all; writers go on meanwhile. The copy
    /// is one file, and can be opened as any other database.
    ///
    /// # Errors
    /// `Exists` where there is such a file; `Unavailable` where it cannot be written; `Broken`.
    pub async fn backup_to(&self, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::Exists {
                what: "file",
                id: target.display().to_string(),
            });
        }
        let unfinished = unfinished(target);
        // What an earlier try left behind.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(error)),
            Ok(()) | Err(_) => {}
        }
        let made = self.copy(&unfinished).await;
        let (from, to) = (unfinished.clone(), target.to_path_buf());
        let placed = match made {
            Ok(()) => tokio::task::spawn_blocking(move || place(&from, &to))
                .await
                .map_err(io::Error::other)
                .flatten()
                .map_err(refused),
            Err(error) => Err(failed(DOING)(error)),
        };
        if placed.is_err() {
            // Whether it is there depends on what went wrong.
            let _ = fs::remove_file(&unfinished);
        }
        placed
    }

    /// By a connection of its own, so that the copy is made beside writers and readers.
    async fn copy(&self, to: &Path) -> Result<(), sqlx::Error> {
        let mut connection = self.connect.connect().await?;
        sqlx::query("VACUUM INTO $1")
            .bind(to.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await?;
        connection.close().await
    }
}

fn unfinished(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".unfinished");
    PathBuf::from(name)
}

fn place(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn refused(error: io::Error) -> StoreError {
    StoreError::Unavailable {
        doing: DOING,
        cause: Box::new(error),
    }
}
