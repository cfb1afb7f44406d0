//! `coalmine completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "coalmine", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Pass)
}
