//! Healthy canaries in data that is not as a textbook has it. Nothing is required of these rows but that every metric is judged.

use coalmine_judges::config::evidence::MetricKind;
use coalmine_judges::series::{Grid, Series};

use super::{mixed, one};
use crate::case::{Case, Wish, map_values, minutes_from};
use crate::chance::Chance;
use crate::generate::count::{Count, Process};
use crate::generate::gauge::{Change, Gauge, Instances};
use crate::generate::load::Load;
use crate::generate::noise::Noise;
use crate::generate::proportion::{Proportion, Written};
use crate::generate::state::State;
use crate::generate::{HOUR, Past};
use crate::scenario::{Scenario, Section};

/// What is done to both sides of every metric of a healthy canary.
type Defect = fn(&mut Case, &mut Chance);

const DEFECTS: [(&str, Defect); 9] = [
    (
        "an incident that both sides share, × 5 for ten minutes",
        |case, chance| {
            let start = chance.below(HOUR - 10);
            for set in &mut case.sets {
                for side in [&mut set.baseline, &mut set.canary] {
                    *side = times(side, start..start + 10, 5.0);
                }
            }
        },
    ),
    (
        "a noisy neighbour of one side, × 1.2 for ten minutes",
        |case, chance| {
            let start = chance.below(HOUR - 10);
            let canary = chance.happens(0.5);
            for set in &mut case.sets {
                let side = if canary {
                    &mut set.canary
                } else {
                    &mut set.baseline
                };
                *side = times(side, start..start + 10, 1.2);
            }
        },
    ),
    ("10 % of the points missing by chance", |case, chance| {
        for set in &mut case.sets {
            for side in [&mut set.baseline, &mut set.canary] {
                let values: Vec<_> = side.values().to_vec();
                let kept = values
                    .into_iter()
                    .map(|value| value.filter(|_| !chance.happens(0.1)));
                *side = Series::new(side.grid(), kept.collect::<Vec<_>>());
            }
        }
    }),
    ("the canary has no points for 15 minutes", |case, chance| {
        let start = chance.below(HOUR - 15);
        for set in &mut case.sets {
            let values = set.canary.values().iter().enumerate();
            let kept =
                values.map(|(at, value)| value.filter(|_| !(start..start + 15).contains(&at)));
            set.canary = Series::new(set.canary.grid(), kept.collect::<Vec<_>>());
        }
    }),
    ("the canary's points end after 45 minutes", |case, _| {
        for set in &mut case.sets {
            let values = set.canary.values()[..45].to_vec();
            set.canary = Series::new(set.canary.grid(), values);
        }
    }),
    ("the canary's points are half a minute later", |case, _| {
        let now = minutes_from(0);
        let later = Grid {
            start_ms: now.start_ms + 30_000,
            ..now
        };
        for set in &mut case.sets {
            set.canary = Series::new(Some(later), set.canary.values().to_vec());
        }
    }),
    ("the canary's clock is a minute late", |case, _| {
        for set in &mut case.sets {
            set.canary = Series::new(Some(minutes_from(1)), set.canary.values().to_vec());
        }
    }),
    (
        "the canary restarts: no points for three minutes, then warm-up from × 2",
        |case, chance| {
            let start = chance.below(HOUR - 10);
            for set in &mut case.sets {
                let values = set.canary.values().iter().enumerate();
                let values = values.map(|(at, value)| match at.checked_sub(start) {
                    Some(0..3) => None,
                    Some(since) => {
                        value.map(|value| value * (1.0 + libm::exp2(3.0 - since as f64)))
                    }
                    None => *value,
                });
                set.canary = Series::new(set.canary.grid(), values.collect::<Vec<_>>());
            }
        },
    ),
    ("no timestamps", |case, _| {
        for set in &mut case.sets {
            for side in [&mut set.baseline, &mut set.canary] {
                *side = Series::new(None, side.values().to_vec());
            }
        }
    }),
];

fn times(series: &Series, minutes: std::ops::Range<usize>, factor: f64) -> Series {
    let values = series.values().iter().enumerate();
    let values = values.map(|(at, value)| {
        value.map(|value| {
            if minutes.contains(&at) {
                value * factor
            } else {
                value
            }
        })
    });
    Series::new(series.grid(), values.collect::<Vec<_>>())
}

