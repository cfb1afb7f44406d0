//! `coalmine-benchmark`: runs every scenario, prints the tables, writes CSV and page.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use coalmine_benchmark::contender::Contender;
use coalmine_benchmark::report::{self, Report};
use coalmine_benchmark::{catalogue, run, timing};
use indicatif::{ProgressBar, ProgressStyle};

/// How often the judges are right: simulated and recorded canaries whose truth is known, put before every judge
#[derive(Debug, Parser)]
#[command(name = "coalmine-benchmark")]
struct Args {
    /// Runs of each scenario; the half-width of a 2 % share is about 0.6 points at 2,000
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    runs: u64,
    /// Only scenarios whose name contains this; may be given more than once
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Only this judge
    #[arg(long, value_name = "NAME")]
    judge: Option<String>,
    /// Only scenarios that a required number is about
    #[arg(long)]
    required: bool,
    /// Folder for benchmark.csv and benchmark.html
    #[arg(long, default_value = "target/judgement", value_name = "FOLDER")]
    out: PathBuf,
    /// Threads; as many as there are processors where absent. What comes out does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// List the scenarios and run nothing
    #[arg(long)]
    list: bool,
}

/// 0: every required number was reached; 1: one was not; 2: bad arguments; 4: the files could not be written.
fn main() -> ExitCode {
    let args = Args::parse();
    match benchmark(&args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(Failure { code, text }) => {
            tell(&format!("error: {text}"));
            ExitCode::from(code)
        }
    }
}

struct Failure {
    code: u8,
    text: String,
}

/// The required numbers that were missed.
fn benchmark(args: &Args) -> Result<usize, Failure> {
    let mut scenarios = if args.required {
        catalogue::required()
    } else {
        catalogue::all()
    };
    let wanted =
        |name: &str| args.only.is_empty() || args.only.iter().any(|only| name.contains(only));
    scenarios.retain(|scenario| wanted(&scenario.name));
    let mut contenders = Contender::all();
    if let Some(name) = &args.judge {
        contenders.retain(|contender| contender.name() == name);
    }
    if scenarios.is_empty() || contenders.is_empty() || args.runs == 0 {
        return Err(Failure {
            code: 2,
            text: "nothing to run: no scenario, judge or run is left".to_owned(),
        });
    }
    if args.list {
        let names: Vec<&str> = scenarios
            .iter()
            .map(|scenario| scenario.name.as_str())
            .collect();
        print(&format!("{}\n", names.join("\n")))?;
        return Ok(0);
    }
    // Measured first, while nothing else runs.
    let times = args.only.is_empty().then(|| timing::measure(&contenders));
    let threads = args.threads.unwrap_or_else(processors);
    let bar = bar();
    let tallies = run::run(
        &scenarios,
        &contenders,
        args.runs,
        threads,
        &|done, whole, name| {
            bar.set_length(whole);
            bar.set_position(done);
            bar.set_message(name.chars().take(60).collect::<String>());
            if !std::io::stderr().is_terminal() {
                plain_progress(&bar, done, whole);
            }
        },
    );
    bar.finish_and_clear();
    let report = Report::new(&scenarios, &contenders, tallies, args.runs, times);
    print(&report::terminal(&report))?;
    write(&args.out, &report)?;
    Ok(report.missed())
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed} gone, {eta} left  {msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// A line for each twentieth of the work, for logs.
fn plain_progress(bar: &ProgressBar, done: u64, whole: u64) {
    let part = done * 20 / whole.max(1);
    // The prefix is not shown; it remembers what was said last.
    if bar.prefix() != part.to_string() {
        bar.set_prefix(part.to_string());
        let gone = bar.elapsed();
        let left = gone.mul_f64((whole - done) as f64 / done.max(1) as f64);
        let secs = |time: Duration| time.as_secs();
        tell(&format!(
            "{:>3} %, {} s gone, about {} s left",
            part * 5,
            secs(gone),
            secs(left)
        ));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program writes what came out"
)]
fn write(folder: &Path, report: &Report) -> Result<(), Failure> {
    let failure = |what: &Path, error: &dyn std::fmt::Display| Failure {
        code: 4,
        text: format!("`{}` could not be written: {error}", what.display()),
    };
    std::fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
    let page = folder.join("benchmark.html");
    let html = report::html(report).map_err(|error| failure(&page, &error))?;
    std::fs::write(&page, html).map_err(|error| failure(&page, &error))?;
    let table = folder.join("benchmark.csv");
    let csv = report::csv(report).map_err(|error| failure(&table, &error))?;
    std::fs::write(&table, csv).map_err(|error| failure(&table, &error))?;
    tell(&format!(
        "wrote `{}` and `{}`",
        page.display(),
        table.display()
    ));
    Ok(())
}

/// A reader that has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure {
            code: 4,
            text: format!("the tables could not be printed: {error}"),
        }),
        _ => Ok(()),
    }
}

/// To standard error; where that is gone there is nobody to tell.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
