//! Local accounts without a service, for verbs of the command line: hold one, see what it holds, end it.

use std::path::Path;
use std::time::Duration;

use super::AppError;
use super::serve::system;
use crate::drivers::local::supervisor::{self, Ended, Settings};
use crate::drivers::local::{LocalAccount, LocalDriver};
use crate::drivers::{Driver as _, DriverError};

/// Holds the server groups of a folder until it is told to end, or there has been none for `grace`; `false` where another
/// supervisor has the folder.
///
/// # Errors
/// The folder is not to be had.
pub fn supervise(dir: &Path, grace: Duration) -> Result<bool, AppError> {
    let ended = supervisor::run(&Settings {
        dir: dir.to_path_buf(),
        grace,
    });
    match ended.map_err(system("hold the server groups"))? {
        Ended::Idle | Ended::Told => Ok(true),
        Ended::Held => Ok(false),
    }
}

/// What the account of a folder holds, one line each: server group, place and role.
///
/// # Errors
/// Its supervisor does not answer.
pub async fn held(dir: &Path) -> Result<Vec<String>, AppError> {
    let owned = driver(dir)?.find_owned().await.map_err(away)?;
    let lines = owned
        .iter()
        .map(|it| format!("{} in {} ({})", it.group, it.place, it.role.word()));
    Ok(lines.collect())
}

/// Ends everything that the account of a folder holds, production too, and its supervisor; waits for that, `longest` at most.
///
/// # Errors
/// The supervisor does not answer, or takes too long.
pub async fn end(dir: &Path, longest: Duration) -> Result<(), AppError> {
    driver(dir)?.stop(longest).await.map_err(away)
}

fn driver(dir: &Path) -> Result<LocalDriver, AppError> {
    let program = std::env::current_exe().map_err(system("find this program"))?;
    Ok(LocalDriver::new(LocalAccount::new(dir, program)))
}

fn away(error: DriverError) -> AppError {
    AppError::Driver(error)
}
