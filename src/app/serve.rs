//! The life of a server: open, work, stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::background::Background;
use super::made_token::MadeToken;
use super::whereabouts::Whereabouts;
use super::{AppError, accounts, collector, notify, releases, token};
use crate::analysis::collect::{Heard, Listener};
use crate::analysis::judge_run::Analysis;
use crate::api::edge::guard::Access;
use crate::api::edge::{self, listener};
use crate::api::own::OwnState;
use crate::api::own::health::Health;
use crate::api::{ApiSettings, ApiState};
use crate::archive::folder::FolderArchive;
use crate::clock::{Clock, SystemClock};
use crate::config::server::secret::SecretPlace;
use crate::config::server::{EngineUse, ServerConfig};
use crate::executions::engine::{Engine, Ports, with_causes};
use crate::executions::reaper::{Reaper, ReaperSettings};
use crate::executions::release::office::Office;
use crate::executions::retention::Retention;
use crate::executions::service::{Executions, Limits, Ulids};
use crate::executions::watch;
use crate::executions::worker::{Worker, WorkerSettings};
use crate::notify::outbox::{Outbox, Settings};
use crate::store::Store as _;
use crate::store::data_dir::{self, DataDir};
use crate::store::sqlite::SqliteStore;
use crate::telemetry;

/// How often old samples of histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. `ready` is called once, with the address, when requests are answered.
///
/// # Errors
/// Why the server cannot start.
pub fn serve(
    config: &ServerConfig,
    ready: &mut (dyn FnMut(SocketAddr) + Send),
) -> Result<(), AppError> {
    telemetry::log(config.log_format, config.log_level);
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(system("start threads"))?;
    let outcome = runtime.block_on(async {
        // Before anything is touched: who stops a server that starts must not be missed.
        let stop = CancellationToken::new();
        let signals = tokio::spawn(signals(
            signal(SignalKind::terminate()).map_err(system("listen for signals"))?,
            signal(SignalKind::interrupt()).map_err(system("listen for signals"))?,
            stop.clone(),
        ));
        let mut ready = |up: Up| ready(up.address);
        let outcome = run(config, Mode::Service, &mut ready, stop).await.map(drop);
        signals.abort();
        outcome
    });
    // What blocks a thread by now (a judge at work) has nobody left to wait for it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

pub(super) fn system<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    doing: &'static str,
) -> impl FnOnce(E) -> AppError {
    move |cause| AppError::System {
        doing,
        cause: cause.into(),
    }
}

/// For whom a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// For everybody.
    Service,
    /// For one command. Requests carry a token that is made where the config has none.
    Own(EngineUse),
}

/// A server that answers.
struct Up {
    address: SocketAddr,
    token: Option<String>,
    folder: PathBuf,
}

