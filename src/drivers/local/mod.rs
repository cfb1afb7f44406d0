//! Server groups of processes of this machine, behind a loopback proxy that parts the traffic. A process of its own, the
//! supervisor, holds them: it outlives the service, and the next service finds it by its folder. The driver starts it where
//! none answers, and never touches a process itself.

mod client;
mod environment;
mod folder;
mod state;
pub mod supervisor;
mod wire;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use self::client::Unanswered;
use self::folder::Folder;
use self::state::Saved;
use super::{Abilities, Driver, DriverError, Fencing, Owned, Progress, Remedy};
use crate::clock::{Clock as _, SystemClock};
use crate::model::ids::InstallationId;
use crate::model::release::cluster::{Place, View};
use crate::model::release::operation::{OpId, Operation};

/// Longest time until a supervisor that was started answers.
const START: Duration = Duration::from_secs(15);
/// How long a supervisor stays with nothing to hold, unless the account says otherwise.
const GRACE: Duration = Duration::from_secs(60);
/// From one look whether it answers to the next.
const LOOK: Duration = Duration::from_millis(20);
/// How long after one that ended at once the next is started.
const START_AGAIN: Duration = Duration::from_millis(200);
/// As much of the supervisor's log as an error tells.
const LOG_LINES: usize = 5;

/// An account of this machine: all that one supervisor holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAccount {
    /// The folder of its supervisor; made where it is absent.
    pub dir: PathBuf,
    /// The program that is started as supervisor: this one.
    pub program: PathBuf,
    /// How long the supervisor stays when it holds no group any more.
    pub grace: Duration,
    /// Whose mark the groups get that are made; `None` for who makes none.
    pub installation: Option<InstallationId>,
    /// Whether a supervisor is started where none answers; without it, what a dead one held is out of reach.
    pub starts: bool,
}

impl LocalAccount {
    /// An account whose supervisor stays for a minute when there is nothing left to hold.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, program: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            program: program.into(),
            grace: GRACE,
            installation: None,
            starts: true,
        }
    }
}

/// The driver of one account.
#[derive(Debug)]
pub struct LocalDriver {
    account: LocalAccount,
    /// Held while a supervisor is started, so that one driver starts one at a time.
    starting: Mutex<()>,
}

impl LocalDriver {
    /// Does nothing yet: the supervisor is started by the first call that needs it.
    #[must_use]
    pub fn new(account: LocalAccount) -> Self {
        Self {
            account,
            starting: Mutex::new(()),
        }
    }

    /// Ends everything that the account's supervisor holds, production too, and then the supervisor; waits for that. Nothing to
    /// end is fine.
    ///
    /// # Errors
    /// It does not answer, or does not end within `longest`.
    pub async fn stop(&self, longest: Duration) -> Result<(), DriverError> {
        let folder = self.folder()?;
        let deadline = Instant::now() + longest;
        let mut asked: Option<Option<serde_json::Value>> = None;
        loop {
            if asked.is_none() {
                asked = Some(self.ask_if_any(wire::STOP, &()).await?);
            }
            match client::ask::<wire::Hello>(&folder.socket(), wire::HELLO, b"null").await {
                Err(Unanswered::Nobody) if !is_held(&folder) => return Ok(()),
                Ok(_) | Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Ok(_) | Err(_) => {
                    return Err(DriverError::new(
                        Remedy::Retry,
                        format!(
                            "the supervisor of `{}` has not ended within {} ms",
                            folder.path().display(),
                            longest.as_millis()
                        ),
                    ));
                }
            }
        }
    }

    fn folder(&self) -> Result<Folder, DriverError> {
        Folder::open(&self.account.dir).map_err(|cause| DriverError {
            cause: Some(cause.into()),
            ..DriverError::new(
                Remedy::Retry,
                format!("cannot use the folder `{}`", self.account.dir.display()),
            )
        })
    }

