//! All scenarios, by what they are about.

pub mod faulty;
pub mod grid;
pub mod healthy;
pub mod recorded;
pub mod same;
pub mod unusual;
pub mod watched;

use crate::case::{Case, Wish};
use crate::chance::Chance;
use crate::generate::Past;
use crate::generate::gauge::Gauge;
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::scenario::Scenario;

/// Every scenario, in the order of the report.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut all = healthy::scenarios();
    all.extend(faulty::scenarios());
    all.extend(watched::scenarios());
    all.extend(unusual::scenarios());
    all.extend(same::scenarios());
    all.extend(grid::scenarios());
    all.extend(recorded::scenarios());
    all
}

/// The scenarios that a required number is about.
#[must_use]
pub fn required() -> Vec<Scenario> {
    let mut all = all();
    all.retain(|scenario| !scenario.goals.is_empty());
    all
}

/// Coefficients of variation that mixed canaries go through.
pub(crate) const CVS: [f64; 4] = [0.05, 0.1, 0.2, 0.4];

/// `count` healthy gauges that go through all loads and coefficients of variation.
fn mixed(count: usize, noise: Noise, past: Past, wish: &Wish, chance: &mut Chance) -> Case {
    let mut case = Case::default();
    for index in 0..count {
        let cv = CVS[index / Load::ALL.len() % CVS.len()];
        let gauge = Gauge::healthy(cv)
            .load(Load::ALL[index % Load::ALL.len()])
            .noise(noise)
            .past(past);
        add(&mut case, &format!("gauge {index}"), gauge, wish, chance);
    }
    case
}

/// Adds a gauge with what could be seen of it.
fn add(case: &mut Case, name: &str, gauge: Gauge, wish: &Wish, chance: &mut Chance) {
    let wish = Wish {
        smallest_visible: Some(gauge.smallest_visible()),
        ..wish.clone()
    };
    case.add(name, gauge.points(chance), wish);
}

/// A canary of one gauge.
fn one(gauge: Gauge, wish: &Wish, chance: &mut Chance) -> Case {
    let mut case = Case::default();
    add(&mut case, "gauge", gauge, wish, chance);
    case
}
