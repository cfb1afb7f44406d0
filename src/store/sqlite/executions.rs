//! Journals and heads.

use sqlx::{Error, Row, SqliteConnection};

use super::failure::failed;
use super::rows::{column, counter, entry, head, select_heads, verdict_word};
use super::{SqliteStore, locks, outbox};
use crate::model::ids::ExecutionId;
use crate::store::append::entries_before;
use crate::store::{
    Accepted, Append, Entry, Head, IdempotencyKey, Lease, NewExecution, StoreError,
};

const ACCEPTING: &str = "accepting an execution";
const APPENDING: &str = "appending to a journal";
const READING: &str = "reading an execution";
const FORGETTING: &str = "forgetting executions";

impl SqliteStore {
    pub(super) async fn accept_one(&self, new: &NewExecution) -> Result<Accepted, StoreError> {
        entries_before(std::slice::from_ref(&new.first), &new.head)?;
        let mut transaction = self.write(ACCEPTING).await?;
        if let Some(key) = &new.idempotency
            && let Some(id) = started_by(&mut transaction, key).await?
        {
            return Ok(Accepted::Before(id));
        }
        let known = standing(&mut transaction, &new.head.id).await;
        if known.map_err(failed(ACCEPTING))?.is_some() {
            return Err(StoreError::Exists {
                what: "execution",
                id: new.head.id.to_string(),
            });
        }
        insert(&mut transaction, new)
            .await
            .map_err(failed(ACCEPTING))?;
        transaction.commit().await.map_err(failed(ACCEPTING))?;
        Ok(Accepted::New)
    }

    pub(super) async fn append_all(&self, append: Append<'_>) -> Result<(), StoreError> {
        let expected = append.entries_before()?;
        let head = append.head;
        let mut transaction = self.write(APPENDING).await?;
        let before = standing(&mut transaction, &head.id).await;
        let Some(before) = before.map_err(failed(APPENDING))? else {
            return Err(StoreError::NotFound {
                what: "execution",
                id: head.id.to_string(),
            });
        };
        if append
            .lease
            .is_some_and(|lease| !before.is_held_by(lease, head))
        {
            return Err(StoreError::LostLease(head.id.clone()));
        }
        if before.seq != expected {
            return Err(StoreError::Conflict {
                id: head.id.clone(),
                found: before.seq,
                expected,
            });
        }
        let lost = locks::first_lost(&mut transaction, &head.id, append.locks).await;
        if let Some((name, owner)) = lost.map_err(failed(APPENDING))? {
            return Err(StoreError::LostLock { name, owner });
        }
        let replaced = replace(&mut transaction, append, &before).await;
        replaced.map_err(failed(APPENDING))?;
        transaction.commit().await.map_err(failed(APPENDING))
    }

    pub(super) async fn entries_after(
        &self,
        id: &ExecutionId,
        after: u64,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, at_ms, body FROM journal WHERE execution = $1 AND seq > $2 ORDER BY seq",
        )
        .bind(id.as_str())
        .bind(column(after))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(READING))?;
        let entries: Result<_, Error> = rows.iter().map(entry).collect();
        entries.map_err(failed(READING))
    }

    pub(super) async fn head_of(&self, id: &ExecutionId) -> Result<Option<Head>, StoreError> {
        let row = sqlx::query(select_heads!("FROM execution WHERE id = $1"))
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(READING))?;
        let head = row.as_ref().map(head).transpose();
        head.map_err(failed(READING))
    }

    pub(super) async fn key_known(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<ExecutionId>, StoreError> {
        let reader = self.readers.acquire().await;
        let mut reader = reader.map_err(failed("looking up an idempotency key"))?;
        started_by(&mut reader, key).await
    }

    pub(super) async fn list_expired(
        &self,
        ended_before_ms: i64,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Head>, StoreError> {
        const DOING: &str = "looking for executions to forget";
        let rows = sqlx::query(select_heads!(
            "FROM execution WHERE ended_ms < $1 ORDER BY ended_ms, id LIMIT $2 OFFSET $3"
        ))
        .bind(ended_before_ms)
        .bind(column(most))
        .bind(column(skip))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(DOING))?;
        let heads: Result<Vec<Head>, Error> = rows.iter().map(head).collect();
        heads.map_err(failed(DOING))
    }

    pub(super) async fn forget_ended(&self, ids: &[ExecutionId]) -> Result<Vec<Head>, StoreError> {
        let mut transaction = self.write(FORGETTING).await?;
        let gone = delete(&mut transaction, ids).await;
        let gone = gone.map_err(failed(FORGETTING))?;
        transaction.commit().await.map_err(failed(FORGETTING))?;
        Ok(gone)
    }
}

async fn started_by(
    connection: &mut SqliteConnection,
    key: &IdempotencyKey,
) -> Result<Option<ExecutionId>, StoreError> {
    const DOING: &str = "looking up an idempotency key";
    let row = sqlx::query("SELECT fingerprint, execution FROM idempotency WHERE key = $1")
        .bind(&key.key)
        .fetch_optional(connection)
        .await
        .map_err(failed(DOING))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let text = |name: &str| row.try_get::<String, _>(name).map_err(failed(DOING));
    if text("fingerprint")? == key.fingerprint {
        Ok(Some(ExecutionId::new(text("execution")?)))
    } else {
        Err(StoreError::KeyReused(key.key.clone()))
    }
}

/// What a writer must know of an execution before it writes.
struct Standing {
    seq: u64,
    kind: String,
    status: String,
    fencing: u64,
    worker: Option<String>,
}

