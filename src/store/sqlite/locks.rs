//! Locks.

use sqlx::{Error, Row, SqliteConnection};

use super::SqliteStore;
use super::executions::has_not_ended;
use super::failure::failed;
use super::rows::counter;
use crate::model::ids::ExecutionId;
use crate::store::{LockAnswer, NOT_ENDED, StoreError};

const TAKING: &str = "taking a lock";
const FREEING: &str = "freeing locks";
const READING: &str = "reading a lock";

impl SqliteStore {
    pub(super) async fn take_lock(
        &self,
        name: &str,
        owner: &ExecutionId,
        preempt: bool,
    ) -> Result<LockAnswer, StoreError> {
        let mut transaction = self.write(TAKING).await?;
        let lives = has_not_ended(&mut transaction, owner).await;
        if !lives.map_err(failed(TAKING))? {
            return Err(StoreError::NotFound {
                what: NOT_ENDED,
                id: owner.to_string(),
            });
        }
        let held = held(&mut transaction, name).await.map_err(failed(TAKING))?;
        match held {
            Some((holder, fencing)) if holder == *owner => Ok(LockAnswer::Taken { fencing }),
            Some((holder, _)) if !preempt => Ok(LockAnswer::Held { owner: holder }),
            Some(_) | None => {
                let taken = take(&mut transaction, name, owner).await;
                let fencing = taken.map_err(failed(TAKING))?;
                transaction.commit().await.map_err(failed(TAKING))?;
                Ok(LockAnswer::Taken { fencing })
            }
        }
    }

    pub(super) async fn owner_of_lock(
        &self,
        name: &str,
    ) -> Result<Option<(ExecutionId, u64)>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(failed(READING))?;
        held(&mut reader, name).await.map_err(failed(READING))
    }

    pub(super) async fn free_locks(&self, owner: &ExecutionId) -> Result<(), StoreError> {
        let mut writer = self.writer.acquire().await.map_err(failed(FREEING))?;
        free(&mut writer, owner).await.map_err(failed(FREEING))
    }
}

async fn held(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<(ExecutionId, u64)>, Error> {
    let row = sqlx::query("SELECT owner, fencing FROM lock WHERE name = $1 AND owner IS NOT NULL")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let owner = ExecutionId::new(row.try_get::<String, _>("owner")?);
        Ok((owner, counter(&row, "fencing")?))
    })
    .transpose()
}

async fn take(
    connection: &mut SqliteConnection,
    name: &str,
    owner: &ExecutionId,
) -> Result<u64, Error> {
    let row = sqlx::query(
        "INSERT INTO lock (name, fencing, owner) VALUES ($1, 1, $2) \
         ON CONFLICT (name) DO UPDATE SET fencing = lock.fencing + 1, owner = excluded.owner RETURNING fencing",
    )
    .bind(name)
    .bind(owner.as_str())
    .fetch_one(connection)
    .await?;
    counter(&row, "fencing")
}

pub(super) async fn free(
    connection: &mut SqliteConnection,
    owner: &ExecutionId,
) -> Result<(), Error> {
    sqlx::query("UPDATE lock SET owner = NULL WHERE owner = $1")
        .bind(owner.as_str())
        .execute(connection)
        .await
        .map(drop)
}

/// What became of the first lock that is not the owner's by this number: its name, and who has it.
pub(super) async fn first_lost(
    connection: &mut SqliteConnection,
    owner: &ExecutionId,
    locks: &[(String, u64)],
) -> Result<Option<(String, Option<ExecutionId>)>, Error> {
    for (name, fencing) in locks {
        let found = held(connection, name).await?;
        if found.as_ref() != Some(&(owner.clone(), *fencing)) {
            return Ok(Some((name.clone(), found.map(|(owner, _)| owner))));
        }
    }
    Ok(None)
}
