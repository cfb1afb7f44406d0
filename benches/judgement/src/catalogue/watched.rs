//! A look at every minute for an hour: false alarms at any of them, and the time until a fault is found.

use super::{add, mixed, one};
use crate::case::{Case, Wish};
use crate::generate::Past;
use crate::generate::count::{self, Count, Process};
use crate::generate::gauge::{Change, Gauge};
use crate::generate::noise::Noise;
use crate::rate::Bound;
use crate::scenario::{Measure, Scenario, Section, Trial};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    let noises = [
        (Noise::WHITE, 0.02),
        (Noise::ar(0.3), 0.02),
        (Noise::ar(0.6), 0.02),
        (Noise::ar(0.9), 0.04),
        (Noise::heavy(0.0), 0.04),
        (Noise::heavy(0.9), 0.04),
    ];
    for past in [Past::Unknown, Past::CLUSTER_12_H, Past::REPLICAS_12_H] {
        for (noise, most) in noises {
            let what = format!("{}, {}", noise.words(), past.words());
            let healthy = Scenario::healthy(
                Section::Watched,
                format!("watched, healthy: {what}"),
                format!("healthy, 20 gauges of mixed load and CV: {what}"),
                move |chance, _| mixed(20, noise, past, &Wish::default(), chance),
            );
            let watched = healthy.trial(Trial::EveryMinute);
            all.push(watched.goal(Measure::Flagged, Bound::AtMost(most)));
        }
    }
    for (process, rate, required) in [
        (Process::Poisson, 1.0, false),
        (Process::Poisson, 10.0, false),
        (Process::OwnGamma(1.0), 10.0, true),
        (Process::Bursts(10.0), 10.0, true),
        (Process::Bursts(10.0), 100.0, true),
        (Process::Bursts(10.0), 1.0, false),
    ] {
        for ratio in [1.0, 2.0] {
            all.push(counts(process, rate, ratio, required));
        }
    }
    for rho in [0.0, 0.3, 0.6, 0.9] {
        for change in [
            Change::Deviations(0.5, 0),
            Change::Deviations(1.0, 0),
            Change::Deviations(2.0, 0),
            Change::Deviations(5.0, 0),
            Change::Deviations(8.0, 30),
        ] {
            let gauge = Gauge::healthy(0.2)
                .noise(Noise::ar(rho))
                .past(Past::REPLICAS_12_H)
                .change(change);
            let what = format!(
                "one gauge, {}: {}, {}",
                change.words(),
                gauge.noise.words(),
                gauge.past.words()
            );
            let faulty = Scenario::faulty(
                Section::Watched,
                format!("watched, {what}"),
                what,
                move |chance, _| one(gauge, &Wish::five_percent(), chance),
            );
            all.push(faulty.trial(Trial::EveryMinute));
        }
    }
    all.push(one_of_twenty());
    all
}

/// Counts of `rate` a minute and side.
fn counts(process: Process, rate: f64, ratio: f64, required: bool) -> Scenario {
    let change = if ratio == 1.0 {
        count::Change::None
    } else {
        count::Change::Ratio(ratio)
    };
    let count = Count::healthy(rate).process(process).change(change);
    let what = format!(
        "events, {} a minute on both sides together, {}: {}",
        rate * 2.0,
        process.words(),
        change.words()
    );
    let make = if ratio == 1.0 {
        Scenario::healthy
    } else {
        Scenario::faulty
    };
    let scenario = make(
        Section::Watched,
        format!("watched, {what}"),
        what,
        move |chance: &mut crate::chance::Chance, run: u64| {
            Case::single(count.points(run, chance), Wish::default())
        },
    );
    let scenario = scenario.trial(Trial::EveryMinute);
    if required && ratio == 1.0 {
        scenario.goal(Measure::Flagged, Bound::AtMost(0.045))
    } else {
        scenario
    }
}

fn one_of_twenty() -> Scenario {
    let what = "one gauge of 20, 1.5 sd: AR(0.3), 12 h of two replicas".to_owned();
    let noise = Noise::ar(0.3);
    let faulty = Scenario::faulty(
        Section::Watched,
        format!("watched, {what}"),
        what,
        move |chance, _| {
            let mut case = Case::default();
            for index in 0..20 {
                let healthy = Gauge::healthy(0.2).noise(noise).past(Past::REPLICAS_12_H);
                let gauge = if index == 0 {
                    healthy.change(Change::Deviations(1.5, 0))
                } else {
                    healthy
                };
                let name = format!("gauge {index}");
                add(&mut case, &name, gauge, &Wish::five_percent(), chance);
            }
            case
        },
    );
    faulty.trial(Trial::EveryMinute)
}
