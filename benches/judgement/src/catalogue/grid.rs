//! One metric, no history, one look: every base with every change. On these rows recall is compared at matched false-alarm rates.

use coalmine_judges::series::Series;

use super::one;
use crate::case::{Case, Wish};
use crate::chance::Chance;
use crate::generate::count::{self, Count, Process};
use crate::generate::gauge::{Change, Gauge};
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::generate::state::State;
use crate::generate::{HOUR, Past, proportion};
use crate::scenario::{Scenario, Section};

/// The healthy row of a base: its rates set the thresholds of the others.
fn name(base: &str, change: &str) -> String {
    format!("grid: {base}: {change}")
}

fn row(
    base: &str,
    change: &str,
    healthy: bool,
    make: impl Fn(&mut Chance, u64) -> Case + Send + Sync + 'static,
) -> Scenario {
    let what = format!("{base}: {change}");
    if healthy {
        return Scenario::healthy(Section::Grid, name(base, change), what, make);
    }
    Scenario::faulty(Section::Grid, name(base, change), what, make)
        .matched_with(name(base, "no change"))
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (load, noise, cv) in [
        (Load::Flat, Noise::WHITE, 0.2),
        (Load::Flat, Noise::WHITE, 0.4),
        (Load::Diurnal, Noise::WHITE, 0.2),
        (Load::Diurnal, Noise::WHITE, 0.05),
        (Load::Wave, Noise::WHITE, 0.2),
        (Load::Wave, Noise::WHITE, 0.05),
        (Load::Diurnal, Noise::STUDENT, 0.2),
        (Load::Spikes, Noise::ar(0.3), 0.1),
        (Load::Flat, Noise::ar(0.3), 0.2),
        (Load::Flat, Noise::ar(0.6), 0.2),
        (Load::Wandering, Noise::ar(0.6), 0.2),
        (Load::Flat, Noise::ar(0.9), 0.2),
    ] {
        let base = format!(
            "{} load, {}, CV {:.0} %",
            load.word(),
            noise.words(),
            cv * 100.0
        );
        for change in [
            Change::None,
            Change::Step(1.05),
            Change::Step(1.1),
            Change::Step(1.2),
            Change::Step(1.5),
            Change::LateStep(1.5),
            Change::Ramp(1.6),
            Change::Tail(0.02, 10.0),
            Change::Tail(0.05, 10.0),
            Change::Tail(0.15, 10.0),
            Change::Spread(3.0),
            Change::Bimodal(0.5),
        ] {
            let gauge = Gauge::healthy(cv).load(load).noise(noise).change(change);
            let healthy = change == Change::None;
            all.push(row(&base, &change.words(), healthy, move |chance, _| {
                one(gauge, &Wish::five_percent(), chance)
            }));
        }
    }
    all.extend(counts());
    all.extend(others());
    all
}

fn counts() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (rate, load, process) in [
        (0.05, Load::Flat, Process::Poisson),
        (1.0, Load::Diurnal, Process::Poisson),
        (20.0, Load::Wandering, Process::Poisson),
        (1.0, Load::Flat, Process::ZeroInflated(0.3)),
    ] {
        let base = format!(
            "events, {rate} a minute, {} load, {}",
            load.word(),
            process.words()
        );
        let burst = |minutes| count::Change::Burst {
            minutes,
            factor: 10.0,
            floor: 1.0,
        };
        for change in [
            count::Change::None,
            count::Change::Ratio(2.0),
            count::Change::Ratio(3.0),
            count::Change::More(1.0),
            burst(6),
            burst(12),
            burst(25),
        ] {
            let count = Count::healthy(rate)
                .load(load)
                .process(process)
                .change(change);
            let healthy = change == count::Change::None;
            all.push(row(&base, &change.words(), healthy, move |chance, run| {
                Case::single(count.points(run, chance), Wish::default())
            }));
        }
    }
    all
}

/// Requests that stay away, shares that fail more often, states that leak, points that stop coming.
fn others() -> Vec<Scenario> {
    use coalmine_judges::config::evidence::MetricKind;
    let mut all = Vec::new();
    let base = "requests, 200 a minute, diurnal load";
    for (change, words) in [
        (count::Change::None, "no change"),
        (count::Change::Ratio(0.9), "a tenth fewer"),
        (count::Change::Ratio(0.7), "three tenths fewer"),
    ] {
        let count = Count::healthy(200.0).load(Load::Diurnal).change(change);
        let healthy = change == count::Change::None;
        all.push(row(base, words, healthy, move |chance, run| {
            Case::single(count.points(run, chance), Wish::five_percent())
        }));
    }
    let base = "flat load, independent noise, CV 20 %";
    all.push(row(
        base,
        "no points from the middle on",
        false,
        |chance, _| {
            let mut case = one(Gauge::healthy(0.2), &Wish::five_percent(), chance);
            for set in &mut case.sets {
                let values = set.canary.values().iter().enumerate();
                let values = values.map(|(at, value)| value.filter(|_| at < HOUR / 2));
                set.canary = Series::new(set.canary.grid(), values.collect::<Vec<_>>());
            }
            case
        },
    ));
    let base = "2 % of 500 requests a minute fail";
    for ratio in [1.0, 1.5, 2.0] {
        let proportion = proportion::Proportion {
            requests: 500.0,
            failing: 0.02,
            ratio,
            load: Load::Diurnal,
            written: proportion::Written::Share,
        };
        let change = if ratio == 1.0 {
            "no change".to_owned()
        } else {
            format!("× {ratio}")
        };
        all.push(row(base, &change, ratio == 1.0, move |chance, _| {
            let (shares, requests) = proportion.points(chance);
            let mut case = Case::default();
            case.add_proportion(shares, requests);
            case
        }));
    }
    let base = "a random walk of 0.4 % a minute";
    for leak in [0.0, 1.0, 3.0] {
        let state = State {
            start: 500.0,
            step: 2.0,
            leak,
            past: Past::Unknown,
        };
        let change = if leak == 0.0 {
            "no change".to_owned()
        } else {
            format!("leaks {} % of its start an hour", leak * 60.0 / 5.0)
        };
        all.push(row(base, &change, leak == 0.0, move |chance, _| {
            let wish = Wish {
                kind: Some(MetricKind::State),
                tolerance: Some(0.05),
                ..Wish::default()
            };
            Case::single(state.points(chance), wish)
        }));
    }
    all
}
