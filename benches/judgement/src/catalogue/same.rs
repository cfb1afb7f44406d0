//! The same canary in other clothes: other units, another order, sides exchanged, asked twice.

use super::one;
use crate::case::{Case, Wish};
use crate::chance::Chance;
use crate::generate::Past;
use crate::generate::count::{self, Count};
use crate::generate::gauge::{Change, Gauge};
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::rate::Bound;
use crate::scenario::{Disguise, Measure, Scenario, Section, Trial};

/// Changes that a run's gauges go through: some decided, some at the edge, where a rounding would show.
const CHANGES: [Change; 6] = [
    Change::None,
    Change::Step(1.1),
    Change::Step(0.8),
    Change::LateStep(1.5),
    Change::Tail(0.15, 10.0),
    Change::Spread(3.0),
];

/// Five gauges of different changes; a count as well where the unit stays, because counts have none.
fn varied(past: Past, with_count: bool, run: u64, chance: &mut Chance) -> Case {
    let mut case = Case::default();
    for index in 0..5 {
        let gauge = Gauge::healthy(super::CVS[index % 4])
            .load(Load::ALL[index])
            .noise(Noise::ar(0.3))
            .past(past)
            .change(CHANGES[(run as usize + index) % CHANGES.len()]);
        super::add(
            &mut case,
            &format!("gauge {index}"),
            gauge,
            &Wish::default(),
            chance,
        );
    }
    if with_count {
        let count = Count::healthy(2.0).past(past);
        let count = if run.is_multiple_of(2) {
            count
        } else {
            count.change(count::Change::Ratio(2.0))
        };
        case.add("count", count.points(run, chance), Wish::default());
    }
    case
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for past in [Past::Unknown, Past::CLUSTER_12_H] {
        for (disguise, what) in [
            (Disguise::Units, "twelve units from 1e-8 to 1e6"),
            (Disguise::Order, "metrics in another order"),
            (Disguise::Mirror, "sides and limits exchanged"),
            (Disguise::Twice, "asked twice"),
        ] {
            let with_count = disguise != Disguise::Units;
            let what = format!("{what}, {}", past.words());
            let scenario = Scenario::healthy(
                Section::Invariance,
                format!("same: {what}"),
                what,
                move |chance, run| varied(past, with_count, run, chance),
            );
            let scenario = scenario.trial(Trial::Disguised(disguise));
            all.push(scenario.goal(Measure::Same, Bound::AtLeast(1.0)));
        }
    }
    // Alone a metric cannot hide behind the verdict of others.
    let gauge = Gauge::healthy(0.3).change(Change::Step(1.28));
    let what = "twelve units from 1e-8 to 1e6, one gauge, +28 % at CV 30 %";
    let scenario = Scenario::faulty(
        Section::Invariance,
        format!("same: {what}"),
        what,
        move |chance, _| one(gauge, &Wish::default(), chance),
    );
    let scenario = scenario.trial(Trial::Disguised(Disguise::Units));
    all.push(scenario.goal(Measure::Same, Bound::AtLeast(1.0)));
    all
}
