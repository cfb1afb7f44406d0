//! `coalmine sample-service`: a small HTTP service to try releases on, with faults on request. Hidden, because nobody needs it
//! but the demo, the tests and who writes a release spec for the first time.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

/// Bounds of the buckets of the time that work takes, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// The version that it says it is
    #[arg(long, value_name = "TEXT", default_value = "1.0.0")]
    version: String,
    /// The usual time that an answer takes; some take half of it, some twice
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 5.0,
        overrides_with = "latency_ms"
    )]
    latency_ms: f64,
    /// What the build does: `good`, or `slow`, whose answers take six times as long
    #[arg(long, value_name = "NAME", default_value = "good", value_parser = ["good", "slow"])]
    build: String,
    /// The share of requests that are answered by 500, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    error_share: f64,
    /// Says that it is not well from this time on
    #[arg(long, value_name = "MS")]
    unhealthy_after_ms: Option<u64>,
    /// Never says that it is well
    #[arg(long)]
    never_healthy: bool,
    /// Ends with exit code 1 after this time
    #[arg(long, value_name = "MS")]
    crash_after_ms: Option<u64>,
    /// Writes this text to standard error and ends with exit code 1, without having listened
    #[arg(long, value_name = "TEXT")]
    crash_on_start: Option<String>,
}

/// What the answers need.
struct Service {
    args: Args,
    started: Instant,
    metrics: PrometheusHandle,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if let Some(text) = &args.crash_on_start {
        // To the file that standard error is; who crashes does not care whether it was read.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
        return Ok(Exit::Fail);
    }
    if !(0.0..=1.0).contains(&args.error_share) || !(0.0..=60_000.0).contains(&args.latency_ms) {
        return Err(Failure::new(format!(
            "found an error share of {} and a latency of {} ms; expected 0 to 1, and 0 to 60000",
            args.error_share, args.latency_ms
        )));
    }
    let failed = |doing: &str, error: &dyn std::error::Error| {
        Failure::new(format!("the sample service cannot {doing}: {error}"))
    };
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| failed("count", &error))?;
    // There from the start: a side without errors, or without requests, says 0, and not nothing.
    counter!("sample_requests_total", "status" => "200").increment(0);
    counter!("sample_requests_total", "status" => "500").increment(0);
    gauge!("sample_requests_in_flight").set(0.0);
    let service = Arc::new(Service {
        args: args.clone(),
        started: Instant::now(),
        metrics,
    });
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(serve(service, console)))
        .map_err(|error| failed("serve", &error))
}

async fn serve(service: Arc<Service>, console: &mut Console) -> std::io::Result<Exit> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, service.args.port)).await?;
    let address = listener.local_addr()?;
    let version = &service.args.version;
    // Nobody has to read it.
    let _ = console.print(&format!(
        "sample service {version} listening on http://{address}\n"
    ));
    let crash_after = service.args.crash_after_ms.map(Duration::from_millis);
    let router = Router::new()
        .route("/", get(work).post(work))
        .route("/health", get(health))
        .route("/metrics", get(page))
        .with_state(service);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let crash = async move {
        match crash_after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop) => served.map(|()| Exit::Pass),
        () = crash => {
            let _ = writeln!(std::io::stderr().lock(), "sample service: crashing as asked");
            Ok(Exit::Fail)
        }
    }
}

/// Answers after a while. The body of a request is not read.
async fn work(State(service): State<Arc<Service>>) -> (StatusCode, HeaderMap, String) {
    let in_flight = gauge!("sample_requests_in_flight");
    in_flight.increment(1.0);
    let begun = Instant::now();
    // Twice or half as long with equal chance, and everything between: as latencies are spread, roughly.
    let factor = (fastrand::f64() * 2.0 - 1.0).exp2();
    let build = if service.args.build == "slow" {
        6.0
    } else {
        1.0
    };
    tokio::time::sleep(Duration::from_secs_f64(
        service.args.latency_ms * build * factor / 1_000.0,
    ))
    .await;
    let status = if fastrand::f64() < service.args.error_share {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    };
    in_flight.decrement(1.0);
    histogram!("sample_request_duration_seconds").record(begun.elapsed().as_secs_f64());
    counter!("sample_requests_total", "status" => status.as_str().to_owned()).increment(1);
    let mut headers = HeaderMap::new();
    if let Ok(version) = HeaderValue::from_str(&service.args.version) {
        headers.insert(HeaderName::from_static("x-version"), version);
    }
    let text = format!("sample service {}\n", service.args.version);
    (status, headers, text)
}

async fn health(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    let age = service.started.elapsed();
    let ill_after = service.args.unhealthy_after_ms.map(Duration::from_millis);
    if service.args.never_healthy || ill_after.is_some_and(|after| age >= after) {
        (StatusCode::SERVICE_UNAVAILABLE, "not well\n")
    } else {
        (StatusCode::OK, "well\n")
    }
}

async fn page(State(service): State<Arc<Service>>) -> String {
    gauge!("sample_resident_memory_bytes").set(resident_bytes().unwrap_or(0.0));
    gauge!("sample_uptime_seconds").set(service.started.elapsed().as_secs_f64());
    service.metrics.render()
}

/// Bytes of this process that are in memory; `None` where the system does not tell.
fn resident_bytes() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
