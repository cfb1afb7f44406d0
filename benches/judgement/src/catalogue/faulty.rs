//! Faulty canaries, one look: how often the fault is found. Levels are looked at with a tolerance of 5 %, other changes with
//! the defaults.

use super::one;
use crate::case::{Case, Wish};
use crate::generate::Past;
use crate::generate::count::{self, Count};
use crate::generate::gauge::{Change, Gauge};
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::rate::Bound;
use crate::scenario::{Measure, Scenario, Section};

fn gauge(gauge: Gauge, wish: Wish, least: f64) -> Scenario {
    let what = format!(
        "{}, CV {:.0} %, {} load, {}, {}",
        gauge.change.words(),
        gauge.cv * 100.0,
        gauge.load.word(),
        gauge.noise.words(),
        gauge.past.words(),
    );
    Scenario::faulty(
        Section::Faulty,
        format!("faulty: {what}"),
        what,
        move |chance, _| one(gauge, &wish, chance),
    )
    .goal(Measure::Found, Bound::AtLeast(least))
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for load in [Load::Diurnal, Load::Wave] {
        let step = Gauge::healthy(0.05).load(load).change(Change::Step(1.1));
        all.push(gauge(step, Wish::five_percent(), 0.98));
    }
    for (rate, load) in [(1.0, Load::Flat), (20.0, Load::Wandering)] {
        for minutes in [6, 12, 25] {
            let change = count::Change::Burst {
                minutes,
                factor: 10.0,
                floor: 0.0,
            };
            let count = Count::healthy(rate).load(load).change(change);
            let what = format!(
                "errors, {rate} a minute, {} load, {}",
                load.word(),
                change.words()
            );
            let scenario = Scenario::faulty(
                Section::Faulty,
                format!("faulty: {what}"),
                what,
                move |chance, run| Case::single(count.points(run, chance), Wish::default()),
            );
            all.push(scenario.goal(Measure::Found, Bound::AtLeast(0.95)));
        }
    }
    for change in [Change::Spread(3.0), Change::Bimodal(0.5)] {
        for (cv, rho, load) in [
            (0.05, 0.0, Load::Diurnal),
            (0.2, 0.0, Load::Flat),
            (0.2, 0.3, Load::Diurnal),
            (0.2, 0.6, Load::Wandering),
        ] {
            let base = Gauge::healthy(cv).load(load).noise(Noise::ar(rho));
            all.push(gauge(base.change(change), Wish::default(), 0.95));
        }
    }
    for (past, least) in [
        (Past::Unknown, 0.5),
        (Past::CLUSTER_12_H, 0.95),
        (Past::REPLICAS_12_H, 0.95),
    ] {
        for load in [Load::Flat, Load::Diurnal] {
            let base = Gauge::healthy(0.2).load(load).past(past);
            let tail = base.change(Change::Tail(0.15, 10.0));
            all.push(gauge(tail, Wish::default(), least));
        }
    }
    let late = Gauge::healthy(0.2).change(Change::LateStep(1.5));
    all.push(gauge(late, Wish::five_percent(), 0.9));
    all.push(gauge(late.load(Load::Diurnal), Wish::five_percent(), 0.9));
    all
}
