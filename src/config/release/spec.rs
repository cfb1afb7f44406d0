//! What a release spec says, checked and filled with defaults. The folder's other files make it from text.

use std::sync::Arc;

use coalmine_judges::config::Thresholds;
use coalmine_judges::judgement::Verdict;
use serde::{Deserialize, Serialize};

use crate::config::canary::wire::CanaryConfig;
use crate::model::release::cluster::{Artifact, Place, Share, Template};
use crate::model::release::window::Windows;

/// A whole release spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSpec {
    /// The application.
    pub application: String,
    /// Where it is released; at least one. All take the same steps together, and the worst verdict counts for all.
    pub targets: Vec<Target>,
    /// What is released.
    pub artifact: Artifact,
    /// How the new version is tried; absent where it is not.
    #[serde(default)]
    pub canary: Option<CanarySpec>,
    /// How it is judged; absent only where nothing is to be judged.
    #[serde(default)]
    pub analysis: Option<AnalysisSpec>,
    /// What follows from the verdicts.
    pub on: Consequences,
    /// How a person is asked.
    pub ask: AskSpec,
    /// How the new version takes over.
    pub promotion: Promotion,
    /// When things may be done.
    pub windows: Windows,
    /// What must hold of production.
    pub guard: GuardSpec,
    /// What is left when.
    pub cleanup: CleanupSpec,
    /// The longest that anything may take, in milliseconds.
    pub limits: Limits,
    /// Stages that the spec lists itself, instead of those that follow from the rest.
    #[serde(default)]
    pub stages: Option<Vec<StageSpec>>,
}

impl ReleaseSpec {
    /// How often each target is judged in all if nothing ends it earlier, and the first key of the spec that asks for it;
    /// `analysis` where nothing does.
    #[must_use]
    pub fn judgements(&self) -> (u64, &'static str) {
        let tried: u64 = match (&self.stages, &self.canary) {
            (Some(stages), _) => stages.iter().map(StageSpec::judgements).sum(),
            (None, Some(canary)) => canary.steps.iter().map(|it| u64::from(it.judgements)).sum(),
            (None, None) => 0,
        };
        let rolling = if self.promotes() {
            self.promotion.strategy.judgements()
        } else {
            0
        };
        let asked_by = match (tried, rolling) {
            (0, 0) => "analysis",
            (0, _) => "promotion",
            (_, _) if self.stages.is_some() => "stages",
            (_, _) => "canary",
        };
        (tried.saturating_add(rolling), asked_by)
    }

    /// Whether a new version takes over if all goes well.
    #[must_use]
    pub fn promotes(&self) -> bool {
        match &self.stages {
            Some(stages) => stages.contains(&StageSpec::Promote),
            None => self.promotion.strategy != Strategy::Judge,
        }
    }

    /// Whether a person may be asked.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        let approves = |stage: &StageSpec| matches!(stage, StageSpec::Approve { .. });
        let on = [self.on.pass, self.on.marginal, self.on.inconclusive];
        self.stages.iter().flatten().any(approves)
            || (self.judgements().0 > 0 && on.contains(&Consequence::Ask))
    }

    /// The time that its waits and judgements take, if all goes well and nobody is asked, in milliseconds. Operations are not
    /// counted.
    #[must_use]
    pub fn least_ms(&self) -> u64 {
        let block = |judgements: u64| match &self.analysis {
            Some(analysis) if judgements > 0 => analysis
                .warm_up_ms
                .saturating_add(analysis.interval_ms.saturating_mul(judgements)),
            Some(_) | None => 0,
        };
        let tried: Vec<u64> = match (&self.stages, &self.canary) {
            (Some(stages), _) => stages
                .iter()
                .map(|stage| match stage {
                    StageSpec::Wait { for_ms } => *for_ms,
                    StageSpec::Deploy { .. }
                    | StageSpec::Analyze { .. }
                    | StageSpec::Approve { .. }
                    | StageSpec::Promote => block(stage.judgements()),
                })
                .collect(),
            (None, Some(canary)) => {
                let steps = canary.steps.iter();
                steps
                    .map(|step| block(u64::from(step.judgements)))
                    .collect()
            }
            (None, None) => Vec::new(),
        };
        let promoted = match &self.promotion.strategy {
            _ if !self.promotes() => 0,
            Strategy::RedBlack { pause_ms } => *pause_ms,
            Strategy::RollingRedBlack {
                shares,
                pause_ms,
                judgements,
            } => {
                let steps = u64::try_from(shares.len())
                    .unwrap_or(u64::MAX)
                    .saturating_sub(1);
                let step = pause_ms.saturating_add(block(u64::from(*judgements)));
                step.saturating_mul(steps)
            }
            Strategy::Judge | Strategy::None | Strategy::Highlander | Strategy::Native => 0,
        };
        tried.into_iter().fold(promoted, u64::saturating_add)
    }
}

/// One place of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// A name for people, unique in the spec: `eu-west-1`.
    pub name: String,
    /// Where.
    pub place: Place,
    /// How an instance is run; `None` copies what runs there.
    #[serde(default)]
    pub template: Option<Template>,
    /// How many instances production shall have; `None` as many as it has.
    #[serde(default)]
    pub size: Option<u32>,
    /// Where the router listens, if there is none yet; the driver chooses where it is absent.
    #[serde(default)]
    pub router: Option<String>,
}

/// How the new version is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanarySpec {
    /// One after the other; at least one.
    pub steps: Vec<CanaryStep>,
}

/// One size of a canary. The baseline is always as large and has the same share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStep {
    /// The share of traffic of each of the two; at most half.
    pub share: Share,
    /// The instances of each of the two; at least one.
    pub size: u32,
    /// How often it is judged; at least once.
    pub judgements: u32,
}

