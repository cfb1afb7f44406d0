//! The command line: one file for each verb. Standard output is data, standard error is everything else.
//!
//! Verbs take their arguments and a `Console`; they return an `Exit` or a `Failure`, which is
//! printed here and nowhere else.

mod completions;
mod console;
mod demo;
mod exit;
mod failure;
mod fetch;
mod format;
mod inputs;
mod judge;
mod live;
mod progress;
mod reading;
mod release;
mod report;
mod sample_service;
mod serve;
mod specs;
mod supervise;
mod validate;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use serve::{Serve, ServeError};

use crate::analysis::collect::Collector;
use crate::config::server::{EngineUse, ServerConfig};
use console::{ColorChoice, Console};
use failure::Failure;

/// Judges canaries: compares the metrics of a new version with those of the version now live.
///
/// Exit codes: 0 pass or promoted, 1 fail or rolled back, 2 bad input or config, 3 marginal or inconclusive, 4 something is out
/// of reach, 5 not allowed or called off.
#[derive(Debug, Parser)]
#[command(name = "coalmine", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    manners: Manners,
}

/// How everything is printed.
#[derive(Debug, clap::Args)]
struct Manners {
    /// When to colour; `auto` colours on a terminal unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
    /// Write ASCII only
    #[arg(long, global = true)]
    ascii: bool,
    /// Print no text and no warnings; data, errors and exit codes stay
    #[arg(long, short, global = true)]
    quiet: bool,
    /// The time that reports are dated with, for reproducible output
    #[arg(long, global = true, hide = true, value_name = "TIME")]
    now: Option<jiff::Timestamp>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Judge metrics from files or from a metric store; the exit code is the verdict
    Judge(Box<judge::Args>),
    /// Show the queries and the data of both sides, without judging
    Fetch(Box<fetch::Args>),
    /// Check canary configs and release specs: every problem at once
    Validate(validate::Args),
    /// Draw the report of a judgement that was saved
    Report(report::Args),
    /// Release a sample service on this machine, live: a bad version that is caught, and a good one
    Demo(demo::Args),
    /// Bring a new version out, judged step by step, and take it back when it is worse
    Release(Box<release::Args>),
    /// Answer pipelines over HTTP: Kayenta's API, reports, and a list of what runs
    Serve(serve::Args),
    /// Hold server groups of this machine; the local driver starts it
    #[command(hide = true)]
    Supervise(supervise::Args),
    /// A small HTTP service to try releases on
    #[command(hide = true)]
    SampleService(sample_service::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Makes what asks the accounts of a server config.
pub type MakeCollector = fn(&ServerConfig) -> Result<Collector, ServeError>;

/// A server that runs in this process, for one command.
pub struct RunningEngine {
    /// Its address on this machine: `http://127.0.0.1:PORT`.
    pub url: String,
    /// What requests must carry, if anything.
    pub token: Option<String>,
    /// Its data folder.
    pub data_dir: std::path::PathBuf,
    /// Cancelled when it has ended, by itself or because it was told to.
    pub ended: CancellationToken,
    /// Ends it in order: requests finish, the data folder is free afterwards.
    pub stop: StopEngine,
}

/// Ends a server; what it left undone, one sentence each, or why it had broken off.
pub type StopEngine =
    Box<dyn FnOnce() -> BoxFuture<'static, Result<Vec<String>, ServeError>> + Send>;

/// Starts a server that listens as the config says, within the runtime of the caller, and leaves signals to the caller.
pub type OwnEngine =
    fn(ServerConfig, EngineUse) -> BoxFuture<'static, Result<RunningEngine, ServeError>>;

/// What verbs do with the local account of a folder, without a service.
#[derive(Debug, Clone, Copy)]
pub struct LocalParts {
    /// Holds its server groups, until there has been none for so long; `false` where another process does.
    pub supervise: fn(PathBuf, Duration) -> Result<bool, ServeError>,
    /// What it holds, one line each.
    pub held: fn(PathBuf) -> BoxFuture<'static, Result<Vec<String>, ServeError>>,
    /// Ends all of it; waits so long at most.
    pub end: fn(PathBuf, Duration) -> BoxFuture<'static, Result<(), ServeError>>,
}

/// What verbs are given, because it is not for the command line to know which parts there are.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// Runs a server.
    pub serve: Serve,
    /// Makes what asks metric stores.
    pub collector: MakeCollector,
    /// Runs a server for one command.
    pub own_engine: OwnEngine,
    /// Local accounts.
    pub local: LocalParts,
}

/// Runs the program.
#[must_use]
pub fn main(parts: Parts) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to its end is no error.
            let _ = error.print();
            let code = u8::try_from(error.exit_code()).unwrap_or(exit::Exit::BadInput.code());
            return ExitCode::from(code);
        }
    };
    let mut console = Console::new(&cli.manners);
    let outcome = match cli.verb {
        Verb::Judge(args) => judge::run(&args, parts.collector, &mut console),
        Verb::Fetch(args) => fetch::run(&args, parts.collector, &mut console),
        Verb::Validate(args) => validate::run(&args, &mut console),
        Verb::Report(args) => report::run(&args, &mut console),
        Verb::Release(args) => release::run(&args, parts, &mut console),
        Verb::Serve(args) => serve::run(&args, parts.serve, &mut console),
        Verb::Demo(args) => demo::run(&args, parts, &mut console),
        Verb::Supervise(args) => supervise::run(&args, parts.local, &mut console),
        Verb::SampleService(args) => sample_service::run(&args, &mut console),
        Verb::Completions(args) => completions::run(&args, &mut console),
    };
    let exit = outcome.unwrap_or_else(|failure| {
        console.fail(&failure);
        failure.exit()
    });
    ExitCode::from(exit.code())
}

/// Passes over a reader that went away, as `head` does; anything else that keeps output from being written is a failure.
fn tolerate_broken_pipe(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}