impl Standing {
    fn is_held_by(&self, lease: &Lease, head: &Head) -> bool {
        lease.id == head.id
            && self.fencing == lease.fencing
            && self.worker.as_ref() == Some(&lease.worker)
    }
}

async fn standing(
    connection: &mut SqliteConnection,
    id: &ExecutionId,
) -> Result<Option<Standing>, Error> {
    let row =
        sqlx::query("SELECT seq, kind, status, fencing, lease_worker FROM execution WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(connection)
            .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Standing {
        seq: counter(&row, "seq")?,
        kind: row.try_get("kind")?,
        status: row.try_get("status")?,
        fencing: counter(&row, "fencing")?,
        worker: row.try_get("lease_worker")?,
    }))
}

async fn insert(connection: &mut SqliteConnection, new: &NewExecution) -> Result<(), Error> {
    let head = &new.head;
    sqlx::query(
        "INSERT INTO execution (id, kind, application, status, seq, created_ms, updated_ms, ended_ms, due_ms, \
         verdict, score, config_name, sentence, fencing) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)",
    )
    .bind(head.id.as_str())
    .bind(&head.kind)
    .bind(&head.application)
    .bind(&head.status)
    .bind(column(head.seq))
    .bind(head.created_ms)
    .bind(head.updated_ms)
    .bind(head.ended_ms)
    .bind(head.due_ms)
    .bind(head.verdict.map(verdict_word))
    .bind(head.score)
    .bind(&head.config_name)
    .bind(&head.sentence)
    .execute(&mut *connection)
    .await?;
    insert_entries(connection, &head.id, std::slice::from_ref(&new.first)).await?;
    if let Some(IdempotencyKey { key, fingerprint }) = &new.idempotency {
        sqlx::query("INSERT INTO idempotency (key, fingerprint, execution) VALUES ($1, $2, $3)")
            .bind(key)
            .bind(fingerprint)
            .bind(head.id.as_str())
            .execute(&mut *connection)
            .await?;
    }
    count_in(connection, &head.kind, &head.status).await
}

/// Whether there is such an execution, and it has not ended.
pub(super) async fn has_not_ended(
    connection: &mut SqliteConnection,
    id: &ExecutionId,
) -> Result<bool, Error> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM execution WHERE id = $1 AND ended_ms IS NULL")
            .bind(id.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

async fn replace(
    connection: &mut SqliteConnection,
    append: Append<'_>,
    before: &Standing,
) -> Result<(), Error> {
    let head = append.head;
    insert_entries(connection, &head.id, append.entries).await?;
    outbox::put(connection, append.messages).await?;
    if head.ended_ms.is_some() {
        locks::free(connection, &head.id).await?;
    }
    sqlx::query(
        "UPDATE execution SET kind = $2, application = $3, status = $4, seq = $5, created_ms = $6, updated_ms = $7, \
         ended_ms = $8, due_ms = $9, verdict = $10, score = $11, config_name = $12, sentence = $13 WHERE id = $1",
    )
    .bind(head.id.as_str())
    .bind(&head.kind)
    .bind(&head.application)
    .bind(&head.status)
    .bind(column(head.seq))
    .bind(head.created_ms)
    .bind(head.updated_ms)
    .bind(head.ended_ms)
    .bind(head.due_ms)
    .bind(head.verdict.map(verdict_word))
    .bind(head.score)
    .bind(&head.config_name)
    .bind(&head.sentence)
    .execute(&mut *connection)
    .await?;
    if (&before.kind, &before.status) != (&head.kind, &head.status) {
        count_out(connection, &before.kind, &before.status).await?;
        count_in(connection, &head.kind, &head.status).await?;
    }
    Ok(())
}

async fn insert_entries(
    connection: &mut SqliteConnection,
    id: &ExecutionId,
    entries: &[Entry],
) -> Result<(), Error> {
    for entry in entries {
        sqlx::query("INSERT INTO journal (execution, seq, at_ms, body) VALUES ($1, $2, $3, $4)")
            .bind(id.as_str())
            .bind(column(entry.seq))
            .bind(entry.at_ms)
            .bind(&entry.body)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    ids: &[ExecutionId],
) -> Result<Vec<Head>, Error> {
    let mut gone = Vec::new();
    for id in ids {
        let row = sqlx::query(select_heads!(
            "FROM execution WHERE id = $1 AND ended_ms IS NOT NULL"
        ))
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(head) = row.as_ref().map(head).transpose()? else {
            continue;
        };
        outbox::forget(connection, id).await?;
        // Journal and key go with it, and its locks are free.
        sqlx::query("DELETE FROM execution WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *connection)
            .await?;
        count_out(connection, &head.kind, &head.status).await?;
        gone.push(head);
    }
    Ok(gone)
}

async fn count_in(
    connection: &mut SqliteConnection,
    kind: &str,
    status: &str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO tally (kind, status, amount) VALUES ($1, $2, 1) \
         ON CONFLICT (kind, status) DO UPDATE SET amount = tally.amount + 1",
    )
    .bind(kind)
    .bind(status)
    .execute(connection)
    .await
    .map(drop)
}

/// A pair of words that no execution has leaves the table, so that lists need not ask for it.
async fn count_out(
    connection: &mut SqliteConnection,
    kind: &str,
    status: &str,
) -> Result<(), Error> {
    for statement in [
        "UPDATE tally SET amount = amount - 1 WHERE kind = $1 AND status = $2",
        "DELETE FROM tally WHERE kind = $1 AND status = $2 AND amount <= 0",
    ] {
        sqlx::query(statement)
            .bind(kind)
            .bind(status)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
