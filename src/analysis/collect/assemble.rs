//! From answers to the bundle, or to all failures.

use std::collections::BTreeSet;
use std::sync::Arc;

use coalmine_judges::series::{Grid, Series};

use super::super::pairing::{self, MetricSides};
use super::super::task::{Collected, Failure, Task};
use super::asks::{Ask, Purpose, failed};
use super::attempts::Outcome;
use super::coverage::{self, Found};
use super::judge_name;
use crate::archive::bundle::{Bundle, Sides, Told};
use crate::config::CanaryConfig;
use crate::model::history::HistorySeries;
use crate::model::metric_set::MetricSet;
use crate::model::scope::{Scope, Side};
use crate::sources::Fetched;

/// What came of all asks.
pub(super) struct Outcomes {
    pub(super) account: String,
    pub(super) asks: Vec<Ask>,
    /// One for each ask.
    pub(super) answers: Vec<Outcome>,
    /// What is known already.
    pub(super) notes: Vec<String>,
}

/// Both sides of one metric, as far as they are there.
#[derive(Default)]
struct Halves {
    baseline: Option<Arc<Fetched>>,
    canary: Option<Arc<Fetched>>,
}

/// Makes the bundle. That may take seconds of computing: not for a thread that others wait for.
///
/// # Errors
/// All that is missing or cannot be paired.
pub(super) fn collected(
    task: &Task,
    config: &CanaryConfig,
    heard: Outcomes,
) -> Result<Collected, Vec<Failure>> {
    let metrics = task.config.metrics.len();
    let mut halves: Vec<Halves> = std::iter::repeat_with(Halves::default)
        .take(metrics)
        .collect();
    let (mut failures, mut history) = (Vec::new(), Vec::new());
    let mut history_notes = heard.notes;
    let mut builds = BTreeSet::new();
    for (ask, answer) in heard.asks.iter().zip(heard.answers) {
        let name = &ask.question.metric;
        match (ask.purpose, answer) {
            (Purpose::Compare(side), Ok(fetched)) => {
                builds.extend(fetched.build.clone());
                let half = &mut halves[ask.metric];
                match side {
                    Side::Baseline => half.baseline = Some(fetched),
                    Side::Canary => half.canary = Some(fetched),
                }
            }
            (Purpose::Compare(_), Err(lost)) => failures.push(failed(
                ask.metric,
                ask.purpose,
                &lost.error,
                lost.tried.as_deref(),
            )),
            (Purpose::History, Ok(fetched)) => {
                let before = history.len();
                history.extend(past(name, &fetched));
                if history.len() == before {
                    history_notes.push(format!("no history of `{name}`: it has no points"));
                }
            }
            (Purpose::History, Err(lost)) => {
                let failure = failed(ask.metric, ask.purpose, &lost.error, lost.tried.as_deref());
                history_notes.push(format!("no history of `{name}`: {}", failure.message));
            }
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    let names = task.config.metrics.iter();
    let names: Vec<&str> = names
        .map(|metric| metric.name.as_deref().unwrap_or_default())
        .collect();
    // Every metric was asked for on both sides, and nothing failed.
    let found = names.iter().zip(&halves).filter_map(|(name, half)| {
        Some(Found {
            name,
            baseline: half.baseline.as_deref()?,
            canary: half.canary.as_deref()?,
        })
    });
    let coverage_notes = coverage::notes(&found.collect::<Vec<_>>());
    let sides = names.iter().zip(halves).filter_map(|(name, half)| {
        Some(MetricSides {
            name: (*name).to_owned(),
            baseline: renamed(half.baseline?, name),
            canary: renamed(half.canary?, name),
        })
    });
    let sides: Vec<MetricSides> = sides.collect();
    let paired = pairing::pair(&sides).map_err(unpaired)?;
    let warnings = config.warnings().iter().map(ToString::to_string);
    let ignored = config
        .ignored()
        .iter()
        .map(|what| format!("ignored: {what}"));
    let mut notes: Vec<String> = warnings.chain(ignored).collect();
    notes.extend(coverage_notes);
    notes.extend(paired.notes);
    notes.extend(history_notes);
    let bundle = Bundle {
        version: Bundle::VERSION,
        config: Some(config_json(config)?),
        judge: judge_name(&task.config).to_owned(),
        judge_config: config.judge_config().clone(),
        thresholds: task.thresholds,
        sets: paired.sets,
        history,
        queries: paired.queries,
    };
    let builds: Vec<String> = builds.into_iter().collect();
    let origin = match builds.as_slice() {
        [] => heard.account,
        builds => format!("{} ({})", heard.account, builds.join(", ")),
    };
    let told = Told {
        sides: sides_told(task),
        origin: Some(origin),
        notes: coverage::capped(notes),
    };
    Ok(Collected { bundle, told })
}

/// The config as Kayenta's JSON, keys in order, so that equal configs are equal bytes.
fn config_json(config: &CanaryConfig) -> Result<serde_json::Value, Vec<Failure>> {
    let mut value = serde_json::to_value(config.wire())
        .map_err(|error| vec![super::general(format!("cannot write the config: {error}"))])?;
    value.sort_all_objects();
    Ok(value)
}

fn unpaired(errors: Vec<(usize, pairing::PairingError)>) -> Vec<Failure> {
    let failures = errors.into_iter().map(|(metric, error)| Failure {
        metric: Some(metric),
        hint: Some(error.hint().to_owned()),
        ..super::general(error.to_string())
    });
    failures.collect()
}

/// An answer may have been asked for under another metric's name. Its points are copied only where somebody else needs them.
fn renamed(fetched: Arc<Fetched>, name: &str) -> Vec<MetricSet> {
    let Fetched {
        mut sets, query, ..
    } = Arc::unwrap_or_clone(fetched);
    for set in &mut sets {
        name.clone_into(&mut set.name);
        let known = set.attributes.entry("query".to_owned());
        known.or_insert_with(|| query.clone());
    }
    sets
}

/// The series of an answer that has points.
fn past(name: &str, fetched: &Fetched) -> Vec<HistorySeries> {
    let sets = fetched.sets.iter();
    let with_points = sets.filter(|set| set.values.iter().any(Option::is_some));
    with_points
        .map(|set| HistorySeries {
            name: name.to_owned(),
            tags: set.tags.clone(),
            series: Series::new(
                (set.step_ms > 0).then_some(Grid {
                    start_ms: set.start_ms,
                    step_ms: set.step_ms,
                }),
                set.values.iter().copied(),
            ),
        })
        .collect()
}

/// The sides by the scopes that metrics use; several with commas between them.
fn sides_told(task: &Task) -> Sides {
    let named = |side: Side| {
        let mut scopes: Vec<String> = Vec::new();
        for metric in &task.config.metrics {
            let pair = metric
                .scope_name
                .as_ref()
                .and_then(|name| task.scopes.get(name));
            if let Some(name) = pair.and_then(|pair| scope_words(pair.side(side)))
                && !scopes.contains(&name)
            {
                scopes.push(name);
            }
        }
        scopes
    };
    let (mut baseline, mut canary) = (named(Side::Baseline), named(Side::Canary));
    // Where only the place differs, the place tells the sides apart.
    if baseline == canary {
        let located = |side: Side| {
            let mut places: BTreeSet<String> = BTreeSet::new();
            for pair in task.scopes.values() {
                let Scope {
                    scope, location, ..
                } = pair.side(side);
                if !location.is_empty() {
                    places.insert(format!("{scope} in {location}").trim_start().to_owned());
                }
            }
            places.into_iter().collect::<Vec<_>>()
        };
        let (in_baseline, in_canary) = (located(Side::Baseline), located(Side::Canary));
        if in_baseline != in_canary {
            (baseline, canary) = (in_baseline, in_canary);
        }
    }
    let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(", "));
    let application = Some(task.application.clone());
    Sides {
        application: application.filter(|name| !name.is_empty() && name != "ad-hoc"),
        baseline: joined(baseline),
        canary: joined(canary),
    }
}

fn scope_words(scope: &Scope) -> Option<String> {
    (!scope.scope.is_empty()).then(|| scope.scope.clone())
}
