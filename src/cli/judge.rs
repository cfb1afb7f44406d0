//! `coalmine judge`.

use std::path::{Path, PathBuf};

use clap::ArgGroup;
use coalmine_judges::config::Thresholds;
use coalmine_judges::judge::{Judge, Refusal};
use coalmine_judges::judgement::Judgement;

use super::MakeCollector;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::inputs::{self, SeriesArgs};
use super::live::{Live, LiveArgs, Wish};
use super::progress::Progress;
use crate::analysis::task::Collected;
use crate::archive::bundle::{Bundle, Saved, Sides, Told};
use crate::archive::whole_file::{Packing, WholeFile, resolved};
use crate::config::CanaryConfig;
use crate::ui::report::{self as draw, Format};

/// Said where input was bad.
pub(super) const NOTHING_JUDGED: &str = "Nothing was judged.";

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "coalmine judge [OPTIONS] --baseline <FILE> --canary <FILE>
       coalmine judge [OPTIONS] --data <FILE>
       coalmine judge [OPTIONS] --pairs <FILE>
       coalmine judge [OPTIONS] --config <FILE> <--source <NAME>|--prometheus <URL>>
              --baseline <SCOPE> --canary <SCOPE> --lookback <TIME>",
    group = ArgGroup::new("input")
        .args(["pairs", "data", "baseline", "canary", "source", "prometheus"])
        .required(true)
        .multiple(true)
)]
pub(super) struct Args {
    /// Canary config, JSON or YAML; without one every metric found is judged by the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read the config as Kayenta does, and list what it ignores
    #[arg(long, requires = "config")]
    lenient: bool,
    #[command(flatten)]
    series: SeriesArgs,
    /// Score from which on the canary passes, 0 to 100 [default: the config's, or 95]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pass: Option<f64>,
    /// Score from which on it is marginal [default: the config's, or 75]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    marginal: Option<f64>,
    /// Name of the judge [default: the config's, or NetflixACAJudge-v1.0]
    #[arg(long, value_name = "NAME")]
    judge: Option<String>,
    /// Write the report, one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Keep input and judgement, JSON; compressed where the name ends in .gz
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// List the metrics that passed, too
    #[arg(long)]
    all: bool,
    // Last, because its heading counts for all that comes after.
    #[command(flatten)]
    live: LiveArgs,
}

pub(super) fn run(
    args: &Args,
    make: MakeCollector,
    console: &mut Console,
) -> Result<Exit, Failure> {
    judge(args, make, console).map_err(|failure| match failure.exit() {
        Exit::OutOfReach => failure.so("Nothing was judged; the same call may succeed later."),
        Exit::Pass | Exit::Fail | Exit::BadInput | Exit::Undecided | Exit::NotAllowed => {
            failure.so(NOTHING_JUDGED)
        }
    })
}

fn judge(args: &Args, make: MakeCollector, console: &mut Console) -> Result<Exit, Failure> {
    check_files(args)?;
    let config = match &args.config {
        Some(path) => Some(inputs::load_config(path, args.lenient)?),
        None => None,
    };
    let thresholds = inputs::choose_thresholds(args.pass, args.marginal, config.as_ref())?;
    let judge = inputs::choose_judge(args.judge.as_deref(), config.as_ref())?;
    let outputs = Outputs::prepare(args)?;

    let (saved, progress) = if args.live.wanted() {
        let config = config.as_ref().ok_or_else(no_config)?;
        let wish = Wish {
            config,
            judge: args.judge.as_deref(),
            thresholds,
        };
        let live = args
            .live
            .understand(args.series.side_names(), &wish, make, console.now_ms())?;
        let saved = judge_live(&live, config, console)?;
        (
            saved,
            Progress::start(console.shows_progress(), "Writing the report"),
        )
    } else {
        let progress = Progress::start(console.shows_progress(), "Reading the input");
        let saved = judge_files(
            args,
            config.as_ref(),
            thresholds,
            judge.as_ref(),
            &progress,
            console,
        )?;
        (saved, progress)
    };
    if outputs.any() {
        progress.doing("Writing the report");
    }
    let verdict = saved.judgement.verdict;
    let unwritten = |failure: Failure, what: &str| {
        let word = verdict.word();
        failure.so(format!(
            "The verdict was {word}; {what} could not be written."
        ))
    };
    outputs
        .finish(&saved)
        .map_err(|(path, failure)| unwritten(failure, &format!("`{}`", path.display())))?;
    drop(progress);

    if args.format != Format::Text {
        // The text has them.
        console.warn(&saved.notes);
    }
    let mut style = console.text_style();
    style.all = args.all;
    style.hyperlinks &= args.format == Format::Text;
    let report = args.report.as_deref();
    style.report_path = report.map(|path| Console::shown_path(path, &style));
    if args.format != Format::Text || !console.quiet() {
        let data = args.save.as_deref().map(shown);
        draw::write(&saved, args.format, &style, data)
            .map_err(Failure::from)
            .and_then(|text| console.print(&text))
            .map_err(|failure| unwritten(failure, "standard output"))?;
    }
    Ok(verdict.into())
}

