//! What a schema cannot say of a release spec, and the defaults.

mod analysis;
mod promotion;
mod stages;
mod targets;
mod windows;

use super::Overrides;
use super::read::ReadConfig;
use super::share::{self, ShareText};
use super::spec::{CanarySpec, CanaryStep, CleanupSpec, GuardSpec, ReleaseSpec};
use super::wire::{ArtifactWire, CanaryStepWire, SpecWire};
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::{Findings, Problem};
use crate::config::server::duration::{self, DurationText};
use crate::model::clean::is_hidden;
use crate::model::release::cluster::{Artifact, Share};

/// Longest time that is read, in milliseconds: 366 days. A deadline that far ahead is surely not meant.
const MOST_MS: u64 = 366 * 86_400_000;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

/// Most judgements of a release, those of all its targets together: each is a stage of its plan.
const MOST_JUDGEMENTS: u64 = 2_000;

/// The share of a canary where no step is given.
const FIRST_SHARE: u32 = 500;

/// A spec with what is wrong with it. It is worth nothing where anything is.
pub(super) struct Outcome {
    pub(super) spec: ReleaseSpec,
    pub(super) problems: Vec<Problem>,
}

/// Checks and fills in.
#[derive(Default)]
struct Rules {
    findings: Findings,
}

/// The spec that `wire` makes. `config` is the canary config, where it could be read.
pub(super) fn spec(
    wire: SpecWire,
    config: Option<ReadConfig>,
    overrides: &Overrides,
    artifact_later: bool,
) -> Outcome {
    let mut rules = Rules::default();
    let root = Path::root();
    let application = wire.application.unwrap_or_default();
    let targets = rules.targets(&application, wire.targets, overrides);
    let runs_processes = targets.iter().any(|target| target.template.is_some());
    let artifact = rules.artifact(
        wire.artifact.unwrap_or_default(),
        overrides,
        artifact_later,
        runs_processes,
    );
    let judged_by = wire.analysis.is_some();
    let scrapes = wire.analysis.as_ref().is_some_and(|it| it.source.is_none());
    let analysis = wire
        .analysis
        .map(|analysis| rules.analysis(&analysis, config));
    let listed = wire.stages.is_some();
    let canary = match wire.canary {
        Some(_) if listed => {
            let problem = Problem::new(
                root.key("canary"),
                "`canary` beside `stages`",
                "one of them, since the stages say how it is tried",
            );
            rules.problem(problem.hint("move its steps into `stages`: `{type: deploy, share: 5%, size: 1}`, then `{type: analyze, judgements: 3}`"));
            None
        }
        None if listed || !judged_by => None,
        canary => rules.canary(canary.and_then(|canary| canary.steps)),
    };
    let promotion = rules.promotion(wire.promotion.unwrap_or_default());
    let stages = wire.stages.map(|stages| rules.stages(stages, &promotion));
    let on = analysis::consequences(wire.on_verdict.unwrap_or_default());
    let ask = rules.ask(wire.ask.unwrap_or_default());
    let guard = wire.guard.unwrap_or_default();
    let guard = GuardSpec {
        least_share: rules.share(
            guard.least_share.as_ref(),
            root.key("guard").key("leastShare"),
            Share::NONE,
        ),
        least_instances: guard.least_instances.unwrap_or(1),
    };
    let cleanup = wire.cleanup.unwrap_or_default();
    let cleanup = CleanupSpec {
        delay_ms: rules.time(
            cleanup.delay.as_ref(),
            root.key("cleanup").key("delay"),
            0,
            0,
        ),
    };
    let windows = rules.windows(
        wire.windows.unwrap_or_default(),
        wire.blackouts.unwrap_or_default(),
    );
    let limits = rules.limits(wire.limits.unwrap_or_default());
    let mut spec = ReleaseSpec {
        application,
        targets,
        artifact,
        canary,
        analysis,
        on,
        ask,
        promotion,
        windows,
        guard,
        cleanup,
        limits,
        stages,
    };
    rules.judgements(&spec, scrapes);
    if spec.limits.release_ms == 0 {
        spec.limits.release_ms = release_limit(&spec);
    }
    Outcome {
        spec,
        problems: rules.findings.problems,
    }
}

/// Twice what the release takes if all goes well, and the time for an answer; at least a day, at most as long as anything.
fn release_limit(spec: &ReleaseSpec) -> u64 {
    let twice = spec.least_ms().saturating_mul(2);
    let answered = twice.saturating_add(spec.ask.deadline_ms);
    answered.clamp(24 * HOUR_MS, MOST_MS)
}

impl Rules {
    fn problem(&mut self, problem: Problem) {
        self.findings.problem(problem);
    }

    fn wrong(&mut self, path: Path, found: &str, expected: &str) {
        let found = format!("text `{}`", shorten(found, 40));
        self.problem(Problem::new(path, found, expected));
    }

    /// Keeps at most `most` of `items`; more are a problem. What is checked takes no longer then, whatever a text holds.
    fn few<T>(&mut self, items: &mut Vec<T>, path: Path, most: usize) {
        if items.len() > most {
            let found = format!("a list of {} items", items.len());
            self.problem(Problem::new(path, found, format!("at most {most}")));
            items.truncate(most);
        }
    }

