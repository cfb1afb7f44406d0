//! `coalmine demo`: releases of a sample service on this machine, live; or a real incident, judged from a recording.

mod live;
mod load;
mod recorded;
mod report_file;

use std::path::PathBuf;

use super::Parts;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the report goes [default: coalmine-demo.html, here]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Judge a recorded incident instead of releasing anything
    #[arg(long, conflicts_with = "keep")]
    recorded: bool,
    /// Go on serving at the end, load included, until Ctrl-C: the address with the reports is printed, and a command that lists the
    /// releases
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    if args.recorded {
        return recorded::run(args.out.as_deref(), console);
    }
    live::run(args.out.as_deref(), args.keep, parts, console)
}
