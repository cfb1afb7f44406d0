//! `coalmine validate FILE…`.

use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::inputs;
use crate::model::clean::clean;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Canary configs, JSON or YAML; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read as Kayenta does, and list what it ignores
    #[arg(long)]
    lenient: bool,
}

/// Checks all files, whatever is wrong with one of them.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let mut failures: Option<Failure> = None;
    for file in &args.files {
        match inputs::load_config(file, args.lenient) {
            Ok(config) => {
                let name = clean(&file.display().to_string());
                let notes: Vec<String> = inputs::config_notes(&config)
                    .into_iter()
                    .chain(inputs::judge_note(&config))
                    .map(|note| format!("`{name}`: {note}"))
                    .collect();
                console.warn(&notes);
                let warnings = match notes.len() {
                    0 => String::new(),
                    1 => ", 1 warning".to_owned(),
                    count => format!(", {count} warnings"),
                };
                let metrics = match config.judge_config().metrics.len() {
                    1 => "1 metric".to_owned(),
                    count => format!("{count} metrics"),
                };
                console.tell(&format!("{name}: ok, {metrics}{warnings}\n"))?;
            }
            Err(failure) => {
                failures = Some(match failures {
                    Some(before) => before.and(failure),
                    None => failure,
                });
            }
        }
    }
    match failures {
        Some(failure) => Err(failure.so("No canary can be judged by a config with errors.")),
        None => Ok(Exit::Pass),
    }
}
