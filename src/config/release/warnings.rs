//! What a release spec may say but surely does not mean, with what follows from it.

use super::brief;
use super::spec::{ReleaseSpec, StageSpec, Strategy, WithoutAnswer};
use crate::config::path::Path;
use crate::config::problems::Warning;
use crate::model::release::process::ProcessTemplate;

/// Fewer points than this in a judgement's window can hardly tell two sides apart.
const FEW_POINTS: u64 = 8;

/// All of them, without places.
pub(super) fn all(spec: &ReleaseSpec) -> Vec<Warning> {
    let mut warnings = Warnings(Vec::new());
    warnings.judging(spec);
    warnings.points(spec);
    warnings.asking(spec);
    warnings.promoting(spec);
    warnings.limits(spec);
    warnings.targets(spec);
    warnings.0
}

struct Warnings(Vec<Warning>);

fn at(keys: &[&str]) -> Path {
    keys.iter().fold(Path::root(), |path, key| path.key(*key))
}

impl Warnings {
    fn add(&mut self, path: Path, message: impl Into<String>) {
        self.0.push(Warning {
            path,
            message: message.into(),
            position: None,
        });
    }

    fn judging(&mut self, spec: &ReleaseSpec) {
        let judgements = spec.judgements().0;
        if judgements == 0 && spec.analysis.is_some() {
            let message =
                "nothing is judged: neither the canary nor the promotion asks for a judgement";
            self.add(at(&["analysis"]), message);
        } else if judgements == 0 && spec.promotes() {
            let message = "nothing is judged: the new version takes over whatever it does; `analysis` and `canary` say how it is tried before";
            self.add(Path::root(), message);
        }
        let steps = spec
            .canary
            .iter()
            .flat_map(|canary| canary.steps.windows(2));
        for (index, pair) in steps.enumerate() {
            if let [before, after] = pair
                && (after.share < before.share || after.size < before.size)
            {
                let path = at(&["canary", "steps"]).index(index + 1);
                let message = format!(
                    "the canary shrinks from {} instances and {} to {} and {}",
                    before.size, before.share, after.size, after.share
                );
                self.add(path, message);
            }
        }
    }

    fn points(&mut self, spec: &ReleaseSpec) {
        let Some(analysis) = &spec.analysis else {
            return;
        };
        let path = at(&["analysis", "interval"]);
        let step_ms = analysis.step_secs.saturating_mul(1_000);
        let interval = brief(analysis.interval_ms);
        let (step, window_ms) = (
            brief(step_ms),
            analysis
                .look_back_ms
                .unwrap_or(u64::MAX)
                .min(analysis.interval_ms),
        );
        if analysis.interval_ms < step_ms {
            let message = format!(
                "`{interval}` is shorter than `analysis.step`, `{step}`: judgements would see no new point"
            );
            self.add(path, message);
            return;
        }
        let points = window_ms / step_ms.max(1);
        if points < FEW_POINTS {
            let message = format!(
                "the first judgement of a step sees {points} points a side (`{}` at a `step` of `{step}`); with fewer than {FEW_POINTS} hardly any difference can be told",
                brief(window_ms)
            );
            self.add(path, message);
        }
        if let Some(look_back_ms) = analysis.look_back_ms
            && look_back_ms < analysis.interval_ms
        {
            let message = format!(
                "`{}` is shorter than `analysis.interval`, `{interval}`: what happens between is never judged",
                brief(look_back_ms)
            );
            self.add(at(&["analysis", "lookBack"]), message);
        }
    }

    fn asking(&mut self, spec: &ReleaseSpec) {
        if spec.may_ask() && spec.ask.who.is_empty() {
            let message = "nobody is named who may answer, so anybody may";
            self.add(at(&["ask", "who"]), message);
        }
        if spec.ask.without_answer == WithoutAnswer::KeepWaiting
            && spec.ask.deadline_ms >= spec.limits.release_ms
        {
            let message = format!(
                "`{}` is not before `limits.release`, `{}`: nobody is reminded before it is taken back",
                brief(spec.ask.deadline_ms),
                brief(spec.limits.release_ms)
            );
            self.add(at(&["ask", "deadline"]), message);
        }
    }

    fn promoting(&mut self, spec: &ReleaseSpec) {
        if let Strategy::RollingRedBlack {
            shares, judgements, ..
        } = &spec.promotion.strategy
            && shares.len() == 1
            && *judgements > 0
        {
            let message = "nothing is judged: after the last share, which takes all traffic, there is no judgement";
            self.add(at(&["promotion", "judgements"]), message);
        }
        if let Some(stages) = &spec.stages {
            let judged = stages.iter().any(|stage| stage.judgements() > 0);
            let approved = stages
                .iter()
                .any(|stage| matches!(stage, StageSpec::Approve { .. }));
            if spec.promotes() && !judged && !approved {
                let message =
                    "`promote` without `analyze` or `approve` before it: nothing can hold it back";
                self.add(at(&["stages"]), message);
            }
        }
    }

    fn limits(&mut self, spec: &ReleaseSpec) {
        let path = at(&["limits", "release"]);
        let (least_ms, limit_ms) = (spec.least_ms(), spec.limits.release_ms);
        if limit_ms <= least_ms {
            let message = format!(
                "`{}` cannot be met: waits and judgements alone take `{}`, so it would always be taken back",
                brief(limit_ms),
                brief(least_ms)
            );
            self.add(path, message);
        } else if limit_ms <= spec.limits.healthy_ms {
            let message = format!(
                "`{}` is not above `limits.healthy`, `{}`, which can never be reached",
                brief(limit_ms),
                brief(spec.limits.healthy_ms)
            );
            self.add(path, message);
        }
    }

    fn targets(&mut self, spec: &ReleaseSpec) {
        for (index, target) in spec.targets.iter().enumerate() {
            let path = at(&["targets"]).index(index);
            if let Some(size) = target
                .size
                .filter(|size| *size < spec.guard.least_instances)
            {
                let message = format!(
                    "{size} instances are fewer than `guard.leastInstances`, {}: once they serve, nothing may be changed",
                    spec.guard.least_instances
                );
                self.add(path.key("size"), message);
            }
            let process = target.template.as_ref().map(ProcessTemplate::of);
            if let Some(Ok(process)) = process {
                let mut texts = process.command.iter().chain(process.environment.values());
                if !texts.any(|text| text.contains("{artifact}") || text.contains("{version}")) {
                    let message = "neither `{artifact}` nor `{version}` is in it, so that baseline and canary run the same";
                    self.add(path.key("process").key("command"), message);
                }
            }
        }
    }
}
