//! Bundles and judgements that outlive the run: what they are ([`bundle`]), how files are written whole ([`whole_file`]), and
//! the port that keeps them ([`Archive`]).

pub mod bundle;
pub mod folder;
pub mod memory;
mod series_json;
pub mod whole_file;

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use coalmine_judges::judgement::Judgement;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use bundle::{Bundle, Told};

/// A judgement as it is kept: it names its bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgementRecord {
    /// Version of this format.
    pub version: u32,
    /// The version of Coalmine that judged.
    pub coalmine: String,
    /// When it was judged, in milliseconds since 1970-01-01T00:00:00Z.
    pub judged_at_ms: i64,
    /// The bundle's content hash.
    pub bundle_id: String,
    /// What is told of the input.
    pub told: Told,
    /// The result.
    pub judgement: Judgement,
}

impl JudgementRecord {
    /// Version of the format that this code writes.
    pub const VERSION: u32 = 1;

    /// What this version of Coalmine judged.
    #[must_use]
    pub fn new(bundle_id: String, judgement: Judgement, judged_at_ms: i64, told: Told) -> Self {
        Self {
            version: Self::VERSION,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            judged_at_ms,
            bundle_id,
            told,
            judgement,
        }
    }
}

/// Why an archive did not do what it was asked.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// There is nothing with this name.
    #[error("the archive has no {what} `{id}`")]
    NotFound {
        /// `bundle` or `judgement`.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// A judgement cannot be kept under this name.
    #[error("found the name `{0}` of a judgement; expected 1 to 200 letters, digits, `-` and `_`")]
    BadName(String),
    /// Full, or out of reach: try again later.
    #[error("the archive is out of reach while {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is there is not what was kept.
    #[error("the {what} `{id}` in the archive is damaged")]
    Damaged {
        /// `bundle` or `judgement`.
        what: &'static str,
        /// Its name.
        id: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Keeps bundles and judgements. What a call returned `Ok` for survives the loss of power; nothing is ever half-kept; keeping
/// the same thing twice is no error and changes nothing.
#[async_trait]
pub trait Archive: Send + Sync + Debug {
    /// Keeps a bundle, and returns its id: the content hash.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn put_bundle(&self, bundle: &Bundle) -> Result<String, ArchiveError>;

    /// The bundle with this id, checked against its hash.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`, `Damaged`.
    async fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError>;

    /// Keeps a judgement under `name` (1 to 200 ASCII letters, digits, `-` and `_`), in place of an earlier one of that name.
    ///
    /// # Errors
    /// `BadName`, `Unavailable`.
    async fn put_judgement(&self, name: &str, record: &JudgementRecord)
    -> Result<(), ArchiveError>;

    /// The judgement with this name.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`, `Damaged`.
    async fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError>;

    /// Removes judgements by name, and then every bundle among `bundles` that no other judgement was made of; absent ones are
    /// no error. A bundle that was kept a short while ago stays: its judgement may still be to come.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn remove(&self, judgements: &[String], bundles: &[String]) -> Result<(), ArchiveError>;

    /// Whether something can be kept; leaves nothing behind.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn check(&self) -> Result<(), ArchiveError>;

    /// Removes every bundle that no judgement was made of, that is not among `named`, and that was not kept a short while ago; says
    /// how many. These are what a kill or a cancel left between keeping a bundle and speaking of it. Reads the whole archive.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn remove_orphans(&self, named: &BTreeSet<String>) -> Result<u64, ArchiveError>;
}

/// Whether a judgement can be kept under this name; no such name leads out of a folder.
fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=200).contains(&name.len()) && name.chars().all(letters)
}
