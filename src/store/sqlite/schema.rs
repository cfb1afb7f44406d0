//! The schema and its versions.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

use super::failure::failed;
use crate::store::{StoreError, Unusable};

/// Each version with its name and what leads to it. What stands here is never changed: a database remembers its hash.
const VERSIONS: [(i64, &str, &str); 2] = [
    (
        1,
        "executions and documents",
        include_str!("../migrations/0001_executions_and_documents.sql"),
    ),
    (
        2,
        "locks and messages",
        include_str!("../migrations/0002_locks_and_messages.sql"),
    ),
];

const DOING: &str = "opening the database";

fn newest() -> i64 {
    VERSIONS
        .iter()
        .map(|(version, ..)| *version)
        .max()
        .unwrap_or(0)
}

/// Looks at what is there before anything is changed; then makes the schema or brings it up to date, and switches the
/// write-ahead log on.
pub(super) async fn bring_up(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    recognise(connection).await?;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed(DOING))?;
    if mode != "wal" {
        return Err(unusable(Unusable::NoLog(mode)));
    }
    let migrations = VERSIONS.iter().map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(
            *version,
            Cow::Borrowed(name),
            kind,
            sql.into_sql_str(),
            false,
        )
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(failed(DOING)(error))
        }
        Err(error) => Err(unusable(Unusable::Foreign(error.to_string()))),
    }
}

/// Looks whether the schema is the newest one. Changes nothing.
pub(super) async fn is_present(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    match recognise(connection).await? {
        Some(found) if found == newest() => Ok(()),
        found => Err(unusable(Unusable::Older {
            found: found.unwrap_or(0),
            expected: newest(),
        })),
    }
}

/// The version of the schema that is there; `None` for an empty database.
async fn recognise(connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut *connection)
            .await
            .map_err(failed(DOING))?;
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|name| name == "_sqlx_migrations") {
        let found = format!("tables {tables:?} and no versions of a schema");
        return Err(unusable(Unusable::Foreign(found)));
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await
        .map_err(failed(DOING))?;
    match found {
        Some(found) if found > newest() => Err(unusable(Unusable::Newer {
            found,
            expected: newest(),
        })),
        Some(_) | None => Ok(found),
    }
}

fn unusable(why: Unusable) -> StoreError {
    StoreError::Broken {
        doing: DOING,
        cause: Box::new(why),
    }
}
