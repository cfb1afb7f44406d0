//! Puts stages and phases together.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine_judges::judgement::Verdict;

use super::shares::{beside, parted};
use super::site::Site;
use super::steps::Receivers;
use crate::config::release::spec::{CanaryStep, Consequence, ReleaseSpec, StageSpec, Strategy};
use crate::model::release::alike::Alike;
use crate::model::release::cluster::{Capacity, Share, Weights};
use crate::model::release::names::GroupName;
use crate::model::release::step::Step;
use crate::stages::Stage;
use crate::stages::analyze::Analyze;
use crate::stages::approve::Approve;
use crate::stages::operate::{Operate, Purpose};
use crate::stages::plan::{Comparison, Phase, Plan, Release};
use crate::stages::wait::{Until, Wait};

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    spec: &'a Arc<ReleaseSpec>,
    sites: Vec<Site<'a>>,
    stages: Vec<Stage>,
    phases: Vec<Phase>,
    judged: u32,
    /// Whether sizes are pinned, so that it is done once.
    pinned: bool,
    /// Whether baseline and canary were made.
    deployed: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(spec: &'a Arc<ReleaseSpec>, sites: Vec<Site<'a>>) -> Self {
        Self {
            spec,
            sites,
            stages: Vec::new(),
            phases: Vec::new(),
            judged: 0,
            pinned: false,
            deployed: false,
        }
    }

    fn phase(&mut self, name: impl Into<String>) {
        let first = self.stages.len();
        // A phase without stages is none.
        self.phases.retain(|phase| phase.first < first);
        self.phases.push(Phase {
            name: name.into(),
            first,
        });
    }

    pub(super) fn operate(&mut self, purpose: Purpose, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.stages.push(Stage::Operate(Operate { purpose, steps }));
        }
    }

    fn wait(&mut self, name: impl Into<String>, ms: u64) {
        if ms > 0 {
            self.stages.push(Stage::Wait(Wait {
                name: name.into(),
                until: Until::After { after_ms: ms },
            }));
        }
    }

    /// The same steps for every target, one kind after the other.
    fn each(&mut self, make: impl FnMut(&mut Site<'a>) -> Vec<Step>) -> Vec<Step> {
        self.sites.iter_mut().flat_map(make).collect()
    }

    fn pin(&mut self) -> Vec<Step> {
        if std::mem::replace(&mut self.pinned, true) {
            return Vec::new();
        }
        self.each(Site::pin)
    }

    fn compares(&self) -> bool {
        self.sites.iter().any(|site| site.sides().is_some())
    }

    /// Baseline and canary, one size after the other.
    pub(super) fn tries(&mut self, steps: &[CanaryStep]) {
        if !self.compares() {
            return;
        }
        for (place, step) in steps.iter().enumerate() {
            self.deploy(step.share, step.size);
            self.warm_up(0, "Warm-up");
            self.judge(step.judgements, Self::sides);
            if place + 1 == steps.len() {
                self.phase("Decision");
            }
            self.ask();
        }
    }

    fn deploy(&mut self, share: Share, size: u32) {
        if std::mem::replace(&mut self.deployed, true) {
            self.phase(share.to_string());
            let mut steps = self.each(|site| {
                let names = site.sides().map(|(baseline, canary)| [baseline, canary]);
                let names = names.into_iter().flatten();
                let to = Capacity::fixed(size);
                names.filter_map(|name| site.resize(&name, to)).collect()
            });
            if !steps.is_empty() {
                steps.extend(self.each(|site| site.await_sides()));
            }
            steps.extend(self.share_sides(share));
            self.operate(Purpose::Deploy, steps);
        } else {
            self.phase("Prepare");
            let mut steps = self.pin();
            steps.extend(self.each(|site| site.create_sides(size)));
            steps.extend(self.each(|site| site.await_sides()));
            self.operate(Purpose::Deploy, steps);
            self.phase(share.to_string());
            let steps = self.share_sides(share);
            self.operate(Purpose::Deploy, steps);
        }
    }

    fn share_sides(&mut self, share: Share) -> Vec<Step> {
        self.each(|site| {
            let Some((baseline, canary)) = site.sides() else {
                return Vec::new();
            };
            let own = [(&baseline, share), (&canary, share)];
            let weights = beside(&own, &site.planned.weights);
            let to = Receivers::BaselineAndCanary(&canary);
            site.set_traffic(to, weights).into_iter().collect()
        })
    }

    /// New instances and caches settle; at least so many milliseconds.
    fn warm_up(&mut self, least_ms: u64, name: &str) {
        let warm_up_ms = self.spec.analysis.as_ref().map_or(0, |it| it.warm_up_ms);
        self.wait(name, warm_up_ms.max(least_ms));
    }

    /// Baseline and canary of each target that has both.
    fn sides(&self) -> Vec<(usize, GroupName, GroupName, Alike)> {
        let sites = self.sites.iter().enumerate();
        sites
            .filter_map(|(place, site)| {
                let (baseline, canary) = site.sides()?;
                let alike = match site.keeps_template() {
                    true => Alike::Wholly,
                    false => Alike::ButForTemplate,
                };
                Some((place, baseline, canary, alike))
            })
            .collect()
    }

    /// What served before and what takes over.
    fn old_and_new(&self) -> Vec<(usize, GroupName, GroupName, Alike)> {
        let sites = self.sites.iter().enumerate();
        sites
            .filter_map(|(place, site)| {
                let source = site.planned.previous.first()?.name.clone();
                Some((place, source, site.planned.next.clone()?, Alike::Serving))
            })
            .collect()
    }

    fn judge(
        &mut self,
        judgements: u32,
        pairs: impl Fn(&Self) -> Vec<(usize, GroupName, GroupName, Alike)>,
    ) {
        let Some(analysis) = &self.spec.analysis else {
            return;
        };
        let pairs = pairs(self);
        for in_block in 1..=judgements {
            for (target, baseline, canary, alike) in &pairs {
                self.judged += 1;
                self.stages.push(Stage::Analyze(Analyze {
                    number: self.judged,
                    scopes: BTreeMap::new(),
                    comparison: Some(Comparison {
                        target: *target,
                        baseline: baseline.clone(),
                        canary: canary.clone(),
                        in_block,
                        of_block: judgements,
                        after_ms: analysis.interval_ms.saturating_mul(u64::from(in_block)),
                        look_back_ms: analysis.look_back_ms,
                        step_secs: analysis.step_secs,
                        alike: *alike,
                    }),
                }));
            }
        }
    }

    /// A question, where a verdict could ask for one.
    fn ask(&mut self) {
        let verdicts = [Verdict::Pass, Verdict::Marginal, Verdict::Inconclusive];
        let when: Vec<Verdict> = verdicts
            .into_iter()
            .filter(|verdict| self.spec.on.of(*verdict) == Consequence::Ask)
            .collect();
        if !when.is_empty() {
            self.approve(when, &self.spec.ask.instructions);
        }
    }

    fn approve(&mut self, when: Vec<Verdict>, instructions: &str) {
        let ask = &self.spec.ask;
        self.stages.push(Stage::Approve(Approve {
            when,
            instructions: instructions.to_owned(),
            who: ask.who.clone(),
            deadline_ms: ask.deadline_ms,
            without_answer: ask.without_answer,
        }));
    }

    /// A stage that the spec lists itself.
    pub(super) fn listed(&mut self, stage: &StageSpec) {
        match stage {
            StageSpec::Deploy { share, size } => {
                if self.compares() {
                    self.deploy(*share, *size);
                }
            }
            StageSpec::Wait { for_ms } => self.wait("Wait", *for_ms),
            StageSpec::Analyze { judgements } => self.judge(*judgements, Self::sides),
            StageSpec::Approve { instructions } => {
                self.phase("Decision");
                let instructions = match instructions.as_str() {
                    "" => &self.spec.ask.instructions,
                    instructions => instructions,
                };
                self.approve(Vec::new(), instructions);
            }
            StageSpec::Promote => self.promotes(),
        }
    }

    /// The new version takes over.
    pub(super) fn promotes(&mut self) {
        match self.spec.promotion.strategy.clone() {
            Strategy::Judge => {}
            Strategy::None => {
                self.phase("Promote");
                self.take(Share::ALL, true, |site, _| {
                    let mut counts: BTreeMap<GroupName, u32> = BTreeMap::new();
                    for group in &site.planned.previous {
                        counts.insert(group.name.clone(), group.capacity.desired);
                    }
                    counts.extend(site.planned.next.clone().map(|it| (it, site.whole.desired)));
                    parted(Share::ALL, &counts)
                });
            }
            Strategy::Native => {
                self.phase("100%");
                self.take(Share::ALL, true, beside_previous);
            }
            Strategy::Highlander => {
                self.phase("100%");
                self.take(Share::ALL, true, beside_previous);
                self.take_over();
            }
            Strategy::RedBlack { pause_ms } => {
                self.phase("100%");
                self.take(Share::ALL, true, beside_previous);
                self.pause_at_the_end(pause_ms);
                self.take_over();
            }
            Strategy::RollingRedBlack {
                shares,
                pause_ms,
                judgements,
            } => {
                // Where nothing serves, there is nothing to take over from bit by bit.
                let serves = self.something_serves();
                let is_below = |share: &&Share| serves && **share < Share::ALL;
                let below = shares.iter().filter(is_below);
                for (place, share) in below.enumerate() {
                    self.phase(share.to_string());
                    self.take(*share, place == 0, beside_previous);
                    let name = format!("Pause at {share}");
                    if judgements > 0 && !self.old_and_new().is_empty() {
                        self.warm_up(pause_ms, &name);
                        self.judge(judgements, Self::old_and_new);
                        self.ask();
                    } else {
                        self.wait(name, pause_ms);
                    }
                }
                let is_first = !shares.iter().any(|share| is_below(&share));
                self.phase("100%");
                self.take(Share::ALL, is_first, beside_previous);
                self.pause_at_the_end(pause_ms);
                self.take_over();
            }
        }
    }

    fn something_serves(&self) -> bool {
        let mut sites = self.sites.iter();
        sites.any(|site| !site.planned.previous.is_empty())
    }

    /// Those that served before stay a while in case of need; where there are none, nobody waits.
    fn pause_at_the_end(&mut self, pause_ms: u64) {
        if self.something_serves() {
            self.wait("Pause at 100%", pause_ms);
        }
    }

    /// What takes over gets this share, once it is large and healthy enough for it.
    fn take(
        &mut self,
        share: Share,
        is_first: bool,
        weights: impl Fn(&Site<'a>, Share) -> Weights,
    ) {
        let mut steps = Vec::new();
        if is_first {
            steps.extend(self.each(|site| site.open_router()));
            steps.extend(self.pin());
        }
        let mut grown = Vec::new();
        for site in &mut self.sites {
            let capacity = site.size_at(share);
            let name = site.planned.next.clone();
            let more = if is_first {
                site.create_next(capacity)
            } else {
                let step = name.and_then(|name| site.resize(&name, capacity));
                step.into_iter().collect()
            };
            grown.extend(site.await_next().filter(|_| !more.is_empty()));
            steps.extend(more);
        }
        steps.extend(grown);
        steps.extend(self.each(|site| {
            let Some(name) = site.planned.next.clone() else {
                return Vec::new();
            };
            let weights = weights(site, share);
            let step = site.set_traffic(Receivers::One(&name), weights);
            step.into_iter().collect()
        }));
        self.operate(Purpose::Promote, steps);
    }

    /// What served before serves no more, and what took over may change its size.
    fn take_over(&mut self) {
        let mut steps = self.each(|site| site.disable_others());
        steps.extend(self.each(|site| {
            let (name, whole) = (site.planned.next.clone(), site.whole);
            let step = name.and_then(|name| site.resize(&name, whole));
            step.into_iter().collect()
        }));
        self.operate(Purpose::Promote, steps);
    }

    /// Where nothing is promoted and baseline and canary stay for a while, they do so without traffic.
    fn give_back(&mut self) {
        let judges_only = self.spec.promotion.strategy == Strategy::Judge;
        if !judges_only || !self.deployed || self.spec.cleanup.delay_ms == 0 {
            return;
        }
        self.phase("Traffic back");
        let steps = self.each(|site| {
            let before = site.planned.weights.clone();
            let step = site.set_traffic(Receivers::Before(&before), before.clone());
            step.into_iter().collect()
        });
        self.operate(Purpose::Deploy, steps);
    }

    /// The way back and the cleanup, which every release has.
    pub(super) fn finish(mut self) -> Plan {
        self.give_back();
        self.phase("Take back");
        self.stages.push(Stage::Operate(Operate {
            purpose: Purpose::RollBack,
            steps: Vec::new(),
        }));
        self.phase("Clean up");
        if self.deployed {
            self.wait("Cleanup delay", self.spec.cleanup.delay_ms);
        }
        self.stages.push(Stage::Operate(Operate {
            purpose: Purpose::CleanUp,
            steps: Vec::new(),
        }));
        Plan {
            release: Release {
                spec: Arc::clone(self.spec),
                targets: self.sites.into_iter().map(|site| site.planned).collect(),
            },
            stages: self.stages,
            phases: self.phases,
        }
    }
}

/// What takes over has its share, and what served before has the rest; all of it where nothing served before.
fn beside_previous(site: &Site<'_>, share: Share) -> Weights {
    let Some(next) = &site.planned.next else {
        return site.planned.weights.clone();
    };
    let share = if site.planned.weights.is_empty() {
        Share::ALL
    } else {
        share
    };
    beside(&[(next, share)], &site.planned.weights)
}
