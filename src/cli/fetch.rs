//! `coalmine fetch`: the queries and the data of both sides, without a judgement.

mod csv_long;
mod table;

use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};
use coalmine_reports::{FetchedQuery, FetchedReport, fetched};
use serde::Serialize;

use super::MakeCollector;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::inputs;
use super::judge::no_config;
use super::live::{Live, LiveArgs, SideNames, Wish, told};
use crate::analysis::collect::{Asked, Gathered};
use crate::analysis::task;
use crate::archive::bundle::Bundle;
use crate::archive::whole_file::{Packing, WholeFile, resolved};
use crate::model::kayenta::MetricSetPair;
use crate::model::query::SentQueries;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Text,
    /// Kayenta's metric set pair list, as `coalmine judge --pairs` takes it
    Json,
    /// A row for each point, as `coalmine judge --data` takes it
    Csv,
}

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "coalmine fetch [OPTIONS] --config <FILE> <--source <NAME>|--prometheus <URL>>
              --baseline <SCOPE> --canary <SCOPE> --lookback <TIME>",
    group = ArgGroup::new("input").args(["source", "prometheus"]).required(true)
)]
pub(super) struct Args {
    /// Canary config with the queries, JSON or YAML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read the config as Kayenta does, and list what it ignores
    #[arg(long, requires = "config")]
    lenient: bool,
    /// Scope of the version now live
    #[arg(long, value_name = "SCOPE", requires = "canary")]
    baseline: Option<PathBuf>,
    /// Scope of the new version
    #[arg(long, value_name = "SCOPE", requires = "baseline")]
    canary: Option<PathBuf>,
    /// Ask as this judge would [default: the config's, or NetflixACAJudge-v1.0]
    #[arg(long, value_name = "NAME")]
    judge: Option<String>,
    /// Show the queries of both sides, and send nothing
    #[arg(long)]
    show_queries: bool,
    /// What to write [default: by the ending of --out, or text]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file instead of standard output; compressed where the name ends in .gz
    #[arg(long, short, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    live: LiveArgs,
}

/// Fetches; that everything came is success, whatever it is.
pub(super) fn run(
    args: &Args,
    make: MakeCollector,
    console: &mut Console,
) -> Result<Exit, Failure> {
    fetch(args, make, console).map_err(|failure| failure.so("Nothing was fetched."))
}

fn fetch(args: &Args, make: MakeCollector, console: &mut Console) -> Result<Exit, Failure> {
    let out = args.out.as_deref().filter(|path| path.as_os_str() != "-");
    let format = args
        .format
        .unwrap_or_else(|| out.map_or(Format::Text, by_ending));
    if args.show_queries && format == Format::Csv {
        return Err(Failure::new(
            "queries are no rows of points; expected `--format text` or `--format json`",
        ));
    }
    let path = args.config.as_ref().ok_or_else(no_config)?;
    let read: Vec<PathBuf> = [path]
        .into_iter()
        .chain(args.live.files())
        .map(|path| resolved(path))
        .collect();
    let output = match out {
        Some(path) => {
            inputs::check_not_claimed(path, &read)?;
            Some(Output::create(path)?)
        }
        None => None,
    };
    let config = inputs::load_config(path, args.lenient)?;
    let wish = Wish {
        config: &config,
        judge: args.judge.as_deref(),
        thresholds: inputs::choose_thresholds(None, None, Some(&config))?,
    };
    inputs::choose_judge(args.judge.as_deref(), Some(&config))?;
    let sides = SideNames {
        baseline: args.baseline.as_deref(),
        canary: args.canary.as_deref(),
    };
    let live = args.live.understand(sides, &wish, make, console.now_ms())?;
    let mut notes = inputs::config_notes(&config);
    notes.extend(live.notes.iter().cloned());
    if args.show_queries {
        let queries = live.queries()?;
        let text = match format {
            Format::Text | Format::Csv => queries_text(&queries, console, output.is_some()),
            Format::Json => json(&queries.iter().map(ShownQuery::of).collect::<Vec<_>>())?,
        };
        console.warn(&notes);
        write(&text, output, format, console)?;
        return Ok(Exit::Pass);
    }
    let gathered = live.gather(console)?;
    let unfetched = unfetched(&gathered, &live);
    let text = match (format, &unfetched) {
        (Format::Json | Format::Csv, Some(_)) => None,
        // What came is of use to see what did not.
        (Format::Text, _) => Some(table::text(&gathered, &style(console, output.is_some()))),
        (Format::Csv, None) => Some(csv_long::text(&gathered)?),
        (Format::Json, None) => {
            let collected = gathered.assembled();
            let collected = collected.map_err(|failures| told(&failures, &live.metrics))?;
            Some(json(&pairs(&collected.bundle))?)
        }
    };
    console.warn(&notes);
    match (text, unfetched) {
        (Some(text), None) => write(&text, output, format, console).map(|()| Exit::Pass),
        (Some(text), Some(failure)) if output.is_none() => {
            write(&text, None, format, console)?;
            Err(failure.so("The rest was fetched."))
        }
        (None | Some(_), Some(failure)) => Err(failure.so("Nothing was written.")),
        (None, None) => Ok(Exit::Pass),
    }
}

