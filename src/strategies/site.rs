//! One target in the making of a plan: what was found there, what will be made, and how it stands after the steps so far.

use std::collections::BTreeMap;

use super::found::{Found, PlanProblem};
use super::naming::{cluster_for, next_group};
use super::others::{foreign, leftovers};
use super::shares::parted;
use super::steps::{NewGroup, Receivers, Steps};
use crate::config::release::spec::{ReleaseSpec, Strategy, Target};
use crate::model::release::cluster::{
    Artifact, Capacity, GroupView, Role, Share, Template, View, Weights,
};
use crate::model::release::names::GroupName;
use crate::model::release::step::Step;
use crate::stages::plan::{PlannedTarget, PreviousGroup};

/// What a plan is going to do, as far as it matters for what must be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intent {
    /// Whether baseline and canary are made where something serves.
    pub(super) tries: bool,
    /// Whether the new version takes over.
    pub(super) promotes: bool,
}

/// One target.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) spec: &'a ReleaseSpec,
    pub(super) found: &'a Found,
    pub(super) planned: PlannedTarget,
    /// How the new version is run.
    template: Template,
    /// What runs now, for the baseline.
    live: Option<(Artifact, Template)>,
    /// The sizes of the server group that takes over, once all is done.
    pub(super) whole: Capacity,
    router: Option<String>,
    /// The shares after the steps so far.
    now: Weights,
    /// The sizes after the steps so far, of what the plan touched.
    sizes: BTreeMap<GroupName, Capacity>,
}

/// The production groups of the view.
pub(super) fn production(view: &View) -> impl Iterator<Item = &GroupView> {
    view.groups.iter().filter(|group| {
        group.role == Role::Production && group.name.cluster() == view.place.cluster
    })
}

/// The groups that serve, newest first, and how all traffic is parted among them alone.
pub(super) fn serving(view: &View) -> (Vec<&GroupView>, Weights) {
    let mut groups: Vec<&GroupView> = production(view)
        .filter(|group| group.enabled && view.share(&group.name) > Share::NONE)
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.created_ms, group.name.number())));
    let counts = groups
        .iter()
        .map(|group| (group.name.clone(), view.share(&group.name).basis_points()))
        .collect();
    let weights = parted(Share::ALL, &counts);
    (groups, weights)
}

/// The group that a template and sizes are copied from where nothing serves: the newest, enabled ones first.
fn idle(view: &View) -> Option<&GroupView> {
    production(view).max_by_key(|group| (group.enabled, group.created_ms, group.name.number()))
}

impl<'a> Site<'a> {
    pub(super) fn read(
        spec: &'a ReleaseSpec,
        target: &Target,
        found: &'a Found,
        intent: Intent,
    ) -> Result<Self, Vec<PlanProblem>> {
        let mut problems = Vec::new();
        let view = &found.view;
        let (groups, weights) = serving(view);
        let source = groups.first().copied();
        let origin = source.or_else(|| idle(view));
        let tries = intent.tries && source.is_some();
        let mut name = |role, wanted: bool| {
            let named = wanted.then(|| {
                cluster_for(&target.place, role).and_then(|cluster| next_group(view, &cluster))
            });
            named.transpose().unwrap_or_else(|problem| {
                problems.push(problem);
                None
            })
        };
        let baseline = name(Role::Baseline, tries);
        let canary = name(Role::Canary, tries);
        let next = name(Role::Production, intent.promotes);
        let template = target
            .template
            .clone()
            .or_else(|| origin.map(|group| group.template.clone()));
        if template.is_none() {
            problems.push(PlanProblem {
                target: None,
                message: "nothing runs there whose template could be copied".to_owned(),
                hint: "give the target a `template`".to_owned(),
            });
        }
        let whole = whole(spec, target, found, &groups, origin);
        if whole.is_none() {
            problems.push(PlanProblem {
                target: None,
                message: "nothing runs there whose size could be copied".to_owned(),
                hint: "give the target a `size` of at least 1".to_owned(),
            });
        }
        problems.extend(foreign(spec, found, &groups, intent));
        problems.extend(leftovers(view));
        let (Some(template), Some(whole), true) = (template, whole, problems.is_empty()) else {
            return Err(problems
                .into_iter()
                .map(|problem| PlanProblem {
                    target: Some(target.name.clone()),
                    ..problem
                })
                .collect());
        };
        let previous = groups.iter().map(|group| PreviousGroup {
            name: group.name.clone(),
            artifact: group.artifact.clone(),
            capacity: group.capacity,
        });
        Ok(Self {
            spec,
            found,
            template,
            live: source.map(|group| (group.artifact.clone(), group.template.clone())),
            whole,
            router: target.router.clone(),
            now: view
                .router
                .as_ref()
                .map(|router| router.weights.clone())
                .unwrap_or_default(),
            sizes: groups
                .iter()
                .map(|group| (group.name.clone(), group.capacity))
                .collect(),
            planned: PlannedTarget {
                name: target.name.clone(),
                place: target.place.clone(),
                previous: previous.collect(),
                weights,
                baseline,
                canary,
                next,
                observed: view.clone(),
            },
        })
    }