/// Serves until `stop`; what was left undone, one sentence each.
async fn run(
    config: &ServerConfig,
    mode: Mode,
    ready: &mut (dyn FnMut(Up) + Send),
    stop: CancellationToken,
) -> Result<Vec<String>, AppError> {
    let metrics = telemetry::metrics().map_err(system("begin to count"))?;
    let mut token = token(config)?;
    let mut token_file = match &config.token {
        Some(SecretPlace::File(path)) => Some(path.clone()),
        Some(SecretPlace::Environment(_)) | None => None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sources = accounts::sources(config, &clock)?;
    let channels = notify::channels(&config.notify)?;

    let folder = super::data_dir(config)?;
    // Who only looks leaves the folder to whoever comes to serve it.
    let looks = mode == Mode::Own(EngineUse::Look);
    let held = match looks {
        true => None,
        false => Some(DataDir::open(&folder)?),
    };
    if held.is_some() {
        // The folder is ours: what somebody who was killed left in it leads nobody to us, nor us to a stranger.
        Whereabouts::forget(&folder);
    }
    let made = match (mode, &token) {
        (Mode::Own(_), None) => {
            let made = MadeToken::make(held.as_ref().map(DataDir::path));
            Some(made.map_err(system("write a token into the data folder"))?)
        }
        (Mode::Own(_), Some(_)) | (Mode::Service, _) => None,
    };
    if let Some(made) = &made {
        token = Some(made.token.clone());
        token_file.clone_from(&made.path);
    }
    let (store, archive) = match looks {
        true => (
            SqliteStore::open_to_read(&data_dir::database(&folder)).await?,
            FolderArchive::to_read(&data_dir::archive(&folder)),
        ),
        false => (
            SqliteStore::open(&data_dir::database(&folder)).await?,
            FolderArchive::open(&data_dir::archive(&folder))?,
        ),
    };
    let store = Arc::new(store);
    if held.is_some() {
        // Nobody else can hold one: the folder is ours.
        store.release_all().await?;
    }
    let installation = held.as_ref().map(DataDir::installation).transpose()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|cause| AppError::Listen {
            listen: config.listen,
            cause,
        })?;
    let address = listener.local_addr().map_err(system("learn the address"))?;

    let collector = collector(config, &sources, Arc::clone(&clock)).listener(log_trouble());
    let analyst = Analysis::new(Arc::new(collector));
    let engine = Engine::new(Ports {
        store: store.clone(),
        archive: Arc::new(archive),
        analyst: Arc::new(analyst),
        observer: releases::observer(config, &clock)?,
        drivers: releases::drivers(
            config,
            &folder,
            installation.as_ref(),
            token.is_some(),
            looks,
        )?,
        channels: config.notify.clone().into(),
        headline: crate::ui::report::headline,
        clock,
    });
    let limits = Limits {
        most_unfinished: config.limits.unfinished_executions,
    };
    let access = Arc::new(Access::new(
        address,
        token.as_deref(),
        &config.allowed_hosts,
    ));
    let executions = Executions::new(engine.clone(), Arc::new(Ulids), limits);
    let state = OwnState {
        desk: Arc::new(
            Office::new(executions.clone()).closed(releases::closed(config, token.is_some())),
        ),
        api: ApiState {
            executions,
            sources: sources.clone(),
            settings: Arc::new(ApiSettings {
                allow_same_scopes: config.judging.allow_same_scopes,
                safe_scores: config.judging.safe_scores,
                remote_judge: config.judging.remote_judge.clone(),
                storage_accounts: config.storage_accounts.clone(),
                store_time: config.limits.request_time * 2 / 3,
            }),
        },
        health: Arc::new(Health::new(config.health_counts_accounts)),
        metrics: metrics.clone(),
        streams: Arc::new(Semaphore::new(config.limits.event_streams)),
        stop: stop.clone(),
        needs_token: access.needs_token(),
    };
    let health = Arc::clone(&state.health);
    let router = edge::router(
        state,
        &edge::Settings {
            access,
            allowed_origins: config.allowed_origins.clone(),
            body_bytes: config.limits.body_bytes,
            request_time: config.limits.request_time,
            concurrent_requests: config.limits.concurrent_requests,
        },
    );

    // Work goes on while requests finish; it ends after them.
    let rest = CancellationToken::new();
    let mut tasks = Background::default();
    // Who works holds the folder, and so knows its name.
    let works = match mode {
        Mode::Own(EngineUse::Plan | EngineUse::Look) => None,
        Mode::Own(EngineUse::Run) | Mode::Service => installation,
    };
    let outbox = {
        let ports = engine.ports();
        let (store, clock) = (Arc::clone(&ports.store), Arc::clone(&ports.clock));
        Outbox::new(store, channels, clock, Settings::default())
    };
    if let Some(installation) = works {
        let reaper = Reaper::new(engine.clone(), installation, ReaperSettings::default());
        start_work(&mut tasks, &engine, config, &health, &outbox, reaper, &rest);
    }
    tasks.start("watch on health", {
        let (ports, every, rest) = (engine.ports().clone(), config.health_every, rest.clone());
        async move { health.watch(&ports, &sources, every, rest).await }
    });
    tasks.start("upkeep of metrics", {
        let rest = rest.clone();
        async move {
            while !rest.is_cancelled() {
                metrics.run_upkeep();
                tokio::select! {
                    () = rest.cancelled() => {}
                    () = tokio::time::sleep(UPKEEP) => {}
                }
            }
        }
    });
    info!(data_dir = %folder.display(), "listening on http://{address}");
    let whereabouts = match mode {
        // It would do nothing of what it accepts.
        Mode::Own(EngineUse::Plan | EngineUse::Look) => None,
        Mode::Own(EngineUse::Run) | Mode::Service => {
            let token_file = token_file.as_deref();
            Some(Whereabouts::tell(&folder, address, token_file)?)
        }
    };
    ready(Up {
        address,
        token,
        folder: folder.clone(),
    });
    let settings = listener::Settings {
        header_time: config.limits.header_time,
        write_time: config.limits.write_time,
        connections: config.limits.connections,
        grace: config.shutdown_grace,
    };
    let serving = listener::serve(listener, router, settings, stop.clone());
    let broken = tasks.beside(serving, &stop).await;
    rest.cancel();
    tasks.end().await;
    let undone = match mode {
        // Nobody goes on with it tomorrow.
        Mode::Own(EngineUse::Run) => outbox.drain(LAST_MESSAGES).await,
        // The next start does; a plan sends nothing.
        Mode::Own(EngineUse::Plan | EngineUse::Look) | Mode::Service => None,
    };
    store.close().await;
    info!("stopped");
    drop(whereabouts);
    drop(made);
    drop(held);
    match broken {
        Some(part) => Err(AppError::BrokeOff { part }),
        None => Ok(undone.into_iter().collect()),
    }
}

