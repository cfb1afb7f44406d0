//! Series of a metric store: the arguments that say which, shared by `judge` and `fetch`, and the way to them.
//!
//! The same collector and the same analyst as in the service do the work; there is no service here, no store and no queue.

mod failures;
mod moment;
mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Judgement;

use super::MakeCollector;
use super::console::Console;
use super::failure::Failure;
use super::judge::application;
use super::reading::Reading;
use crate::analysis::collect::{Asked, Collector, Gathered, Listener};
use crate::analysis::judge_run::Analysis;
use crate::analysis::task::{self, Analyst, Collected, Task};
use crate::config::CanaryConfig;
use crate::config::canary::wire::{self, JudgeChoice};
use crate::model::scope::{Scope, ScopePair, Side, Window};

pub(super) use failures::told;
use moment::{Moment, millis, parse_moment, parse_span, parse_step};

/// Metrics that are named in one error.
const MOST_NAMED: usize = 10;
/// Kayenta's, where a request names none.
const DEFAULT_STEP_SECS: u64 = 60;

/// Which series of which metric store.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Series of a metric store")]
pub(super) struct LiveArgs {
    /// Read from this account of the server config
    #[arg(long, value_name = "NAME", group = "metric_store")]
    source: Option<String>,
    /// Read from the Prometheus at this address; needs no server config
    #[arg(long, value_name = "URL", group = "metric_store")]
    prometheus: Option<String>,
    /// Server config with the accounts [default: $COALMINE_CONFIG]
    #[arg(long, value_name = "FILE", requires = "source")]
    server_config: Option<PathBuf>,
    /// Scope of both sides, where their locations, parameters or times differ
    #[arg(long, value_name = "SCOPE", requires = "metric_store", conflicts_with_all = ["baseline", "canary"])]
    scope: Option<String>,
    /// Location of both sides: region, zone
    #[arg(long, value_name = "PLACE", requires = "metric_store")]
    location: Option<String>,
    /// Location of the baseline alone
    #[arg(long, value_name = "PLACE", requires = "metric_store")]
    baseline_location: Option<String>,
    /// Location of the canary alone
    #[arg(long, value_name = "PLACE", requires = "metric_store")]
    canary_location: Option<String>,
    /// Further variable of the queries; may be given again
    #[arg(long, value_name = "NAME=VALUE", requires = "metric_store", value_parser = parse_parameter)]
    param: Vec<(String, String)>,
    /// The same for the baseline alone
    #[arg(long, value_name = "NAME=VALUE", requires = "metric_store", value_parser = parse_parameter)]
    baseline_param: Vec<(String, String)>,
    /// The same for the canary alone
    #[arg(long, value_name = "NAME=VALUE", requires = "metric_store", value_parser = parse_parameter)]
    canary_param: Vec<(String, String)>,
    /// Begin of the window: RFC 3339, or before now as `-90m`
    #[arg(
        long,
        value_name = "TIME",
        requires = "metric_store",
        allow_hyphen_values = true,
        value_parser = parse_moment
    )]
    start: Option<Moment>,
    /// End of the window, likewise [default: now]
    #[arg(
        long,
        value_name = "TIME",
        requires = "metric_store",
        allow_hyphen_values = true,
        value_parser = parse_moment
    )]
    end: Option<Moment>,
    /// Length of the window, instead of its begin
    #[arg(long, value_name = "TIME", requires = "metric_store", conflicts_with = "start", value_parser = parse_span)]
    lookback: Option<Duration>,
    /// How much earlier the baseline's window is [default: not at all]
    #[arg(long, value_name = "TIME", requires = "metric_store", value_parser = parse_span)]
    baseline_offset: Option<Duration>,
    /// Distance of two points [default: 60s]
    #[arg(long, value_name = "TIME", requires = "metric_store", value_parser = parse_step)]
    step: Option<Duration>,
    /// Longest wait for a store that is out of reach or busy [default: 5m for each query]
    #[arg(long, value_name = "TIME", requires = "metric_store", value_parser = parse_span)]
    deadline: Option<Duration>,
    /// Compare a scope with itself, to see what chance does
    #[arg(long, requires = "metric_store")]
    allow_same: bool,
}

/// The scopes of both sides, where they are named apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SideNames<'a> {
    pub(super) baseline: Option<&'a Path>,
    pub(super) canary: Option<&'a Path>,
}

/// What is asked for besides.
pub(super) struct Wish<'a> {
    pub(super) config: &'a CanaryConfig,
    /// Another judge than the config's.
    pub(super) judge: Option<&'a str>,
    pub(super) thresholds: Thresholds,
}

/// What shall be fetched, from where.
pub(super) struct Live {
    /// The question.
    pub(super) task: Task,
    /// The names of the metrics in the config's order.
    pub(super) metrics: Vec<String>,
    /// What a reader should know of how the arguments were understood.
    pub(super) notes: Vec<String>,
    store: stores::Store,
    make: MakeCollector,
}

