//! What the service writes about itself: log lines to standard error, and metrics.

use std::io;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::server::wire::{LogFormat, LogLevel};

/// Bounds of the buckets of request times, in seconds; the service promises 5 ms.
const REQUEST_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Begins to log. Libraries are heard from `warn` on only: below that they tell what they
/// send, which may hold a secret. A log that is there already stays.
pub fn log(format: LogFormat, level: LogLevel) {
    let own = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let others = if own == Level::ERROR {
        Level::ERROR
    } else {
        Level::WARN
    };
    let filter = EnvFilter::default()
        .add_directive(LevelFilter::from_level(others).into())
        .add_directive(match format!("coalmine={own}").parse() {
            Ok(directive) => directive,
            Err(_) => LevelFilter::from_level(own).into(),
        });
    let begun = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // The second server of one process writes where the first one does.
    let _ = match format {
        LogFormat::Text => begun.with_target(false).with_ansi(false).try_init(),
        LogFormat::Json => begun
            .json()
            .flatten_event(true)
            .with_target(false)
            .try_init(),
    };
}

/// Begins to count.
///
/// # Errors
/// A recorder that is there already.
pub fn metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let durations = Matcher::Full("coalmine_http_request_duration_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(durations, &REQUEST_SECONDS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    describe_counter!(
        "coalmine_executions_started_total",
        "Executions that were accepted, by kind"
    );
    describe_counter!(
        "coalmine_executions_ended_total",
        "Executions that ended, by status"
    );
    describe_counter!(
        "coalmine_executions_forgotten_total",
        "Executions that retention removed"
    );
    describe_gauge!("coalmine_executions", "Executions that are kept, by status");
    describe_counter!("coalmine_judgements_total", "Judgements, by verdict");
    describe_counter!(
        "coalmine_turn_errors_total",
        "Work on an execution that broke off and is tried again"
    );
    describe_counter!(
        "coalmine_invariants_broken_total",
        "Events that were refused because they would have broken an invariant"
    );
    describe_gauge!(
        "coalmine_component_up",
        "Whether a part of the server works, by component"
    );
    describe_gauge!(
        "coalmine_account_up",
        "Whether a metric store answers, by account"
    );
    describe_counter!(
        "coalmine_http_requests_total",
        "Requests that were answered, by method, route and status"
    );
    describe_histogram!(
        "coalmine_http_request_duration_seconds",
        Unit::Seconds,
        "Time from the head of a request to the head of its answer, by route"
    );
    describe_gauge!(
        "coalmine_http_requests_in_flight",
        "Requests that are being answered"
    );
    describe_counter!(
        "coalmine_http_refused_total",
        "Requests that were refused for being too much, by reason"
    );
    describe_counter!(
        "coalmine_http_connections_total",
        "Connections that were taken"
    );
    describe_counter!(
        "coalmine_panics_total",
        "Requests that broke off by a defect"
    );
    describe_gauge!("coalmine_build_info", "1, with the version");
    metrics::gauge!("coalmine_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
