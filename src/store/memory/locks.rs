//! Locks in memory.

use std::collections::BTreeMap;

use crate::model::ids::ExecutionId;
use crate::store::{LockAnswer, StoreError};

/// All locks that were ever taken, by name.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<String, Lock>);

#[derive(Debug)]
struct Lock {
    /// The number of the newest taking, also of one that was given back.
    fencing: u64,
    owner: Option<ExecutionId>,
}

impl Locks {
    pub(super) fn take(&mut self, name: &str, owner: &ExecutionId, preempt: bool) -> LockAnswer {
        let lock = self.0.entry(name.to_owned()).or_insert(Lock {
            fencing: 0,
            owner: None,
        });
        match &lock.owner {
            Some(holder) if holder == owner => {}
            Some(holder) if !preempt => {
                return LockAnswer::Held {
                    owner: holder.clone(),
                };
            }
            Some(_) | None => {
                lock.fencing += 1;
                lock.owner = Some(owner.clone());
            }
        }
        LockAnswer::Taken {
            fencing: lock.fencing,
        }
    }

    pub(super) fn owner(&self, name: &str) -> Option<(ExecutionId, u64)> {
        let lock = self.0.get(name)?;
        Some((lock.owner.clone()?, lock.fencing))
    }

    pub(super) fn free(&mut self, owner: &ExecutionId) {
        for lock in self.0.values_mut() {
            if lock.owner.as_ref() == Some(owner) {
                lock.owner = None;
            }
        }
    }

    /// The first that is not the owner's by this number.
    pub(super) fn must_be_held(
        &self,
        owner: &ExecutionId,
        locks: &[(String, u64)],
    ) -> Result<(), StoreError> {
        for (name, fencing) in locks {
            let found = self.owner(name);
            if found.as_ref() != Some(&(owner.clone(), *fencing)) {
                return Err(StoreError::LostLock {
                    name: name.clone(),
                    owner: found.map(|(owner, _)| owner),
                });
            }
        }
        Ok(())
    }
}
