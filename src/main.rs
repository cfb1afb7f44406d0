//! The command line.

use std::process::ExitCode;

use coalmine::{app, cli};

fn main() -> ExitCode {
    cli::main(app::parts())
}