    /// A time in milliseconds, at least `least_ms`.
    fn time(
        &mut self,
        text: Option<&DurationText>,
        path: Path,
        default_ms: u64,
        least_ms: u64,
    ) -> u64 {
        let Some(DurationText(text)) = text else {
            return default_ms;
        };
        let parsed = duration::parse(text).and_then(|time| u64::try_from(time.as_millis()).ok());
        match parsed {
            Some(ms) if ms < least_ms => {
                let expected = format!("at least `{}`", super::brief(least_ms));
                self.wrong(path, text, &expected);
            }
            Some(ms) if ms > MOST_MS => self.wrong(path, text, "at most `366d`"),
            Some(ms) => return ms,
            None => self.wrong(path, text, duration::EXPECTED),
        }
        default_ms
    }

    fn share(&mut self, text: Option<&ShareText>, path: Path, default: Share) -> Share {
        let Some(ShareText(text)) = text else {
            return default;
        };
        share::parse(text).unwrap_or_else(|| {
            self.wrong(path, text, share::EXPECTED);
            default
        })
    }

    /// The share of a baseline, which is the canary's too: both together are at most all traffic.
    fn half(&mut self, text: Option<&ShareText>, path: &Path) -> Share {
        let default = Share::new(FIRST_SHARE).unwrap_or_default();
        let share = self.share(text, path.clone(), default);
        if share == Share::NONE || share.basis_points() > Share::ALL.basis_points() / 2 {
            let found = format!("{share} for each of baseline and canary");
            let problem = Problem::new(path.clone(), found, "more than `0%`, and at most `50%`");
            self.problem(problem);
            return default;
        }
        share
    }

    /// A text without control characters, of at most `most` bytes.
    fn plain(&mut self, text: &str, path: Path, most: usize) {
        if text.trim().is_empty() {
            self.problem(Problem::new(
                path,
                "an empty text",
                "text that is not empty",
            ));
        } else if text.chars().any(is_hidden) {
            self.wrong(path, text, "text without control characters");
        } else if text.len() > most {
            let found = format!("a text of {} bytes", text.len());
            self.problem(Problem::new(path, found, format!("at most {most}")));
        }
    }

    fn artifact(
        &mut self,
        wire: ArtifactWire,
        overrides: &Overrides,
        later: bool,
        runs_processes: bool,
    ) -> Artifact {
        let path = Path::root().key("artifact");
        let missing = |key: &str, flag: &str, what: &str| {
            Problem::missing(path.key(key), what).hint(format!(
                "write `artifact: {{{key}: …}}`, or give it when the release is started: `{flag}`"
            ))
        };
        let version = overrides.version.clone().or(wire.version);
        let version = version.unwrap_or_else(|| {
            if !later {
                self.problem(missing("version", "--version 5.4.0", "a version"));
            }
            "later".to_owned()
        });
        self.plain(&version, path.key("version"), 128);
        let given = overrides.artifact.is_some();
        let reference = overrides.artifact.clone().or(wire.reference);
        let reference = reference.unwrap_or_else(|| {
            if !later {
                let what = "what the driver starts: a path, an image";
                self.problem(missing("reference", "--artifact REFERENCE", what));
            }
            "later".to_owned()
        });
        self.plain(&reference, path.key("reference"), 1024);
        let reference = reference.replace("{version}", &version);
        Artifact {
            version,
            reference: if runs_processes && !given {
                overrides.in_folder(&reference)
            } else {
                reference
            },
        }
    }

    fn canary(&mut self, steps: Option<Vec<CanaryStepWire>>) -> Option<CanarySpec> {
        let mut steps = steps.unwrap_or_else(|| vec![CanaryStepWire::default()]);
        let path = Path::root().key("canary").key("steps");
        self.few(&mut steps, path.clone(), 100);
        let steps: Vec<CanaryStep> = steps
            .iter()
            .enumerate()
            .map(|(index, step)| CanaryStep {
                share: self.half(step.share.as_ref(), &path.index(index).key("share")),
                size: step.size.unwrap_or(1),
                judgements: step.judgements.unwrap_or(3),
            })
            .collect();
        (!steps.is_empty()).then_some(CanarySpec { steps })
    }

    /// Whatever is judged needs something that judges, and somewhere that is read.
    fn judgements(&mut self, spec: &ReleaseSpec, scrapes: bool) {
        let (in_all, asked_by) = spec.judgements();
        let root = Path::root();
        if in_all > 0 && spec.analysis.is_none() {
            let found = format!("missing, and `{asked_by}` asks for judgements");
            let problem = Problem::new(root.key("analysis"), found, "how it is judged");
            self.problem(problem.hint("write `analysis: {config: PATH}` with a canary config"));
        }
        if in_all == 0 && !spec.promotes() && spec.stages.is_none() {
            let path = root.key("promotion").key("strategy");
            let expected = "a strategy that promotes, or `analysis` and `canary`";
            self.problem(Problem::new(path, "`judge` without a canary", expected));
        }
        let targets = u64::try_from(spec.targets.len()).unwrap_or(u64::MAX);
        let of_all_targets = in_all.saturating_mul(targets);
        if of_all_targets > MOST_JUDGEMENTS {
            let found = format!("{of_all_targets} judgements in all targets together");
            let expected = format!("at most {MOST_JUDGEMENTS}");
            self.problem(Problem::new(root.key(asked_by), found, expected));
        }
        if in_all == 0 || !scrapes {
            return;
        }
        for (index, target) in spec.targets.iter().enumerate() {
            let no_page = target
                .template
                .as_ref()
                .is_some_and(|template| template.0.get("metrics").is_none());
            if no_page {
                let path = root
                    .key("targets")
                    .index(index)
                    .key("process")
                    .key("metrics");
                let problem = Problem::missing(path, "the path of the page of metrics");
                self.problem(problem.hint("write `metrics: /metrics`; or name an account under `analysis.source`, whose series are read instead"));
            }
        }
    }
}