fn unusual(
    what: impl Into<String>,
    make: impl Fn(&mut Chance, u64) -> Case + Send + Sync + 'static,
) -> Scenario {
    let what = what.into();
    Scenario::healthy(Section::Unusual, format!("unusual: {what}"), what, make)
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (what, defect) in DEFECTS {
        all.push(unusual(format!("four gauges: {what}"), move |chance, _| {
            let mut case = mixed(4, Noise::ar(0.3), Past::Unknown, &Wish::default(), chance);
            defect(&mut case, chance);
            case
        }));
    }
    for cv in [0.05, 0.2] {
        let gauge = Gauge::healthy(cv).change(Change::WarmUp(2.0));
        let what = format!("{} at CV {:.0} %", gauge.change.words(), cv * 100.0);
        all.push(unusual(what, move |chance, _| {
            one(gauge, &Wish::default(), chance)
        }));
    }
    all.push(unusual(
        "an incident in 12 h of history, × 5 for an hour",
        |chance, _| {
            let mut case = mixed(
                4,
                Noise::ar(0.3),
                Past::REPLICAS_12_H,
                &Wish::default(),
                chance,
            );
            let start = chance.below(660);
            for past in &mut case.history {
                past.series = times(&past.series, start..start + 60, 5.0);
            }
            case
        },
    ));
    all.push(unusual("both sides constant and equal", |chance, _| {
        let mut case = one(Gauge::healthy(0.1), &Wish::default(), chance);
        for set in &mut case.sets {
            set.baseline = map_values(&set.baseline, |_| 7.0);
            set.canary = set.baseline.clone();
        }
        case
    }));
    all.extend(instances());
    all.extend(kinds());
    all
}

/// Instances of one version that differ for as long as they live: the interval over time does not see it.
fn instances() -> Vec<Scenario> {
    let mut all = Vec::new();
    for sd in [0.02, 0.1] {
        for count in [1, 3, 10] {
            let gauge = Gauge {
                instances: Some(Instances { count, sd }),
                ..Gauge::healthy(0.1)
            };
            let what = format!(
                "{count} instances a side that differ by {:.0} %, CV 10 %",
                sd * 100.0
            );
            all.push(unusual(what, move |chance, _| {
                one(gauge, &Wish::default(), chance)
            }));
        }
    }
    all
}

fn kinds() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (written, name) in [
        (Written::Share, "shares of failing requests"),
        (
            Written::RoundedPercent,
            "success in percent of two decimals",
        ),
    ] {
        for failing in [0.0003, 0.02] {
            let proportion = Proportion {
                requests: 500.0,
                failing,
                ratio: 1.0,
                load: Load::Diurnal,
                written,
            };
            let what = format!("{name}, 500 requests a minute, {} % fail", failing * 100.0);
            all.push(unusual(what, move |chance, _| {
                let (shares, requests) = proportion.points(chance);
                let mut case = Case::default();
                case.add_proportion(shares, requests);
                case
            }));
        }
    }
    for past in [Past::Unknown, Past::CLUSTER_12_H, Past::REPLICAS_12_H] {
        let state = State {
            start: 500.0,
            step: 2.0,
            leak: 0.0,
            past,
        };
        let what = format!("a random walk such as memory, {}", past.words());
        all.push(unusual(what, move |chance, _| {
            let wish = Wish {
                kind: Some(MetricKind::State),
                ..Wish::default()
            };
            Case::single(state.points(chance), wish)
        }));
    }
    for (process, rate) in [
        (Process::ZeroInflated(0.3), 1.0),
        (Process::SharedGamma(1.0), 10.0),
        (Process::OwnGamma(1.0), 10.0),
        (Process::Bursts(10.0), 10.0),
        (Process::Poisson, 0.01),
    ] {
        let count = Count::healthy(rate).process(process);
        let what = format!("events, {rate} a minute, {}", process.words());
        all.push(unusual(what, move |chance, run| {
            Case::single(count.points(run, chance), Wish::default())
        }));
    }
    for share in [0.1, 0.01] {
        let count = Count {
            traffic: share / (1.0 - share),
            ..Count::healthy(20.0)
        };
        let what = format!(
            "events, 20 a minute, the canary has {} % of the traffic",
            share * 100.0
        );
        all.push(unusual(what, move |chance, run| {
            let mut case = Case::single(count.points(run, chance), Wish::default());
            case.traffic = Some((1.0 - share, share));
            case
        }));
    }
    all
}
