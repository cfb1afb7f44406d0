//! `coalmine report SAVED`.

use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::inputs;
use super::progress::Progress;
use super::render::{self, Format};
use crate::archive::bundle::Saved;
use crate::archive::whole_file::{WholeFile, resolved};
use crate::sources::files::open;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A judgement that `coalmine judge --save` kept; `-` reads standard input
    #[arg(value_name = "SAVED")]
    saved: PathBuf,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write [default: html with --output, else text]
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
    /// List the metrics that passed, too (text)
    #[arg(long)]
    all: bool,
}

/// What a report can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    /// One self-contained HTML file.
    Html,
    /// For people, in a terminal or a log.
    Text,
    /// Kayenta's `CanaryJudgeResult`, or our own judgement where another judge judged.
    Json,
    /// For a pull request.
    Markdown,
    /// For a CI system.
    Junit,
}

/// Draws the report; that it was drawn is success, whatever the verdict.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let output = match &args.output {
        Some(path) if path.as_os_str() != "-" => {
            inputs::check_not_claimed(path, &[resolved(&args.saved)])?;
            let file = WholeFile::create(path).map_err(|error| Failure::write(path, &error))?;
            Some((path, file))
        }
        Some(_) | None => None,
    };
    let progress = Progress::start(console.shows_progress(), "Reading the judgement");
    let text = open::read_text(&args.saved)?;
    let saved = Saved::read(&text).map_err(|error| {
        Failure::new(format!("cannot read `{}`: {error}", args.saved.display())).hint(error.hint())
    })?;
    progress.doing("Drawing the report");
    let format = args.format.unwrap_or(if args.output.is_some() {
        ReportFormat::Html
    } else {
        ReportFormat::Text
    });
    let mut style = console.text_style();
    style.all = args.all;
    if output.is_some() {
        // A file is no terminal.
        style.color = false;
        style.hyperlinks = false;
    }
    let other = |format| render::write(&saved, format, &style, None);
    let drawn = match format {
        ReportFormat::Html => render::html(&saved)?,
        ReportFormat::Text => other(Format::Text)?,
        ReportFormat::Json => other(Format::Json)?,
        ReportFormat::Markdown => other(Format::Markdown)?,
        ReportFormat::Junit => other(Format::Junit)?,
    };
    drop(progress);
    match output {
        Some((path, file)) => file
            .finish(|out| out.write_all(drawn.as_bytes()))
            .map_err(|error| Failure::write(path, &error))?,
        None if format == ReportFormat::Text => console.tell(&drawn)?,
        None => console.print(&drawn)?,
    }
    Ok(Exit::Pass)
}
