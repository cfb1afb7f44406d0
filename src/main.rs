//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    coalmine::cli::main()
}
