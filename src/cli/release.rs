//! `coalmine release …`: one file for each verb. All of them are clients of a service: of the one that is named, of the one
//! that uses the data folder, or of one of their own: `plan` and `run` bring all that they need, `status` and `list` only what reads
//! the data folder.

mod abort;
mod approve;
mod client;
mod follow;
mod journal;
mod list;
mod one;
mod plan;
mod reach;
mod report_file;
mod resume;
mod rollback;
mod run;
mod screen;
mod spec;
mod status;

use clap::Subcommand;

use super::Parts;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use crate::ui::release::Style;
pub(super) use client::Client;
pub(super) use one::{Released, released};

/// Bring a new version out, judged step by step, and take it back when it is worse.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what a release would do, operation by operation; nothing is changed
    Plan(plan::Args),
    /// Do a release: show the plan, ask, do exactly that, and follow it; the exit code is the outcome
    Run(run::Args),
    /// Show where a release stands; with --wait the exit code is the outcome
    Status(status::Args),
    /// Answer the question that a release waits with
    Approve(approve::Args),
    /// Call a release off; what was done is taken back
    Abort(abort::Args),
    /// Take a release back, also after it has ended
    Rollback(rollback::Args),
    /// Let a release that is stuck try again
    Resume(resume::Args),
    /// List releases, newest first
    List(list::Args),
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Who speaks, and why.
#[derive(Debug, clap::Args)]
struct Speaker {
    /// Who you are, for the journal [default: $USER@$HOSTNAME]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

impl Speaker {
    fn name(&self) -> String {
        who(self.by.as_deref())
    }

    fn body(&self) -> serde_json::Value {
        serde_json::json!({ "by": self.name(), "reason": self.reason })
    }
}

/// Who asks: as said, or `user@host` as the environment and the system know them.
fn who(by: Option<&str>) -> String {
    use std::os::unix::fs::MetadataExt as _;
    if let Some(by) = by.filter(|by| !by.trim().is_empty()) {
        return by.to_owned();
    }
    let filled = |name: &str| std::env::var(name).ok().filter(|it| !it.trim().is_empty());
    let user = filled("USER").or_else(|| filled("LOGNAME"));
    // Containers and services often have no name for their user.
    let number = || {
        let own = std::fs::metadata("/proc/self").ok()?;
        Some(format!("uid-{}", own.uid()))
    };
    let user = user
        .or_else(number)
        .unwrap_or_else(|| "somebody".to_owned());
    let host = filled("HOSTNAME").or_else(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    });
    match host {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}

pub(super) fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    let done = runtime.block_on(async {
        match &args.verb {
            Verb::Plan(args) => plan::run(args, parts, console).await,
            Verb::Run(args) => run::run(args, parts, console).await,
            Verb::Status(args) => status::run(args, parts, console).await,
            Verb::Approve(args) => approve::run(args, console).await,
            Verb::Abort(args) => abort::run(args, console).await,
            Verb::Rollback(args) => rollback::run(args, console).await,
            Verb::Resume(args) => resume::run(args, console).await,
            Verb::List(args) => list::run(args, parts, console).await,
        }
    });
    // A thread that waits for a key has nobody left to hear of it.
    runtime.shutdown_background();
    done
}

/// How text looks, with what every command needs to reach the same service.
fn style(console: &Console, client: &Client, flags: &str) -> Style {
    let text = console.text_style();
    Style {
        color: text.color,
        ascii: text.ascii,
        width: text.width,
        flags: flags.to_owned(),
        base: client.shown_base().to_owned(),
    }
}

/// A value as JSON text with a line break at its end.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| Failure::new(format!("cannot write the answer: {error}")))?;
    Ok(text + "\n")
}
