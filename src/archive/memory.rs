//! An archive that lives as long as the process: for tests, simulations and trying out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::bundle::Bundle;
use super::{Archive, ArchiveError, JudgementRecord, is_name};

/// Keeps everything in memory; nothing outlives it.
#[derive(Debug, Default)]
pub struct MemoryArchive {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bundles: BTreeMap<String, Bundle>,
    judgements: BTreeMap<String, JudgementRecord>,
}

impl MemoryArchive {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn put_bundle(&self, bundle: &Bundle) -> Result<String, ArchiveError> {
        let id = bundle.id().map_err(|error| ArchiveError::Unavailable {
            doing: "keeping a bundle",
            cause: Box::new(error),
        })?;
        let mut kept = self.kept();
        if !kept.bundles.contains_key(&id) {
            kept.bundles.insert(id.clone(), bundle.clone());
        }
        Ok(id)
    }

    async fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError> {
        let bundle = self.kept().bundles.get(id).cloned();
        bundle.ok_or_else(|| ArchiveError::NotFound {
            what: "bundle",
            id: id.to_owned(),
        })
    }

    async fn put_judgement(
        &self,
        name: &str,
        record: &JudgementRecord,
    ) -> Result<(), ArchiveError> {
        if !is_name(name) {
            return Err(ArchiveError::BadName(name.to_owned()));
        }
        let record = record.clone();
        self.kept().judgements.insert(name.to_owned(), record);
        Ok(())
    }

    async fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError> {
        let judgement = self.kept().judgements.get(name).cloned();
        judgement.ok_or_else(|| ArchiveError::NotFound {
            what: "judgement",
            id: name.to_owned(),
        })
    }

    async fn remove(&self, judgements: &[String], bundles: &[String]) -> Result<(), ArchiveError> {
        let mut kept = self.kept();
        for name in judgements {
            kept.judgements.remove(name);
        }
        for id in bundles {
            let used = kept
                .judgements
                .values()
                .any(|record| record.bundle_id == *id);
            if !used {
                kept.bundles.remove(id);
            }
        }
        Ok(())
    }

    async fn check(&self) -> Result<(), ArchiveError> {
        Ok(())
    }

    async fn remove_orphans(&self, named: &BTreeSet<String>) -> Result<u64, ArchiveError> {
        let mut kept = self.kept();
        let used: BTreeSet<String> = kept
            .judgements
            .values()
            .map(|it| it.bundle_id.clone())
            .collect();
        let before = kept.bundles.len();
        kept.bundles
            .retain(|id, _| used.contains(id) || named.contains(id));
        Ok((before - kept.bundles.len()) as u64)
    }
}
