//! What SQLite's errors mean to those who called.

use sqlx::Error;

use crate::store::{StoreError, Unusable};

/// Results of SQLite that pass: busy, locked, out of memory, read-only, interrupted, input or output, full, cannot open, protocol.
const PASSING: [i32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];

/// Results that mean that the file is not what was written: corrupt, not a database.
const DAMAGED: [i32; 2] = [11, 26];

/// The primary result code, <https://www.sqlite.org/rescode.html>; `None` for what did not come from SQLite.
pub(super) fn result_code(error: &Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Tells what was being done.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(Error) -> StoreError {
    move |error| match result_code(&error) {
        Some(code) if DAMAGED.contains(&code) => StoreError::Broken {
            doing,
            cause: Box::new(Unusable::Damaged(error.to_string())),
        },
        Some(code) if PASSING.contains(&code) => unavailable(doing, error),
        Some(_) => broken(doing, error),
        None if is_of_the_pool(&error) => unavailable(doing, error),
        None => broken(doing, error),
    }
}

fn is_of_the_pool(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed
    )
}

fn unavailable(doing: &'static str, error: Error) -> StoreError {
    StoreError::Unavailable {
        doing,
        cause: Box::new(error),
    }
}

fn broken(doing: &'static str, error: Error) -> StoreError {
    StoreError::Broken {
        doing,
        cause: Box::new(error),
    }
}