    /// The source and both sides, where there is something to compare with.
    pub(super) fn sides(&self) -> Option<(GroupName, GroupName)> {
        Some((self.planned.baseline.clone()?, self.planned.canary.clone()?))
    }

    /// Whether baseline and canary are run in the same way, but for the artifact.
    pub(super) fn keeps_template(&self) -> bool {
        let live = self.live.as_ref().map(|(_, template)| template);
        live == Some(&self.template)
    }

    fn steps(&self) -> Steps<'_> {
        Steps {
            place: &self.planned.place,
            limits: &self.spec.limits,
        }
    }

    /// A router, where there is none.
    pub(super) fn open_router(&self) -> Vec<Step> {
        if self.planned.observed.router.is_some() {
            return Vec::new();
        }
        vec![self.steps().open_router(self.router.as_deref())]
    }

    /// What serves keeps its size while its traffic changes.
    pub(super) fn pin(&mut self) -> Vec<Step> {
        if !self.found.abilities.scaling {
            return Vec::new();
        }
        let names: Vec<GroupName> = self.planned.weights.keys().cloned().collect();
        let mut steps = Vec::new();
        for name in names {
            let pinned = self.sizes.get(&name).map(|capacity| capacity.pinned());
            if let Some(pinned) = pinned {
                steps.extend(self.resize(&name, pinned));
            }
        }
        steps
    }

    /// Baseline and canary.
    pub(super) fn create_sides(&mut self, size: u32) -> Vec<Step> {
        let (Some((baseline, canary)), Some((artifact, template))) =
            (self.sides(), self.live.clone())
        else {
            return Vec::new();
        };
        let lives_ms = Some(longest_life(self.spec));
        let capacity = Capacity::fixed(size);
        let baseline = NewGroup {
            name: baseline,
            role: Role::Baseline,
            artifact,
            template,
            capacity,
            lives_ms,
        };
        let canary = NewGroup {
            name: canary,
            role: Role::Canary,
            artifact: self.spec.artifact.clone(),
            template: self.template.clone(),
            capacity,
            lives_ms,
        };
        vec![self.create(&baseline), self.create(&canary)]
    }

    /// The server group that takes over.
    pub(super) fn create_next(&mut self, capacity: Capacity) -> Vec<Step> {
        let Some(name) = self.planned.next.clone() else {
            return Vec::new();
        };
        vec![self.create(&NewGroup {
            name,
            role: Role::Production,
            artifact: self.spec.artifact.clone(),
            template: self.template.clone(),
            capacity,
            lives_ms: None,
        })]
    }

    fn create(&mut self, new: &NewGroup) -> Step {
        self.sizes.insert(new.name.clone(), new.capacity);
        self.steps().create(new)
    }

    /// How large what takes over must be for this share of the traffic: exactly so, while it grows.
    pub(super) fn size_at(&self, share: Share) -> Capacity {
        if share == Share::ALL || self.planned.previous.is_empty() {
            return self.whole.pinned();
        }
        let part = u64::from(self.whole.desired) * u64::from(share.basis_points());
        let size = part.div_ceil(u64::from(Share::ALL.basis_points())).max(1);
        Capacity::fixed(u32::try_from(size).unwrap_or(self.whole.desired))
    }

    /// Nothing where it has these sizes.
    pub(super) fn resize(&mut self, name: &GroupName, to: Capacity) -> Option<Step> {
        let from = self.sizes.insert(name.clone(), to)?;
        (from != to).then(|| self.steps().resize(name, from, to))
    }

    /// All instances of both sides: they are compared.
    pub(super) fn await_sides(&self) -> Vec<Step> {
        let names = self.sides().map(|(baseline, canary)| [baseline, canary]);
        names
            .into_iter()
            .flatten()
            .filter_map(|name| {
                let size = self.sizes.get(&name)?.desired;
                Some(self.steps().await_healthy(&name, size, size))
            })
            .collect()
    }

    /// All instances of the group that takes over: what is forward may fail, what leads back must not.
    pub(super) fn await_next(&self) -> Option<Step> {
        let name = self.planned.next.as_ref()?;
        let size = self.sizes.get(name)?.desired;
        Some(self.steps().await_healthy(name, size, size))
    }

    /// The traffic is parted so.
    pub(super) fn set_traffic(&mut self, to: Receivers<'_>, weights: Weights) -> Option<Step> {
        if self.now == weights || weights.is_empty() {
            return None;
        }
        let step = self.steps().traffic(to, &self.now, weights.clone());
        self.now = weights;
        Some(step)
    }

    /// What served before, and for a highlander all else that is enabled, serves no more.
    pub(super) fn disable_others(&self) -> Vec<Step> {
        let is_alone = self.spec.promotion.strategy == Strategy::Highlander;
        let previous = &self.spec.promotion.previous;
        production(&self.planned.observed)
            .filter(|group| group.enabled)
            .filter(|group| is_alone || self.planned.weights.contains_key(&group.name))
            .map(|group| {
                let after = if is_alone || previous.keep_ms == 0 {
                    "then removed".to_owned()
                } else {
                    let keep = super::steps::duration(previous.keep_ms);
                    let size = match previous.scale_down {
                        true => 0,
                        false => group.capacity.desired,
                    };
                    format!("kept {keep}, {}", super::steps::instances(size))
                };
                self.steps().disable(&group.name, after)
            })
            .collect()
    }
}