impl LiveArgs {
    /// Whether series of a metric store are wanted at all.
    pub(super) fn wanted(&self) -> bool {
        self.source.is_some() || self.prometheus.is_some()
    }

    /// The files that are read.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.server_config.iter()
    }

    /// Understands the arguments. Nothing is asked of the store yet; `now_ms` is what relative times count from.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub(super) fn understand(
        &self,
        sides: SideNames<'_>,
        wish: &Wish<'_>,
        make: MakeCollector,
        now_ms: i64,
    ) -> Result<Live, Failure> {
        let mut wrong: Vec<Failure> = Vec::new();
        let mut take = |failure| wrong.push(failure);
        let store = stores::Store::choose(
            self.source.as_deref(),
            self.prometheus.as_deref(),
            self.server_config.as_deref(),
        );
        let store = store.map_err(&mut take).ok();
        let window = self.window(now_ms).map_err(&mut take).ok();
        let names = self.names(sides).map_err(&mut take).ok();
        wrong.extend(without_query(wish.config));
        let (mut store, window, names) = match (store, window, names, Failure::all(wrong)) {
            (Some(store), Some(window), Some(names), None) => (store, window, names),
            (_, _, _, failure) => {
                return Err(failure.unwrap_or_else(|| Failure::new("no series are named")));
            }
        };
        let pair = ScopePair {
            baseline: self.scope_of(Side::Baseline, &names, window),
            canary: self.scope_of(Side::Canary, &names, window),
        };
        if pair.is_same_on_both_sides() && !self.allow_same && !store.allows_same() {
            return Err(same(&pair));
        }
        let config = judged_by(wish.config, wish.judge);
        let scopes = scope_names(&config)
            .into_iter()
            .map(|name| (name.to_owned(), pair.clone()));
        let metrics = config.metrics.iter();
        let metrics = metrics.map(|metric| metric.name.clone().unwrap_or_default());
        if let Some(deadline) = self.deadline {
            store.within(deadline);
        }
        Ok(Live {
            metrics: metrics.collect(),
            notes: one_place(&config).into_iter().collect(),
            make,
            task: Task {
                application: application(wish.config).unwrap_or_default(),
                scopes: scopes.collect(),
                account: Some(store.name().to_owned()),
                thresholds: wish.thresholds,
                config: Arc::new(config),
            },
            store,
        })
    }

    fn window(&self, now_ms: i64) -> Result<Window, Failure> {
        // Points on whole seconds are easier to compare with what others see.
        let now_ms = now_ms.div_euclid(1000) * 1000;
        let end_ms = self.end.map_or(now_ms, |end| end.at(now_ms));
        let start_ms = match (self.start, self.lookback.and_then(millis)) {
            (Some(start), _) => start.at(now_ms),
            (None, Some(length)) => end_ms.saturating_sub(length),
            (None, None) => {
                return Err(Failure::new(
                    "the window has no begin; expected `--start TIME` or `--lookback TIME`",
                ));
            }
        };
        if end_ms > now_ms {
            let (end, now) = (shown_time(end_ms), shown_time(now_ms));
            return Err(Failure::new(format!(
                "the window ends at {end}, and now it is {now}; expected an end that is not to come"
            ))
            .hint("the service waits for windows that are to come: `coalmine serve`"));
        }
        match Window::new(start_ms, end_ms) {
            Ok(window) if window.length_ms() > 0 => Ok(window),
            Ok(_) | Err(_) => Err(Failure::new(format!(
                "the window begins at {} and ends at {}; expected a begin before the end",
                shown_time(start_ms),
                shown_time(end_ms)
            ))),
        }
    }

    /// The names of both sides; empty where the config does without.
    fn names(&self, sides: SideNames<'_>) -> Result<[String; 2], Failure> {
        if let Some(scope) = &self.scope {
            return Ok([scope.clone(), scope.clone()]);
        }
        let files: Vec<Failure> = [sides.baseline, sides.canary]
            .into_iter()
            .flatten()
            .filter(|side| is_data_file(side))
            .map(|side| {
                let flag = if self.source.is_some() { "--source" } else { "--prometheus" };
                Failure::new(format!(
                    "`{}` is a file; with `{flag}` the sides are scopes, such as a version or a server group",
                    side.display()
                ))
                .hint(format!("files are judged without `{flag}`"))
            })
            .collect();
        if let Some(failure) = Failure::all(files) {
            return Err(failure);
        }
        let name = |side: Option<&Path>| {
            side.map_or_else(String::new, |side| side.to_string_lossy().into_owned())
        };
        Ok([name(sides.baseline), name(sides.canary)])
    }

    fn scope_of(&self, side: Side, names: &[String; 2], window: Window) -> Scope {
        let (name, location, own, offset) = match side {
            Side::Baseline => (
                &names[0],
                &self.baseline_location,
                &self.baseline_param,
                self.baseline_offset,
            ),
            Side::Canary => (&names[1], &self.canary_location, &self.canary_param, None),
        };
        let parameters: BTreeMap<String, String> = self.param.iter().chain(own).cloned().collect();
        Scope {
            scope: name.clone(),
            location: location
                .as_ref()
                .or(self.location.as_ref())
                .cloned()
                .unwrap_or_default(),
            window: window.earlier_by_ms(offset.and_then(millis).unwrap_or_default()),
            step_secs: self.step.map_or(DEFAULT_STEP_SECS, |step| step.as_secs()),
            parameters,
        }
    }
}