    /// The answer; `None` where no supervisor runs and none is needed, because nothing is held.
    async fn ask_if_any<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Option<A>, DriverError> {
        let folder = self.folder()?;
        let bytes = bytes(body)?;
        match client::ask(&folder.socket(), path, &bytes).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(Unanswered::Error(error)) => return Err(error),
            Err(Unanswered::Nobody) => {}
        }
        let saved = Saved::read(&folder).map_err(|cause| DriverError {
            cause: Some(cause.into()),
            ..DriverError::new(Remedy::Retry, "cannot read what the last supervisor held")
        })?;
        if saved.holds_anything() || is_held(&folder) {
            self.start_and_ask(&folder, path, &bytes).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Asks until it is answered, and starts a supervisor where there is none.
    async fn start_and_ask<A: DeserializeOwned>(
        &self,
        folder: &Folder,
        path: &str,
        body: &[u8],
    ) -> Result<A, DriverError> {
        if !self.account.starts {
            return Err(DriverError::new(
                Remedy::Retry,
                format!("no supervisor holds `{}` now", folder.path().display()),
            ));
        }
        let _one = self.starting.lock().await;
        let deadline = Instant::now() + START;
        let mut started: Option<(Child, Instant)> = None;
        loop {
            match client::ask(&folder.socket(), path, body).await {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Error(error)) => return Err(error),
                Err(Unanswered::Nobody) => {}
            }
            if Instant::now() > deadline {
                return Err(not_started(folder, None));
            }
            let again = match &mut started {
                None => true,
                // It ended: another one has the folder and does not answer yet, or it cannot run.
                Some((child, at)) => {
                    matches!(child.try_wait(), Ok(Some(_))) && at.elapsed() > START_AGAIN
                }
            };
            if again {
                let child = self
                    .start(folder)
                    .map_err(|cause| not_started(folder, Some(cause)))?;
                started = Some((child, Instant::now()));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn start(&self, folder: &Folder) -> io::Result<Child> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.log())?;
        Command::new(&self.account.program)
            .arg("supervise")
            .arg("--dir")
            .arg(folder.path())
            .arg("--grace-ms")
            .arg(self.account.grace.as_millis().to_string())
            .env_clear()
            .envs(environment::passed_on())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(false)
            .spawn()
    }
}

/// Whether a supervisor has the folder, listening or not.
fn is_held(folder: &Folder) -> bool {
    let lock = OpenOptions::new().write(true).open(folder.lock());
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn not_started(folder: &Folder, cause: Option<io::Error>) -> DriverError {
    let log = fs::read_to_string(folder.log()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("; ");
    let told = if last.is_empty() || cause.is_some() {
        String::new()
    } else {
        format!("; its log ends with: {last}")
    };
    DriverError {
        hint: Some(format!("its log is `{}`", folder.log().display())),
        cause: cause.map(Into::into),
        ..DriverError::new(
            Remedy::Retry,
            format!("cannot start the supervisor of local server groups{told}"),
        )
    }
}

fn bytes(body: &impl Serialize) -> Result<Vec<u8>, DriverError> {
    serde_json::to_vec(body).map_err(|cause| DriverError {
        cause: Some(cause.into()),
        ..DriverError::new(Remedy::GiveUp, "cannot write the operation as JSON")
    })
}

#[async_trait]
impl Driver for LocalDriver {
    fn abilities(&self) -> Abilities {
        Abilities {
            shares: true,
            scaling: false,
            native_rollout: false,
        }
    }

    async fn observe(&self, place: &Place) -> Result<View, DriverError> {
        let view = self.ask_if_any(wire::OBSERVE, place).await?;
        Ok(view.unwrap_or_else(|| View {
            place: place.clone(),
            groups: Vec::new(),
            router: None,
            fencing: 0,
            observed_ms: SystemClock.now_ms(),
        }))
    }

    async fn apply(
        &self,
        operation: &Operation,
        id: &OpId,
        fencing: Fencing,
    ) -> Result<(), DriverError> {
        let folder = self.folder()?;
        let body = bytes(&wire::Apply {
            operation: operation.clone(),
            id: id.clone(),
            fencing,
            installation: self.account.installation.clone(),
        })?;
        match client::ask(&folder.socket(), wire::APPLY, &body).await {
            Ok(()) => Ok(()),
            Err(Unanswered::Error(error)) => Err(error),
            Err(Unanswered::Nobody) => self.start_and_ask(&folder, wire::APPLY, &body).await,
        }
    }

    async fn check(&self, operation: &Operation, id: &OpId) -> Result<Progress, DriverError> {
        let body = wire::Check {
            operation: operation.clone(),
            id: id.clone(),
        };
        let progress = self.ask_if_any(wire::CHECK, &body).await?;
        Ok(progress.unwrap_or_else(|| supervisor::progress_of_nothing(&operation.change)))
    }

    async fn find_owned(&self) -> Result<Vec<Owned>, DriverError> {
        let owned = self.ask_if_any(wire::OWNED, &()).await?;
        Ok(owned.unwrap_or_default())
    }
}
