//! The process that holds the server groups of one folder. It is started detached and lives as long as there is something to
//! hold; when it is killed, the next one takes over the processes that run still, and opens the proxies at their addresses.

mod check;
mod core;
mod counts;
mod expire;
mod files;
mod health;
mod instances;
mod keeper;
mod operate;
mod output;
pub(super) mod process;
mod proxy;
mod routing;
mod seat;
mod seldom;
mod serve;
mod view;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use self::core::Core;
use self::files::Files;
use super::folder::{Folder, write_whole};
use super::state::Saved;
use crate::clock::{Clock as _, SystemClock};

pub(super) use self::check::progress_of_nothing;

/// How long answers to drivers may take when the supervisor ends.
const GRACE: Duration = Duration::from_secs(5);

/// What a supervisor is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its folder.
    pub dir: PathBuf,
    /// How long it stays when it holds no group any more.
    pub grace: Duration,
}

/// How a supervisor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another one has the folder.
    Held,
    /// There was nothing left to hold.
    Idle,
    /// A signal told it to. What it held runs on, without proxy, until the next one takes over.
    Told,
}

/// The supervisor's parts that tasks share.
#[derive(Debug)]
pub(in crate::drivers::local) struct Supervisor {
    core: Mutex<Core>,
    /// There is something to do.
    wake: Arc<Notify>,
    stop: CancellationToken,
    /// What every process of ours has in its environment.
    mark: String,
    grace: Duration,
}

impl Supervisor {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms()
    }
}

/// Holds the folder's server groups until there are none, or until SIGTERM or SIGINT. Leaves the session that it was started
/// in.
///
/// # Errors
/// The folder cannot be used, or what is kept there cannot be read.
pub fn run(settings: &Settings) -> io::Result<Ended> {
    // One that is the leader of its group already, as when a shell started it, cannot and need not.
    let _ = rustix::process::setsid();
    let folder = Folder::open(&settings.dir)?;
    let Some(lock) = lock(&folder)? else {
        return Ok(Ended::Held);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(hold(&folder, settings.grace));
    runtime.shutdown_timeout(Duration::from_millis(100));
    drop(lock);
    ended
}

/// The lock; `None` where another one has it. It is held as long as the file is open, and so as long as the process lives.
fn lock(folder: &Folder) -> io::Result<Option<File>> {
    let mut lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.lock())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // For people only.
    lock.set_len(0)?;
    writeln!(lock, "{}", std::process::id())?;
    Ok(Some(lock))
}

async fn hold(folder: &Folder, grace: Duration) -> io::Result<Ended> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    if folder.log().exists() {
        output::keep_short(&folder.log())?;
    }
    std::fs::create_dir_all(folder.outputs())?;
    let mark = mark(folder)?;
    let mut core = Core::new(folder.clone(), Saved::read(folder)?, Files::raise());
    let adopted = instances::adopt(&mut core, &mark);
    open_routers(&mut core).await;
    let socket = folder.make_socket_path()?;
    let listener = serve::listen(&socket)?;
    tracing::info!(
        adopted,
        "holds the server groups of `{}`",
        folder.path().display()
    );
    let supervisor = Arc::new(Supervisor {
        core: Mutex::new(core),
        wake: Arc::new(Notify::new()),
        stop: CancellationToken::new(),
        mark,
        grace,
    });
    let stop = supervisor.stop.clone();
    let served = tokio::spawn({
        let stop = stop.clone();
        let router = serve::router(Arc::clone(&supervisor));
        async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await
        }
    });
    let keeper = tokio::spawn(Arc::clone(&supervisor).keep());
    let ended = tokio::select! {
        () = stop.cancelled() => Ended::Idle,
        _ = terminate.recv() => Ended::Told,
        _ = interrupt.recv() => Ended::Told,
    };
    stop.cancel();
    let mut core = supervisor.core.lock().await;
    core.ending = true;
    // Whoever comes now finds nobody, and waits for the lock.
    let _ = std::fs::remove_file(&socket);
    if socket.parent() != Some(folder.path())
        && let Some(parent) = socket.parent()
    {
        let _ = std::fs::remove_dir(parent);
    }
    let proxies = core.close_all();
    drop(core);
    // Both end by themselves; a driver that holds a connection must not keep them.
    let _ = tokio::time::timeout(GRACE, served).await;
    let _ = keeper.await;
    for proxy in proxies {
        let _ = proxy.await;
    }
    tracing::info!("ends: {ended:?}");
    Ok(ended)
}

/// The mark of this folder; made once.
fn mark(folder: &Folder) -> io::Result<String> {
    match std::fs::read_to_string(folder.mark()) {
        Ok(mark) if !mark.trim().is_empty() => Ok(mark.trim().to_owned()),
        Ok(_) => make_mark(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_mark(folder),
        Err(error) => Err(error),
    }
}

fn make_mark(folder: &Folder) -> io::Result<String> {
    let mark = keeper::new_token();
    write_whole(&folder.mark(), mark.as_bytes())?;
    Ok(mark)
}

/// Opens the routers that were open. One whose port somebody else has by now is tried again later.
async fn open_routers(core: &mut Core) {
    let routers: Vec<_> = core
        .saved
        .places
        .iter()
        .filter_map(|place| Some((place.place.clone(), place.router.as_ref()?.address)))
        .collect();
    for (place, address) in routers {
        match TcpListener::bind(address).await {
            Ok(listener) => core.open(&place, listener),
            Err(error) => {
                tracing::error!("the router of {place} cannot listen at {address}: {error}");
            }
        }
    }
}
