//! `coalmine supervise`: holds the server groups of a local account. Hidden: the local driver starts it.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use super::LocalParts;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use crate::config::server::wire::{LogFormat, LogLevel};
use crate::telemetry;

/// Longest time that `--stop` waits.
const STOP: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The account's folder
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// How long to stay when there is no server group any more
    #[arg(long, value_name = "MS", default_value_t = 60_000)]
    grace_ms: u64,
    /// End everything that is held there, production too, and the supervisor that holds it
    #[arg(long)]
    stop: bool,
    /// With --stop: without asking; needed where there is no terminal
    #[arg(long, short, requires = "stop")]
    yes: bool,
}

pub(super) fn run(args: &Args, local: LocalParts, console: &mut Console) -> Result<Exit, Failure> {
    if args.stop {
        return stop(args, local, console);
    }
    telemetry::log(LogFormat::Text, LogLevel::Info);
    let grace = Duration::from_millis(args.grace_ms);
    match (local.supervise)(args.dir.clone(), grace) {
        Ok(true) => Ok(Exit::Pass),
        Ok(false) => {
            console.tell("another supervisor has the folder\n")?;
            Ok(Exit::Pass)
        }
        Err(error) => {
            console.fail(&Failure::new(format!(
                "`{}`: {}",
                args.dir.display(),
                error.message
            )));
            Ok(Exit::OutOfReach)
        }
    }
}

fn stop(args: &Args, local: LocalParts, console: &mut Console) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    let held = match runtime.block_on((local.held)(args.dir.clone())) {
        Ok(held) => held,
        Err(error) => {
            console.fail(&Failure::new(error.message));
            return Ok(Exit::OutOfReach);
        }
    };
    let dir = args.dir.display();
    let groups: Vec<String> = held.iter().map(|line| format!("  {line}\n")).collect();
    if !groups.is_empty() && !args.yes {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::new("there is no terminal to ask on")
                .hint("`--yes` ends everything without asking")
                .so("Nothing was ended."));
        }
        console.ask(&format!(
            "These server groups of `{dir}` end, with the traffic that they serve:\n{}  End them? [y/N] ",
            groups.concat()
        ));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            console.note("nothing was ended");
            return Ok(Exit::NotAllowed);
        }
    }
    match runtime.block_on((local.end)(args.dir.clone(), STOP)) {
        Ok(()) => {
            let told = if groups.is_empty() {
                format!("`{dir}` held nothing.\n")
            } else {
                format!("Ended, of `{dir}`:\n{}", groups.concat())
            };
            console.tell(&told)?;
            Ok(Exit::Pass)
        }
        Err(error) => {
            console.fail(&Failure::new(error.message));
            Ok(Exit::OutOfReach)
        }
    }
}