/// After how many milliseconds baseline and canary are removed whatever happens: the longest release, the longest way back,
/// and the wait before they are removed anyway.
fn longest_life(spec: &ReleaseSpec) -> u64 {
    let back = spec
        .limits
        .healthy_ms
        .saturating_add(spec.limits.operation_ms.saturating_mul(4));
    spec.limits
        .release_ms
        .saturating_add(back)
        .saturating_add(spec.cleanup.delay_ms)
}

/// The sizes of what takes over: as the target asks, else as many as serve now, in all groups whose traffic it takes.
fn whole(
    spec: &ReleaseSpec,
    target: &Target,
    found: &Found,
    groups: &[&GroupView],
    origin: Option<&GroupView>,
) -> Option<Capacity> {
    let takes_all = spec.promotion.strategy != Strategy::None;
    let all = groups
        .iter()
        .map(|group| group.capacity)
        .reduce(|a, b| Capacity {
            min: a.min.saturating_add(b.min),
            desired: a.desired.saturating_add(b.desired),
            max: a.max.saturating_add(b.max),
        });
    let base = all
        .filter(|_| takes_all)
        .or_else(|| origin.map(|group| group.capacity));
    let scales = found.abilities.scaling;
    let whole = match (target.size, base) {
        (Some(size), Some(base)) if scales && base.min != base.max => Capacity {
            min: base.min.min(size),
            desired: size,
            max: base.max.max(size),
        },
        (Some(size), _) => Capacity::fixed(size),
        (None, Some(base)) if scales => base,
        (None, Some(base)) => Capacity::fixed(base.desired),
        (None, None) => return None,
    };
    (whole.desired > 0).then_some(whole)
}
