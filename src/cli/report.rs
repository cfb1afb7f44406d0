//! `coalmine report SAVED`.

use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::inputs;
use super::progress::Progress;
use crate::archive::bundle::Saved;
use crate::archive::whole_file::{WholeFile, resolved};
use crate::sources::files::open;
use crate::ui::report::{self as draw, Format};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A judgement that `coalmine judge --save` kept; `-` reads standard input
    #[arg(value_name = "SAVED")]
    saved: PathBuf,
    /// Write to this file instead of standard output
    #[arg(long, short, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
    /// What to write [default: html with --out, else text]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// List the metrics that passed, too (text)
    #[arg(long)]
    all: bool,
}

/// Draws the report; that it was drawn is success, whatever the verdict.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let output = match &args.out {
        Some(path) if path.as_os_str() != "-" => {
            inputs::check_not_claimed(path, &[resolved(&args.saved)])?;
            let file = WholeFile::create(path).map_err(|error| Failure::write(path, &error))?;
            Some((path, file))
        }
        Some(_) | None => None,
    };
    let progress = Progress::start(console.shows_progress(), "Reading the judgement");
    let text = open::read_text(&args.saved, open::MAX_BYTES)?;
    let saved = Saved::read(&text).map_err(|error| {
        Failure::new(format!("cannot read `{}`: {error}", args.saved.display())).hint(error.hint())
    })?;
    progress.doing("Drawing the report");
    let format = args.format.unwrap_or(if args.out.is_some() {
        Format::Html
    } else {
        Format::Text
    });
    let mut style = console.text_style();
    style.all = args.all;
    if output.is_some() {
        // A file is no terminal.
        style.color = false;
        style.hyperlinks = false;
    }
    let drawn = draw::write(&saved, format, &style, None)?;
    drop(progress);
    match output {
        Some((path, file)) => file
            .finish(|out| out.write_all(drawn.as_bytes()))
            .map_err(|error| Failure::write(path, &error))?,
        None if format == Format::Text => console.tell(&drawn)?,
        None => console.print(&drawn)?,
    }
    Ok(Exit::Pass)
}