/// How it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisSpec {
    /// The canary config, whole.
    pub config: Arc<CanaryConfig>,
    /// The account that series come from; `None` reads the pages of the instances themselves.
    #[serde(default)]
    pub source: Option<String>,
    /// From healthy to the first point that counts, in milliseconds.
    pub warm_up_ms: u64,
    /// From one judgement to the next, in milliseconds; more than 0.
    pub interval_ms: u64,
    /// How far back a judgement looks, in milliseconds; `None` to the end of the warm-up.
    #[serde(default)]
    pub look_back_ms: Option<u64>,
    /// Distance of two points in seconds; more than 0.
    pub step_secs: u64,
    /// The scores that decide.
    pub thresholds: Thresholds,
    /// How many judgements may fail to be made, over all, before the release gives up.
    pub errors: u32,
    /// How many judgements in a row may be inconclusive before that is the answer.
    pub inconclusive: u32,
}

/// What follows from a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Consequence {
    /// It goes on.
    Promote,
    /// A person is asked.
    Ask,
    /// It is taken back.
    RollBack,
}

/// What follows from the verdicts. Fail is always taken back, and no evidence never goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consequences {
    /// Promote or ask.
    pub pass: Consequence,
    /// Ask or roll back.
    pub marginal: Consequence,
    /// Ask or roll back.
    pub inconclusive: Consequence,
}

impl Consequences {
    /// What follows from `verdict`.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> Consequence {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Marginal => self.marginal,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Fail => Consequence::RollBack,
        }
    }
}

/// What happens when nobody answers. There is no word for promoting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WithoutAnswer {
    /// It is taken back.
    RollBack,
    /// It goes on waiting, until the release may last no longer.
    KeepWaiting,
}

/// How a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskSpec {
    /// How long the answer may take, in milliseconds.
    pub deadline_ms: u64,
    /// What happens then.
    pub without_answer: WithoutAnswer,
    /// What the person should look at; may be empty.
    #[serde(default)]
    pub instructions: String,
    /// Who may answer; anybody where empty.
    #[serde(default)]
    pub who: Vec<String>,
}

/// How the new version takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// The way.
    pub strategy: Strategy,
    /// What becomes of the server groups that served before.
    pub previous: Previous,
}

/// The way in which a new version takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Strategy {
    /// The canary's verdict is all that is wanted: nothing is promoted.
    Judge,
    /// A new server group beside those that serve; all get their part of the traffic.
    None,
    /// A new server group takes all traffic; all others are removed.
    Highlander,
    /// A new server group takes all traffic at once; the others are disabled.
    RedBlack {
        /// Let it be for so long before the others are disabled, in milliseconds.
        #[serde(default)]
        pause_ms: u64,
    },
    /// A new server group grows and takes traffic by steps.
    RollingRedBlack {
        /// The shares, rising; the last is all traffic.
        shares: Vec<Share>,
        /// How long to wait after each share, in milliseconds.
        #[serde(default)]
        pause_ms: u64,
        /// How often it is judged against those that served before, after each share but the last; 0 for not at all.
        #[serde(default)]
        judgements: u32,
    },
    /// The platform's own rollout.
    Native,
}

impl Strategy {
    /// How often it is judged meanwhile, in all.
    #[must_use]
    pub fn judgements(&self) -> u64 {
        match self {
            Self::RollingRedBlack {
                shares, judgements, ..
            } => {
                let judged = u64::try_from(shares.len())
                    .unwrap_or(u64::MAX)
                    .saturating_sub(1);
                judged.saturating_mul(u64::from(*judgements))
            }
            Self::Judge | Self::None | Self::Highlander | Self::RedBlack { .. } | Self::Native => 0,
        }
    }
}

/// What becomes of the server groups that served before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// How long they are kept, disabled, with all their instances, in milliseconds; 0 removes them at once.
    pub keep_ms: u64,
    /// Whether they are kept with no instance.
    #[serde(default)]
    pub scale_down: bool,
}

/// What must hold of production at every moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardSpec {
    /// At least this share of the instances that serve now must still serve after any operation.
    pub least_share: Share,
    /// At least so many instances serve after any operation; at least 1.
    pub least_instances: u32,
}

/// What is left when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CleanupSpec {
    /// How long baseline and canary are left, without traffic, in milliseconds.
    pub delay_ms: u64,
}

/// The longest that anything may take, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The whole release, up to its decision; then it is taken back. Baseline and canary live a little longer, whatever happens.
    pub release_ms: u64,
    /// Until a server group is healthy.
    pub healthy_ms: u64,
    /// Any other operation.
    pub operation_ms: u64,
    /// Waiting for another release of the same cluster.
    pub lock_ms: u64,
}

/// A stage that a spec lists itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum StageSpec {
    /// Baseline and canary exist in this size and have this share of the traffic.
    Deploy {
        /// The share of each.
        share: Share,
        /// The instances of each.
        size: u32,
    },
    /// Time passes.
    Wait {
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// Baseline and canary are judged.
    Analyze {
        /// How often.
        judgements: u32,
    },
    /// A person is asked, whatever the verdict was.
    Approve {
        /// What they should look at; may be empty.
        #[serde(default)]
        instructions: String,
    },
    /// The new version takes over, by the spec's promotion.
    Promote,
}

impl StageSpec {
    /// How often it judges.
    #[must_use]
    pub fn judgements(&self) -> u64 {
        match self {
            Self::Analyze { judgements } => u64::from(*judgements),
            Self::Deploy { .. } | Self::Wait { .. } | Self::Approve { .. } | Self::Promote => 0,
        }
    }
}
