//! `coalmine validate FILE…`.

use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::{inputs, specs};
use crate::config::release;
use crate::model::clean::clean;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Canary configs and release specs, JSON or YAML; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files are; told by their content where absent
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Read canary configs as Kayenta does, and list what it ignores
    #[arg(long)]
    lenient: bool,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// How a canary is judged
    Canary,
    /// What is released, where and how
    Release,
}

impl Kind {
    fn consequence(self) -> &'static str {
        match self {
            Self::Canary => "No canary can be judged by a config with errors.",
            Self::Release => "Nothing can be released by a spec with errors.",
        }
    }
}

/// A file without errors.
struct Sound {
    /// `7 metrics`.
    what: String,
    /// What is odd in it.
    notes: Vec<String>,
}

/// Checks all files, whatever is wrong with one of them.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let mut failures: Option<(Kind, Failure)> = None;
    for file in &args.files {
        let (kind, outcome) = match inputs::config_text(file) {
            Ok(text) => {
                let kind = args.kind.unwrap_or_else(|| kind_of(&text));
                (kind, check(kind, file, text, args.lenient))
            }
            Err(failure) => (args.kind.unwrap_or(Kind::Canary), Err(failure)),
        };
        match outcome {
            Ok(sound) => tell(file, &sound, console)?,
            Err(failure) => {
                failures = Some(match failures {
                    Some((first, before)) => (first, before.and(failure)),
                    None => (kind, failure),
                });
            }
        }
    }
    match failures {
        Some((kind, failure)) => Err(failure.so(kind.consequence())),
        None => Ok(Exit::Pass),
    }
}

fn kind_of(text: &str) -> Kind {
    if release::looks_like(text) {
        Kind::Release
    } else {
        Kind::Canary
    }
}

fn check(kind: Kind, file: &Path, text: String, lenient: bool) -> Result<Sound, Failure> {
    match kind {
        Kind::Canary => {
            let config = inputs::canary_config(file, text, lenient)?;
            let notes = inputs::config_notes(&config)
                .into_iter()
                .chain(inputs::judge_note(&config));
            Ok(Sound {
                what: counted(config.judge_config().metrics.len(), "metric"),
                notes: notes.collect(),
            })
        }
        Kind::Release => {
            let loaded = specs::check_spec(file, &text)?;
            let spec = &loaded.spec;
            let targets = counted(spec.targets.len(), "target");
            let (judgements, _) = spec.judgements();
            let judgements = match usize::try_from(judgements).unwrap_or(usize::MAX) {
                0 => "no judgement".to_owned(),
                count => counted(count, "judgement"),
            };
            Ok(Sound {
                what: format!(
                    "release of `{}`, {targets}, {judgements}",
                    clean(&spec.application)
                ),
                notes: loaded.warnings.iter().map(ToString::to_string).collect(),
            })
        }
    }
}

fn tell(file: &Path, sound: &Sound, console: &mut Console) -> Result<(), Failure> {
    let name = clean(&file.display().to_string());
    let notes: Vec<String> = sound
        .notes
        .iter()
        .map(|note| format!("`{name}`: {note}"))
        .collect();
    console.warn(&notes);
    let warnings = match notes.len() {
        0 => String::new(),
        count => format!(", {}", counted(count, "warning")),
    };
    console.tell(&format!("{name}: ok, {}{warnings}\n", sound.what))
}

/// `1 metric`, `7 metrics`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
