//! Windows that were recorded in Google's Online Boutique with faults that were injected on purpose (Nezha data set).
//!
//! These are before against after, with 16 to 20 points against mostly four. The points before are given as history as well in
//! a second pair of rows: what a canary that replaces its baseline in place would know.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use coalmine_judges::config::MetricSpec;
use coalmine_judges::series::{Grid, HistorySeries, MetricSetPair, Series};
use serde::Deserialize;

use crate::case::{Case, MINUTE_MS};
use crate::scenario::{Scenario, Section};

/// See `data/README.md`.
const WINDOWS: &[u8] = include_bytes!("../../data/nezha_online_boutique.json.gz");

#[derive(Deserialize)]
struct File {
    cases: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    label: String,
    #[serde(rename = "type")]
    fault: String,
    canary_ts: Vec<i64>,
    baseline_ts: Vec<i64>,
    metrics: BTreeMap<String, Sides>,
}

#[derive(Deserialize)]
struct Sides {
    canary: Vec<Option<f64>>,
    baseline: Vec<Option<f64>>,
}

/// Lays points on minutes, the first one's second counting; a minute without a point is missing, of two the first counts.
fn on_minutes(times: &[i64], values: &[Option<f64>]) -> Series {
    let step = MINUTE_MS as i64 / 1000;
    let Some(start) = times.iter().copied().min() else {
        return Series::default();
    };
    let place = |time: i64| ((time - start + step / 2) / step) as usize;
    let length = times.iter().map(|&time| place(time) + 1).max().unwrap_or(0);
    let mut points = vec![None; length];
    for (&time, &value) in times.iter().zip(values) {
        let point = &mut points[place(time)];
        *point = point.or(value);
    }
    let grid = Grid {
        start_ms: start * 1000,
        step_ms: MINUTE_MS,
    };
    Series::new(Some(grid), points)
}

fn case(window: &Window, with_history: bool) -> Case {
    let mut case = Case::default();
    for (name, sides) in &window.metrics {
        case.config.metrics.push(MetricSpec::new(name, ["all"]));
        case.smallest_visible.push(None);
        let baseline = on_minutes(&window.baseline_ts, &sides.baseline);
        if with_history {
            case.history.push(HistorySeries {
                name: name.clone(),
                tags: BTreeMap::new(),
                series: baseline.clone(),
            });
        }
        case.sets.push(MetricSetPair {
            name: name.clone(),
            id: name.clone(),
            tags: BTreeMap::new(),
            baseline,
            canary: on_minutes(&window.canary_ts, &sides.canary),
        });
    }
    case
}

/// All windows, in the file's order.
///
/// # Errors
/// What is wrong with the file that the program carries.
fn windows() -> Result<Vec<Window>, String> {
    let mut text = String::new();
    let mut reader = flate2::read::GzDecoder::new(WINDOWS);
    reader
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(file.cases)
}

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program, and a test reads it"
)]
pub(super) fn scenarios() -> Vec<Scenario> {
    let windows = windows().expect("the recorded windows can be read");
    let (faults, clean): (Vec<Window>, Vec<Window>) = windows
        .into_iter()
        .partition(|window| window.label == "fault");
    let (cpu, other): (Vec<Window>, Vec<Window>) = faults
        .into_iter()
        .partition(|window| window.fault.starts_with("cpu"));
    let groups = [
        ("clean", Arc::new(clean)),
        ("CPU faults", Arc::new(cpu)),
        ("network, return and exception faults", Arc::new(other)),
    ];
    let mut all = Vec::new();
    for (with_history, past) in [(false, "no history"), (true, "the time before as history")] {
        for (name, windows) in &groups {
            let what = format!("{name}, {past}");
            let windows = Arc::clone(windows);
            let most_runs = Some(windows.len() as u64);
            let make = move |_: &mut _, run: u64| {
                case(&windows[run as usize % windows.len()], with_history)
            };
            let scenario = if *name == "clean" {
                Scenario::healthy(Section::Recorded, format!("recorded: {what}"), what, make)
            } else {
                Scenario::faulty(Section::Recorded, format!("recorded: {what}"), what, make)
                    .matched_with(format!("recorded: clean, {past}"))
            };
            all.push(Scenario {
                most_runs,
                ..scenario
            });
        }
    }
    all
}