/// Judges series of files.
fn judge_files(
    args: &Args,
    config: Option<&CanaryConfig>,
    thresholds: Thresholds,
    judge: &dyn Judge,
    progress: &Progress,
    console: &Console,
) -> Result<Saved, Failure> {
    let mut input = args.series.read()?;
    let judge_config = match config {
        Some(config) => {
            inputs::complete(config.judge_config(), &mut input, args.series.keeps_order());
            config.judge_config().clone()
        }
        None => inputs::default_config(&input.sets),
    };
    let mut notes = config.map(inputs::config_notes).unwrap_or_default();
    notes.append(&mut input.notes);
    let (baseline, canary) = args.series.sides();
    let files: Vec<String> = args
        .series
        .files()
        .map(|path| inputs::file_name(path))
        .collect();
    let bundle = Bundle {
        version: Bundle::VERSION,
        config: config.map(wire_json).transpose()?,
        judge: judge.name().to_owned(),
        judge_config,
        thresholds,
        sets: input.sets,
        history: input.history,
        queries: input.queries,
    };
    let told = Told {
        sides: Sides {
            application: config.and_then(application),
            baseline,
            canary,
        },
        origin: Some(files.join(", ")),
        notes,
    };
    progress.doing(format!("Judging {} metric set pairs", bundle.sets.len()));
    judge_bundle(bundle, judge, console.now_ms(), told)
}

/// Judges series of a metric store.
fn judge_live(live: &Live, config: &CanaryConfig, console: &Console) -> Result<Saved, Failure> {
    let (
        Collected {
            mut bundle,
            mut told,
        },
        judgement,
    ) = live.judge(console)?;
    // Kept as it was given, whichever judge was asked for.
    bundle.config = Some(wire_json(config)?);
    let known = told.notes;
    told.notes = inputs::config_notes(config);
    told.notes.extend(live.notes.iter().cloned());
    for note in known {
        if !told.notes.contains(&note) {
            told.notes.push(note);
        }
    }
    saved(bundle, judgement, console.now_ms(), told)
}

/// A metric store has nothing to say where nobody asks.
pub(super) fn no_config() -> Failure {
    Failure::new(
        "a metric store is asked by the queries of a canary config; expected `--config FILE`",
    )
}

/// Judges what is in a bundle.
pub(super) fn judge_bundle(
    bundle: Bundle,
    judge: &dyn Judge,
    now_ms: i64,
    told: Told,
) -> Result<Saved, Failure> {
    let judgement = {
        let input = bundle
            .judge_input()
            .map_err(|refusal| refused(&refusal, &bundle, &told))?;
        judge.judge(&input)
    };
    saved(bundle, judgement, now_ms, told)
}

fn saved(bundle: Bundle, judgement: Judgement, now_ms: i64, told: Told) -> Result<Saved, Failure> {
    Saved::new(bundle, judgement, now_ms, told)
        .map_err(|error| Failure::new(format!("cannot write the judgement: {error}")))
}

