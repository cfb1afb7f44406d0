//! Healthy canaries, one look: how often they are flagged, and how often they pass.

use super::{add, mixed};
use crate::case::{Case, Wish};
use crate::chance::Chance;
use crate::generate::Past;
use crate::generate::count::Count;
use crate::generate::gauge::Gauge;
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::rate::Bound;
use crate::scenario::{Measure, Scenario, Section};

/// Metrics of these canaries.
const METRICS: usize = 10;

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    // Required without history; with it 2 % each.
    let noises = [
        (Noise::WHITE, 0.02),
        (Noise::STUDENT, 0.02),
        (Noise::ar(0.3), 0.03),
        (Noise::ar(0.6), 0.04),
        (Noise::ar(0.9), 0.06),
    ];
    for past in [Past::Unknown, Past::CLUSTER_12_H, Past::REPLICAS_12_H] {
        for (noise, without) in noises {
            let most = if past == Past::Unknown { without } else { 0.02 };
            for (tolerance, wish) in [
                ("default tolerance", Wish::default()),
                ("tolerance 5 %", Wish::five_percent()),
            ] {
                let what = format!("{}, {}, {tolerance}", noise.words(), past.words());
                let healthy = Scenario::healthy(
                    Section::Healthy,
                    format!("healthy: {what}"),
                    format!("{METRICS} gauges of mixed load and CV: {what}"),
                    move |chance, _| mixed(METRICS, noise, past, &wish, chance),
                );
                all.push(healthy.goal(Measure::Flagged, Bound::AtMost(most)));
            }
        }
    }
    for (cv, rho, past, least) in [
        (0.05, 0.0, Past::Unknown, 0.95),
        (0.1, 0.0, Past::Unknown, 0.95),
        (0.2, 0.0, Past::Unknown, 0.95),
        (0.2, 0.3, Past::Unknown, 0.95),
        (0.1, 0.6, Past::Unknown, 0.95),
        (0.2, 0.6, Past::CLUSTER_12_H, 0.7),
        (0.2, 0.6, Past::REPLICAS_12_H, 0.7),
    ] {
        let noise = Noise::ar(rho);
        let what = format!(
            "CV {:.0} %, {}, {}",
            cv * 100.0,
            noise.words(),
            past.words()
        );
        let passing = Scenario::healthy(
            Section::Passing,
            format!("passing: {what}"),
            format!("9 gauges and errors of 1 a minute: {what}"),
            move |chance, run| passing(cv, noise, past, run, chance),
        );
        all.push(
            passing
                .goal(Measure::Passed, Bound::AtLeast(least))
                .goal(Measure::Sound, Bound::AtLeast(1.0)),
        );
    }
    all
}

fn passing(cv: f64, noise: Noise, past: Past, run: u64, chance: &mut Chance) -> Case {
    let mut case = Case::default();
    for index in 0..METRICS - 1 {
        let gauge = Gauge::healthy(cv)
            .load(Load::ALL[index % Load::ALL.len()])
            .noise(noise)
            .past(past);
        add(
            &mut case,
            &format!("gauge {index}"),
            gauge,
            &Wish::default(),
            chance,
        );
    }
    let errors = Count::healthy(1.0).past(past);
    case.add("errors", errors.points(run, chance), Wish::default());
    case
}
