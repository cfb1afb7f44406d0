//! Messages.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::SqliteStore;
use super::failure::failed;
use super::rows::{column, counter};
use crate::model::ids::ExecutionId;
use crate::store::{DueMessage, Message, MessageStanding, MessageState, StoreError};

const LOOKING: &str = "looking for messages to send";
const READING: &str = "reading the messages of an execution";
const SETTLING: &str = "keeping what became of a message";

/// A query for what [`state`] reads, from here on.
macro_rules! select_messages {
    ($from:literal) => {
        concat!(
            "SELECT key, execution, channel, body, created_ms, attempts, due_ms, delivered_ms, given_up_ms, error ",
            $from
        )
    };
}

impl SqliteStore {
    pub(super) async fn list_due(
        &self,
        now_ms: i64,
        most: u64,
    ) -> Result<Vec<DueMessage>, StoreError> {
        let rows = sqlx::query(select_messages!(
            "FROM message WHERE due_ms <= $1 ORDER BY due_ms, key LIMIT $2"
        ))
        .bind(now_ms)
        .bind(column(most))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(LOOKING))?;
        let due = rows.iter().map(|row| {
            Ok(DueMessage {
                message: message(row)?,
                attempts: counter(row, "attempts")?,
                due_ms: row.try_get("due_ms")?,
            })
        });
        due.collect::<Result<_, Error>>().map_err(failed(LOOKING))
    }

    pub(super) async fn messages_of(
        &self,
        execution: &ExecutionId,
    ) -> Result<Vec<MessageState>, StoreError> {
        let rows = sqlx::query(select_messages!(
            "FROM message WHERE execution = $1 ORDER BY created_ms, key"
        ))
        .bind(execution.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(failed(READING))?;
        let states: Result<_, Error> = rows.iter().map(state).collect();
        states.map_err(failed(READING))
    }

    /// What a try came to; only of a message that waits.
    pub(super) async fn tried(
        &self,
        key: &str,
        standing: MessageStanding,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(SETTLING).await?;
        let settled = settle(&mut transaction, key, standing, error).await;
        settled.map_err(failed(SETTLING))?;
        transaction.commit().await.map_err(failed(SETTLING))
    }
}

/// A key that is there already changes nothing.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    messages: &[Message],
) -> Result<(), Error> {
    for message in messages {
        sqlx::query(
            "INSERT INTO message (key, execution, channel, body, created_ms, attempts, due_ms, error) \
             VALUES ($1, $2, $3, $4, $5, 0, $5, '') ON CONFLICT (key) DO NOTHING",
        )
        .bind(&message.key)
        .bind(message.execution.as_str())
        .bind(&message.channel)
        .bind(&message.body)
        .bind(message.created_ms)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Removes what is settled; what waits stays.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    execution: &ExecutionId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM message WHERE execution = $1 AND due_ms IS NULL")
        .bind(execution.as_str())
        .execute(connection)
        .await
        .map(drop)
}

async fn settle(
    connection: &mut SqliteConnection,
    key: &str,
    standing: MessageStanding,
    error: Option<&str>,
) -> Result<(), Error> {
    let (due_ms, delivered_ms, given_up_ms) = match standing {
        MessageStanding::Waiting { due_ms } => (Some(due_ms), None, None),
        MessageStanding::Delivered { at_ms } => (None, Some(at_ms), None),
        MessageStanding::GivenUp { at_ms } => (None, None, Some(at_ms)),
    };
    sqlx::query(
        "UPDATE message SET attempts = attempts + 1, due_ms = $2, delivered_ms = $3, given_up_ms = $4, \
         error = COALESCE($5, error) WHERE key = $1 AND due_ms IS NOT NULL",
    )
    .bind(key)
    .bind(due_ms)
    .bind(delivered_ms)
    .bind(given_up_ms)
    .bind(error)
    .execute(&mut *connection)
    .await?;
    // The execution was forgotten before this was settled.
    sqlx::query(
        "DELETE FROM message WHERE key = $1 AND due_ms IS NULL \
         AND NOT EXISTS (SELECT 1 FROM execution WHERE execution.id = message.execution)",
    )
    .bind(key)
    .execute(connection)
    .await
    .map(drop)
}

fn message(row: &SqliteRow) -> Result<Message, Error> {
    Ok(Message {
        key: row.try_get("key")?,
        execution: ExecutionId::new(row.try_get::<String, _>("execution")?),
        channel: row.try_get("channel")?,
        body: row.try_get("body")?,
        created_ms: row.try_get("created_ms")?,
    })
}

fn state(row: &SqliteRow) -> Result<MessageState, Error> {
    let times: [Option<i64>; 3] = [
        row.try_get("due_ms")?,
        row.try_get("delivered_ms")?,
        row.try_get("given_up_ms")?,
    ];
    let standing = match times {
        [Some(due_ms), None, None] => MessageStanding::Waiting { due_ms },
        [None, Some(at_ms), None] => MessageStanding::Delivered { at_ms },
        [None, None, Some(at_ms)] => MessageStanding::GivenUp { at_ms },
        other => {
            return Err(Error::Decode(
                format!(
                    "found the times {other:?}; expected exactly one of due, delivered and given up"
                )
                .into(),
            ));
        }
    };
    Ok(MessageState {
        message: message(row)?,
        attempts: counter(row, "attempts")?,
        standing,
        error: row.try_get("error")?,
    })
}