fn refused(refusal: &Refusal, bundle: &Bundle, told: &Told) -> Failure {
    match refusal {
        Refusal::UnknownMetrics(unknown) => {
            let (noun, them) = match unknown.len() {
                1 => ("the metric", "it"),
                _ => ("the metrics", "them"),
            };
            let names: Vec<String> = unknown.iter().map(|name| format!("`{name}`")).collect();
            let sets = || bundle.sets.iter().filter(|set| unknown.contains(&set.name));
            let files = match (&told.sides.baseline, &told.sides.canary) {
                (Some(baseline), Some(canary)) => {
                    let sides = [
                        (baseline, sets().any(|set| !set.baseline.is_empty())),
                        (canary, sets().any(|set| !set.canary.is_empty())),
                    ];
                    let with: Vec<String> = sides
                        .into_iter()
                        .filter(|(_, has)| *has)
                        .map(|(file, _)| format!("`{file}`"))
                        .collect();
                    with.join(" and ")
                }
                (None, _) | (_, None) => {
                    format!("`{}`", told.origin.as_deref().unwrap_or_default())
                }
            };
            let verb = if files.contains("` and `") {
                "have"
            } else {
                "has"
            };
            let failure = Failure::new(format!(
                "{files} {verb} {noun} {}, which the config does not name",
                names.join(", "),
            ));
            let known = bundle.judge_config.metrics.iter();
            let known = known.map(|spec| spec.name.as_str());
            match unknown.first().and_then(|unknown| nearest(unknown, known)) {
                Some(nearest) => failure.hint(format!("the config has `{nearest}`")),
                None => failure.hint(format!(
                    "add {them} to the config, or judge without `--config`"
                )),
            }
        }
    }
}

/// The known name that a typing error leads away from, if there is one.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| {
            let (a, b) = (unknown.to_lowercase(), name.to_lowercase());
            (strsim::normalized_damerau_levenshtein(&a, &b), name)
        })
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The config as it is kept: keys in order, so that the same config has the same hash.
pub(super) fn wire_json(config: &CanaryConfig) -> Result<serde_json::Value, Failure> {
    let mut value = serde_json::to_value(config.wire())
        .map_err(|error| Failure::new(format!("cannot write the config: {error}")))?;
    value.sort_all_objects();
    Ok(value)
}

/// The application, where the config names exactly one.
pub(super) fn application(config: &CanaryConfig) -> Option<String> {
    match config.wire().applications.as_slice() {
        [only] if only != "ad-hoc" => Some(only.clone()),
        _ => None,
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Standard input can be read once, and no file is both read and written.
fn check_files(args: &Args) -> Result<(), Failure> {
    let config = args.config.iter().chain(args.live.files());
    let read: Vec<&PathBuf> = if args.live.wanted() {
        config.collect()
    } else {
        config.chain(args.series.files()).collect()
    };
    if read.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err(Failure::new(
            "`-` is given twice; standard input can be read once only",
        ));
    }
    let written: Vec<&PathBuf> = args.report.iter().chain(&args.save).collect();
    if written.iter().any(|path| path.as_os_str() == "-") {
        return Err(
            Failure::new("`-` is no file to write to; expected a file name")
                .hint("`--format` chooses what is printed to standard output"),
        );
    }
    let mut claimed: Vec<PathBuf> = read.into_iter().map(|path| resolved(path)).collect();
    for path in written {
        inputs::check_not_claimed(path, &claimed)?;
        claimed.push(resolved(path));
    }
    Ok(())
}

/// The files that will be written, prepared before the work so that a bad path is known at once.
struct Outputs {
    report: Option<(PathBuf, WholeFile)>,
    save: Option<(PathBuf, Packing, WholeFile)>,
}

impl Outputs {
    fn prepare(args: &Args) -> Result<Self, Failure> {
        let create =
            |path: &PathBuf| WholeFile::create(path).map_err(|error| Failure::write(path, &error));
        let report = match &args.report {
            Some(path) => Some((path.clone(), create(path)?)),
            None => None,
        };
        let save = match &args.save {
            Some(path) => {
                let packing = Packing::of(path).map_err(|error| Failure::write(path, &error))?;
                Some((path.clone(), packing, create(path)?))
            }
            None => None,
        };
        Ok(Self { report, save })
    }

    fn any(&self) -> bool {
        self.report.is_some() || self.save.is_some()
    }

    /// Writes them; an error comes with the file that is not written.
    fn finish(self, saved: &Saved) -> Result<(), (PathBuf, Failure)> {
        if let Some((path, packing, file)) = self.save {
            file.finish(|out| packing.write(out, |out| saved.write(out)))
                .map_err(|error| {
                    let failure = Failure::write(&path, &error);
                    (path, failure)
                })?;
        }
        if let Some((path, file)) = self.report {
            let written = draw::html(saved).map_err(Failure::from).and_then(|html| {
                file.finish(|out| out.write_all(html.as_bytes()))
                    .map_err(|error| Failure::write(&path, &error))
            });
            written.map_err(|failure| (path, failure))?;
        }
        Ok(())
    }
}
