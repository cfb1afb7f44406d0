//! The life of a server: open, work, stop.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::background::Background;
use super::{AppError, accounts, collector, data_dir, releases, token};
use crate::analysis::collect::{Heard, Listener};
use crate::analysis::judge_run::Analysis;
use crate::api::edge::guard::Access;
use crate::api::edge::{self, listener};
use crate::api::own::OwnState;
use crate::api::own::health::Health;
use crate::api::{ApiSettings, ApiState};
use crate::archive::folder::FolderArchive;
use crate::clock::{Clock, SystemClock};
use crate::config::server::ServerConfig;
use crate::executions::engine::{Engine, Ports, with_causes};
use crate::executions::release::office::Office;
use crate::executions::retention::Retention;
use crate::executions::service::{Executions, Limits, Ulids};
use crate::executions::watch;
use crate::executions::worker::{Worker, WorkerSettings};
use crate::store::Store as _;
use crate::store::data_dir::DataDir;
use crate::store::sqlite::SqliteStore;
use crate::telemetry;

/// How often old samples of histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. `ready` is called once, with the address, when requests are answered.
///
/// # Errors
/// Why the server cannot start.
pub fn serve(config: &ServerConfig, ready: &mut dyn FnMut(SocketAddr)) -> Result<(), AppError> {
    telemetry::log(config.log_format, config.log_level);
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(system("start threads"))?;
    let outcome = runtime.block_on(run(config, ready));
    // What blocks a thread by now (a judge at work) has nobody left to wait for it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

fn system<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    doing: &'static str,
) -> impl FnOnce(E) -> AppError {
    move |cause| AppError::System {
        doing,
        cause: cause.into(),
    }
}

async fn run(config: &ServerConfig, ready: &mut dyn FnMut(SocketAddr)) -> Result<(), AppError> {
    // Before anything is touched: who stops a server that starts must not be missed.
    let stop = CancellationToken::new();
    let signals = tokio::spawn(signals(
        signal(SignalKind::terminate()).map_err(system("listen for signals"))?,
        signal(SignalKind::interrupt()).map_err(system("listen for signals"))?,
        stop.clone(),
    ));
    let metrics = telemetry::metrics().map_err(system("begin to count"))?;
    let token = token(config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sources = accounts::sources(config, &clock)?;

    let folder = DataDir::open(&data_dir(config)?)?;
    let store = Arc::new(SqliteStore::open(&folder.database()).await?);
    let archive = FolderArchive::open(&folder.archive())?;
    // Nobody else can hold one: the folder is ours.
    store.release_all().await?;
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
        drivers: releases::drivers(config),
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
        desk: Arc::new(Office::new(executions.clone())),
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
    tasks.start(
        "worker",
        work(engine.clone(), config, Arc::clone(&health), rest.clone()),
    );
    tasks.start(
        "watch on executions",
        watch::run(engine.clone(), rest.clone()),
    );
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
    if let Some(keep) = config.keep_finished {
        let retention = Retention::new(engine.ports().clone(), keep);
        let rest = rest.clone();
        tasks.start("retention", async move { retention.run(rest).await });
    }
    info!(data_dir = %folder.path().display(), "listening on http://{address}");
    ready(address);
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
    store.close().await;
    signals.abort();
    info!("stopped");
    drop(folder);
    match broken {
        Some(part) => Err(AppError::BrokeOff { part }),
        None => Ok(()),
    }
}

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
