//! A release spec as it is written. What it means is decided by [`super::load`]; the JSON Schema and the strict reading follow
//! from these types.

mod promotion;
mod target;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

pub use promotion::{
    BlackoutWire, CleanupWire, GuardWire, LimitsWire, MomentWire, PreviousWire, PromotionWire,
    StageWire, StrategyWire, WeekdayWire, WindowWire,
};
pub use target::{HealthWire, ProcessWire, TargetWire};

use super::share::ShareText;
use crate::config::server::duration::DurationText;
use crate::config::server::wire::Version;

/// What to release where, how to judge it, and what follows from the verdict.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    title = "Coalmine release spec",
    deny_unknown_fields,
    extend("required" = ["version", "application", "targets"])
)]
pub struct SpecWire {
    /// Version of this format.
    #[schemars(with = "Version")]
    pub version: Option<Version>,
    /// The application: letters, digits, `.` and `_`.
    #[schemars(with = "String", length(min = 1))]
    pub application: Option<String>,
    /// Where it is released. All targets take the same steps together, and the worst verdict counts for all.
    #[schemars(length(min = 1))]
    pub targets: Vec<TargetWire>,
    /// What is released. Each part that is absent is given when the release is started: `--version`, `--artifact`.
    pub artifact: Option<ArtifactWire>,
    /// How the new version is tried beside a fresh instance of the live one. Where absent: with the default steps if there is
    /// an `analysis`, else not at all.
    pub canary: Option<CanaryWire>,
    /// How it is judged. Needed where anything is to be judged.
    pub analysis: Option<AnalysisWire>,
    /// What follows from the verdicts.
    pub on_verdict: Option<OnVerdictWire>,
    /// How a person is asked.
    pub ask: Option<AskWire>,
    /// How the new version takes over.
    pub promotion: Option<PromotionWire>,
    /// When it may start and be promoted: in any of these windows; at any time where absent. A rollback is never held back.
    pub windows: Option<Vec<WindowWire>>,
    /// Days on which nothing is started or promoted, whatever the windows say.
    pub blackouts: Option<Vec<BlackoutWire>>,
    /// What must hold of production after every operation.
    pub guard: Option<GuardWire>,
    /// What is left when.
    pub cleanup: Option<CleanupWire>,
    /// The longest that anything may take.
    pub limits: Option<LimitsWire>,
    /// The stages themselves, in place of those that follow from `canary` and `promotion`. What was made is removed at the end in
    /// any case.
    #[schemars(length(min = 1))]
    pub stages: Option<Vec<StageWire>>,
}

/// What is released.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct ArtifactWire {
    /// The version, for people: `5.4.0`.
    #[schemars(length(min = 1))]
    pub version: Option<String>,
    /// What the driver starts: a path, an image. `{version}` in it stands for the version. For processes a path that begins with
    /// `./` or `../` starts from the spec's folder.
    #[schemars(length(min = 1))]
    pub reference: Option<String>,
}

/// How the new version is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct CanaryWire {
    /// Sizes of the canary, one after the other: `[{share: 5%, size: 1, judgements: 3}]` where absent. An empty list tries it not
    /// at all.
    pub steps: Option<Vec<CanaryStepWire>>,
}

/// One size of the canary. The baseline is always as large and has the same share of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["share"]))]
pub struct CanaryStepWire {
    /// The share of the traffic of each of the two: above `0%`, at most `50%`.
    #[schemars(with = "ShareText")]
    pub share: Option<ShareText>,
    /// The instances of each of the two: 1 where absent.
    #[schemars(range(min = 1, max = 10_000))]
    pub size: Option<u32>,
    /// How often they are judged: 3 where absent.
    #[schemars(range(min = 1, max = 1_000))]
    pub judgements: Option<u32>,
}

/// How the new version is judged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["config"]))]
pub struct AnalysisWire {
    /// The canary config: the path of its file, which starts from the spec's folder, or the config itself.
    #[schemars(with = "ConfigWire")]
    pub config: Option<ConfigWire>,
    /// The account that series come from, by its name in the server config. Where absent, the pages of metrics of the instances
    /// themselves are read.
    #[schemars(length(min = 1))]
    pub source: Option<String>,
    /// From healthy to the first point that counts: `1m` where absent.
    pub warm_up: Option<DurationText>,
    /// From one judgement to the next: `5m` where absent.
    pub interval: Option<DurationText>,
    /// How far back a judgement looks; where absent, to the end of the warm-up.
    pub look_back: Option<DurationText>,
    /// Distance of two points, in whole seconds: `10s` where absent.
    pub step: Option<DurationText>,
    /// The scores that decide; the config's own where absent, else 95 and 75.
    pub thresholds: Option<ThresholdsWire>,
    /// When judging is given up.
    pub limits: Option<AnalysisLimitsWire>,
}

/// The path of a canary config, or the config itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct ConfigWire(pub Value);

impl JsonSchema for ConfigWire {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CanaryConfigOrPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // For editors. Reading takes any value here, and holds a map against the schema of canary configs itself.
        json_schema!({
            "if": {"type": "object"},
            "then": {"$ref": "canary-config.schema.json"},
            "else": {"type": "string", "minLength": 1}
        })
    }
}

/// The scores that decide. A part that is absent is the config's own, else its default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct ThresholdsWire {
    /// At least this score passes: 95 where no other is given.
    #[schemars(range(min = 0, max = 100))]
    pub pass: Option<f64>,
    /// At least this score, and below `pass`, is marginal: 75 where no other is given.
    #[schemars(range(min = 0, max = 100))]
    pub marginal: Option<f64>,
}

/// When judging is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct AnalysisLimitsWire {
    /// How many judgements may fail to be made, over all, before the release is taken back: 0 where absent.
    #[schemars(range(min = 0, max = 1_000))]
    pub errors: Option<u32>,
    /// How many judgements in a row may be inconclusive before that is the answer: 2 where absent.
    #[schemars(range(min = 0, max = 1_000))]
    pub inconclusive: Option<u32>,
}

/// What follows from the verdicts. No evidence is never success: only a pass goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct OnVerdictWire {
    /// `promote` where absent.
    pub pass: Option<PassWire>,
    /// `ask` where absent.
    pub marginal: Option<DoubtWire>,
    /// `ask` where absent.
    pub inconclusive: Option<DoubtWire>,
    /// Always `rollBack`.
    pub fail: Option<FailWire>,
}

/// What may follow from a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PassWire {
    /// It goes on.
    Promote,
    /// A person is asked.
    Ask,
}

/// What may follow where nothing is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DoubtWire {
    /// A person is asked.
    Ask,
    /// It is taken back.
    RollBack,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FailWire {
    /// It is taken back.
    RollBack,
}

/// How a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct AskWire {
    /// How long the answer may take: `1h` where absent.
    pub deadline: Option<DurationText>,
    /// What happens then: `rollBack` where absent. It is never promoted without an answer.
    pub without_answer: Option<WithoutAnswerWire>,
    /// What the person should look at.
    pub instructions: Option<String>,
    /// Who may answer; anybody where absent. A convention, which keeps nobody out: who answers names himself.
    pub who: Option<Vec<String>>,
}

/// What happens when nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WithoutAnswerWire {
    /// It is taken back.
    RollBack,
    /// It goes on waiting, until the release may last no longer.
    KeepWaiting,
}
