//! `coalmine demo`: a real incident, judged from files that are part of the program.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::{inputs, judge};
use crate::archive::bundle::{Bundle, Saved, Sides, Told};
use crate::archive::whole_file::WholeFile;
use crate::config::{Strictness, load};
use crate::sources::files::csv_wide;
use crate::ui::report::{self as draw, Format};

const CONFIG_FILE: &str = "online-boutique.canary.yaml";
const CONFIG: &str =
    include_str!("../../configs/examples/online-boutique/online-boutique.canary.yaml");
const BASELINE: &str = include_str!("../../configs/examples/online-boutique/baseline.csv");
const CANARY: &str = include_str!("../../configs/examples/online-boutique/canary.csv");

const STORY: &str = "\
A real incident, recorded in Google's Online Boutique on 22 August 2022 (Nezha data set, MIT licence):
in one pod of the recommendation service, other processes began to compete for the processor.
Baseline: 20 minutes before, without a fault. Canary: the 4 minutes after.
";
const ORIGIN: &str = "Nezha data set (IntelligentDDS, MIT licence), case cpu_contention of recommendationservice, 2022-08-22";

/// The report's name where none is given.
const DEFAULT_REPORT: &str = "coalmine-demo";
/// How many names are tried, where something that is not ours has one.
const MAX_NAMES: usize = 100;
/// How every report of ours begins.
const REPORT_START: &str = "<!DOCTYPE html>";
/// Stands in every report of this judgement, as the origin of its data within the JSON that it carries.
fn mark() -> String {
    format!("\"origin\":{}", serde_json::Value::from(ORIGIN))
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the report goes [default: coalmine-demo.html, here]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A demonstration that ran is a success, whatever the verdict.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let path = match &args.out {
        Some(path) if path.as_os_str() == "-" => {
            return Err(
                Failure::new("`-` is no file to write to; expected a file name")
                    .hint("`coalmine report SAVED --format html` prints a report"),
            );
        }
        Some(path) => path.clone(),
        None => free_name(Path::new("."))?,
    };
    let file = WholeFile::create(&path).map_err(|error| Failure::write(&path, &error))?;
    let saved = saved(console.now_ms())?;
    let html = draw::html(&saved)?;
    file.finish(|out| out.write_all(html.as_bytes()))
        .map_err(|error| Failure::write(&path, &error))?;
    let mut style = console.text_style();
    style.all = true;
    style.report_path = Some(Console::shown_path(&path, &style));
    let text = draw::write(&saved, Format::Text, &style, None)?;
    console.tell(&format!("{STORY}\n{text}"))?;
    Ok(Exit::Pass)
}

/// The incident, judged.
fn saved(now_ms: i64) -> Result<Saved, Failure> {
    let config = load(CONFIG, Strictness::Strict)
        .map_err(|problems| Failure::config(CONFIG_FILE.to_owned(), CONFIG.to_owned(), problems))?;
    let baseline = csv_wide::read_side(BASELINE.as_bytes(), "baseline.csv")?;
    let canary = csv_wide::read_side(CANARY.as_bytes(), "canary.csv")?;
    let mut input = csv_wide::join(baseline, canary);
    inputs::complete(config.judge_config(), &mut input, false);
    let judge = inputs::choose_judge(None, Some(&config))?;
    let thresholds = inputs::choose_thresholds(None, None, Some(&config))?;
    let bundle = Bundle {
        version: Bundle::VERSION,
        config: Some(judge::wire_json(&config)?),
        judge: judge.name().to_owned(),
        judge_config: config.judge_config().clone(),
        thresholds,
        sets: input.sets,
        history: input.history,
        queries: input.queries,
    };
    let mut notes = inputs::config_notes(&config);
    notes.append(&mut input.notes);
    let told = Told {
        sides: Sides {
            application: judge::application(&config),
            baseline: Some("before the fault".to_owned()),
            canary: Some("with the fault".to_owned()),
        },
        origin: Some(ORIGIN.to_owned()),
        notes,
    };
    judge::judge_bundle(bundle, judge.as_ref(), now_ms, told)
}

/// The default name, or that name with a number where a file of it is not an earlier report of the demo.
fn free_name(folder: &Path) -> Result<PathBuf, Failure> {
    let name = |number: usize| match number {
        1 => folder.join(format!("{DEFAULT_REPORT}.html")),
        number => folder.join(format!("{DEFAULT_REPORT}-{number}.html")),
    };
    let path = (1..=MAX_NAMES)
        .map(name)
        .find(|path| !path.exists() || is_ours(path));
    match path {
        // `./` in front adds nothing.
        Some(path) => Ok(path
            .strip_prefix(".")
            .map(Path::to_path_buf)
            .unwrap_or(path)),
        None => Err(Failure::new(format!(
            "`{DEFAULT_REPORT}.html` and {} more names are taken by something else",
            MAX_NAMES - 1
        ))
        .hint("name a file: `coalmine demo --out FILE`")),
    }
}

fn is_ours(path: &Path) -> bool {
    // Reports of the demo are far smaller.
    const LIMIT: u64 = 16 << 20;
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    read.is_ok() && text.starts_with(REPORT_START) && text.contains(&mark())
}