/// What could not be fetched of what is compared; a judgement can do without history.
fn unfetched(gathered: &Gathered, live: &Live) -> Option<Failure> {
    let answers = gathered
        .answers()
        .filter(|answered| answered.side.is_some());
    let failures: Vec<task::Failure> = answers
        .filter_map(|answered| answered.answer.err())
        .collect();
    (!failures.is_empty()).then(|| told(&failures, &live.metrics))
}

fn by_ending(path: &Path) -> Format {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".csv") {
        Format::Csv
    } else if name.ends_with(".json") {
        Format::Json
    } else {
        Format::Text
    }
}

fn style(console: &Console, to_file: bool) -> coalmine_reports::TextStyle {
    let mut style = console.text_style();
    // A file is no terminal.
    style.color &= !to_file;
    style
}

/// The word for a side.
fn side_word(side: Option<crate::model::scope::Side>) -> &'static str {
    use crate::model::scope::Side;
    match side {
        Some(Side::Baseline) => "baseline",
        Some(Side::Canary) => "canary",
        None => "history",
    }
}

fn queries_text(queries: &[Asked], console: &Console, to_file: bool) -> String {
    let queries = queries.iter().map(|asked| FetchedQuery {
        metric: &asked.metric,
        side: side_word(asked.side),
        query: &asked.query,
    });
    let report = FetchedReport {
        queries: queries.collect(),
        ..FetchedReport::default()
    };
    fetched(&report, &style(console, to_file))
}

/// A query as `--show-queries --format json` writes it.
#[derive(Debug, Serialize)]
struct ShownQuery<'a> {
    metric: &'a str,
    side: &'a str,
    account: &'a str,
    query: &'a str,
}

impl<'a> ShownQuery<'a> {
    fn of(asked: &'a Asked) -> Self {
        Self {
            metric: &asked.metric,
            side: side_word(asked.side),
            account: &asked.account,
            query: &asked.query,
        }
    }
}

fn pairs(bundle: &Bundle) -> Vec<MetricSetPair> {
    let unknown = SentQueries::default();
    let sets = bundle.sets.iter().enumerate();
    sets.map(|(index, set)| MetricSetPair::of(set, bundle.queries.get(index).unwrap_or(&unknown)))
        .collect()
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    let mut text = text.map_err(|error| Failure::new(format!("cannot write the data: {error}")))?;
    text.push('\n');
    Ok(text)
}

/// A file that is written at the end.
struct Output<'a> {
    path: &'a Path,
    packing: Packing,
    file: WholeFile,
}

impl<'a> Output<'a> {
    fn create(path: &'a Path) -> Result<Self, Failure> {
        let failed = |error| Failure::write(path, &error);
        Ok(Self {
            path,
            packing: Packing::of(path).map_err(failed)?,
            file: WholeFile::create(path).map_err(failed)?,
        })
    }
}

fn write(
    text: &str,
    output: Option<Output<'_>>,
    format: Format,
    console: &mut Console,
) -> Result<(), Failure> {
    match output {
        Some(Output {
            path,
            packing,
            file,
        }) => file
            .finish(|out| packing.write(out, |out| out.write_all(text.as_bytes())))
            .map_err(|error| Failure::write(path, &error)),
        None if format == Format::Text => console.tell(text),
        None => console.print(text),
    }
}
