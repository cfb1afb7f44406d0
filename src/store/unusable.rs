//! Databases that a person must look at.

use thiserror::Error;

/// Why a database cannot be used, as the cause of [`super::StoreError::Broken`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    /// Written by a newer version of Coalmine.
    #[error("found schema version {found}; expected at most {expected}")]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest version that is known.
        expected: i64,
    },
    /// Written by an older version of Coalmine, and only to be read.
    #[error("found schema version {found}; expected {expected}")]
    Older {
        /// The version in the database; 0 where there is no schema yet.
        found: i64,
        /// The version that is known.
        expected: i64,
    },
    /// Not made by us, or changed by somebody else.
    #[error("it is no database of Coalmine: {0}")]
    Foreign(String),
    /// Not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The file system cannot keep SQLite's write-ahead log.
    #[error("found journal mode `{0}`; expected `wal`")]
    NoLog(String),
}

impl Unusable {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Newer { .. } => {
                "it was written by a newer version of Coalmine; update this one, or restore the backup that was made before the update"
            }
            Self::Older { .. } => "`coalmine serve` on the same data folder brings it up to date",
            Self::Foreign(_) => "give the path of another file, or of none",
            Self::Damaged(_) => {
                "keep a copy of the file and restore the last backup; `sqlite3 FILE .recover` may save what came after it"
            }
            Self::NoLog(_) => {
                "keep the database on a local disk; network file systems do not lock well enough"
            }
        }
    }
}