fn same(pair: &ScopePair) -> Failure {
    let what = match pair.canary.scope.as_str() {
        "" => "both sides are without a name".to_owned(),
        scope => format!("both sides are `{scope}`"),
    };
    Failure::new(format!(
        "{what}, in the same place and at the same time: the canary would be compared with itself, and pass"
    ))
    .hint("name them by `--baseline` and `--canary`, or tell them apart by location, parameter or `--baseline-offset`")
    .hint("`--allow-same` does it all the same, to see what chance does")
}

/// A file that would be judged without a metric store.
fn is_data_file(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    [".csv", ".csv.gz", ".json", ".json.gz"]
        .iter()
        .any(|ending| name.ends_with(ending))
        && path.is_file()
}

fn shown_time(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| format!("{time_ms} ms"), |time| time.to_string())
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected `NAME=VALUE`".to_owned()),
    }
}

/// Metrics that no store can be asked for.
fn without_query(config: &CanaryConfig) -> Option<Failure> {
    let metrics = config.wire().metrics.iter();
    let without: Vec<String> = metrics
        .filter(|metric| metric.query.is_none())
        .map(|metric| format!("`{}`", metric.name.as_deref().unwrap_or_default()))
        .collect();
    let (subject, verb) = match without.as_slice() {
        [] => return None,
        [_] => ("the metric", "has"),
        _ => ("the metrics", "have"),
    };
    let names = without
        .iter()
        .take(MOST_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = match without.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let failure = Failure::new(format!(
        "{subject} {names}{more} {verb} no `query`; a metric store is asked by the config's queries"
    ));
    Some(failure.counts(without.len()))
}

/// The config with the judge that shall judge: how a query is put depends on it.
fn judged_by(config: &CanaryConfig, judge: Option<&str>) -> wire::CanaryConfig {
    let mut config = config.wire().clone();
    if let Some(judge) = judge {
        config.judge.get_or_insert_with(JudgeChoice::default).name = Some(judge.to_owned());
    }
    config
}

fn scope_names(config: &wire::CanaryConfig) -> BTreeSet<&str> {
    let metrics = config.metrics.iter();
    metrics
        .filter_map(|metric| metric.scope_name.as_deref())
        .collect()
}

/// A config may have several scopes; the command line has places for one.
fn one_place(config: &wire::CanaryConfig) -> Option<String> {
    let names = scope_names(config);
    (names.len() > 1).then(|| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!(
            "the scopes {} of the config are all looked for in the same place",
            names.join(", ")
        )
    })
}

impl Live {
    /// Does what `work` does with a collector, and says meanwhile how it goes on.
    fn work<'l, T>(
        &'l self,
        console: &Console,
        work: impl AsyncFnOnce(Arc<Collector>, &'l Task) -> T,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
        let reading = Reading::start(console, self.store.name(), self.metrics.len());
        let collector = Arc::new(self.store.collector(self.make, reading.listener())?);
        let done = runtime.block_on(work(collector, &self.task));
        drop(reading);
        // What is still under way has nobody left who waits for it.
        runtime.shutdown_background();
        Ok(done)
    }

    /// Fetches all series and judges them.
    ///
    /// # Errors
    /// All failures at once.
    pub(super) fn judge(&self, console: &Console) -> Result<(Collected, Judgement), Failure> {
        let judged = self.work(
            console,
            async |collector, task| -> Result<_, Vec<task::Failure>> {
                let analyst = Analysis::new(collector);
                let collected = analyst.collect(task).await?;
                let judgement = analyst
                    .judge(&collected.bundle)
                    .map_err(|failure| vec![failure])?;
                Ok((collected, judgement))
            },
        )?;
        judged.map_err(|failures| told(&failures, &self.metrics))
    }

    /// Fetches all series.
    ///
    /// # Errors
    /// What is wrong before anything is asked; the answers themselves hold what failed.
    pub(super) fn gather(&self, console: &Console) -> Result<Gathered, Failure> {
        let gathered = self.work(console, async |collector, task| {
            collector.gather(task).await
        })?;
        gathered.map_err(|failures| told(&failures, &self.metrics))
    }

    /// The queries; nothing is sent.
    ///
    /// # Errors
    /// Queries that cannot be made.
    pub(super) fn queries(&self) -> Result<Vec<Asked>, Failure> {
        let collector = self.store.collector(self.make, Listener::default())?;
        let asked = collector.queries(&self.task);
        asked.map_err(|failures| told(&failures, &self.metrics))
    }
}