/// Starts what changes things by itself.
fn start_work(
    tasks: &mut Background,
    engine: &Engine,
    config: &ServerConfig,
    health: &Arc<Health>,
    outbox: &Outbox,
    reaper: Reaper,
    rest: &CancellationToken,
) {
    tasks.start(
        "worker",
        work(engine.clone(), config, Arc::clone(health), rest.clone()),
    );
    tasks.start(
        "watch on executions",
        watch::run(engine.clone(), rest.clone()),
    );
    tasks.start("outbox", {
        let (outbox, rest) = (outbox.clone(), rest.clone());
        async move { outbox.run(rest).await }
    });
    if engine.ports().drivers.iter().next().is_some() {
        let rest = rest.clone();
        tasks.start("reaper", async move { reaper.run(rest).await });
    }
    let retention = Retention::new(engine.ports().clone(), config.keep_finished);
    let rest = rest.clone();
    tasks.start("retention", async move { retention.run(rest).await });
}

/// A server within the runtime of the caller: for one command that needs one. Requests must carry a token that is made here and
/// stands in the data folder, for its owner alone: who may release may start programs.
///
/// # Errors
/// Why it cannot start.
pub async fn own_engine(config: ServerConfig, engine: EngineUse) -> Result<Running, AppError> {
    let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
    let (tell, told) = oneshot::channel();
    let serving = tokio::spawn({
        // However it ends.
        let (stop, ended) = (stop.clone(), ended.clone().drop_guard());
        async move {
            let _ended = ended;
            let mut tell = Some(tell);
            let mut ready = |up: Up| {
                if let Some(tell) = tell.take() {
                    // Who asked went away; the stop follows.
                    let _ = tell.send(up);
                }
            };
            run(&config, Mode::Own(engine), &mut ready, stop).await
        }
    });
    match told.await {
        Ok(Up {
            address,
            token,
            folder,
        }) => Ok(Running {
            address,
            token,
            folder,
            ended,
            stop,
            serving,
        }),
        // It ended before it was ready.
        Err(_) => match serving.await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) | Err(_) => Err(AppError::BrokeOff { part: "server" }),
        },
    }
}

/// A server that runs beside other work.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The token that requests carry.
    pub token: Option<String>,
    /// The data folder.
    pub folder: PathBuf,
    /// Cancelled when it has ended, by itself or because it was told to.
    pub ended: CancellationToken,
    stop: CancellationToken,
    serving: JoinHandle<Result<Vec<String>, AppError>>,
}

impl Running {
    /// Ends it in order; the data folder is free afterwards. What was left undone, one sentence each.
    ///
    /// # Errors
    /// It broke off, now or before.
    pub async fn end(self) -> Result<Vec<String>, AppError> {
        self.stop.cancel();
        let broken = |_| AppError::BrokeOff { part: "server" };
        self.serving.await.map_err(broken)?
    }
}

/// Longest time that the messages of a command's release may take at its end.
const LAST_MESSAGES: Duration = Duration::from_secs(10);

/// Looks for work, and says whether it does.
fn work(
    engine: Engine,
    config: &ServerConfig,
    health: Arc<Health>,
    rest: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let settings = WorkerSettings {
        name: format!("{}-{:08x}", std::process::id(), fastrand::u32(..)),
        lease: config.worker.lease,
        most: config.worker.concurrency,
        look_every: Duration::from_secs(1).min(config.worker.lease),
    };
    async move {
        health.worker(true);
        let _gone = Gone(Arc::clone(&health));
        Worker::new(engine, settings).run(rest).await;
    }
}

/// Notes that the worker ended, also by a defect.
struct Gone(Arc<Health>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.worker(false);
    }
}

/// The first signal stops; the second one ends at once.
async fn signals(
    mut terminate: tokio::signal::unix::Signal,
    mut interrupt: tokio::signal::unix::Signal,
    stop: CancellationToken,
) {
    let mut next = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    next().await;
    info!("stopping: requests may finish; a second signal ends at once");
    stop.cancel();
    next().await;
    warn!("ended by a second signal");
    std::process::exit(130);
}

/// Tells the log, but not more often than every ten seconds, that a metric store gives no answers: many questions wait for the same
/// store, and each is asked again and again.
fn log_trouble() -> Listener {
    const EVERY: Duration = Duration::from_secs(10);
    let told: Mutex<Option<Instant>> = Mutex::new(None);
    Listener::new(move |heard| {
        let Heard::AskedAgain { error, pause } = heard else {
            return;
        };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|last| last.elapsed() >= EVERY) {
            *told = Some(Instant::now());
            let secs = pause.as_secs();
            warn!(
                "a metric store gave no answer and is asked again in {secs} s: {}",
                with_causes(*error)
            );
        }
    })
}
