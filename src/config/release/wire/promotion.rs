//! How a new version takes over, when it may, what must hold meanwhile, and stages that a spec lists itself.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::release::share::ShareText;
use crate::config::server::duration::DurationText;

/// How the new version takes over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct PromotionWire {
    /// The way: `rollingRedBlack` where absent.
    pub strategy: Option<StrategyWire>,
    /// With `rollingRedBlack`: the shares of traffic that the new version takes, rising. `[25%, 50%, 100%]` where absent; `100%` is
    /// added where it is not the last.
    #[schemars(length(min = 1))]
    pub shares: Option<Vec<ShareText>>,
    /// With `rollingRedBlack` how long to wait after each share, with `redBlack` before the others are disabled: `0s` where absent.
    pub pause: Option<DurationText>,
    /// With `rollingRedBlack`: how often it is judged against those that served before, after each share but the last. 0 where
    /// absent.
    #[schemars(range(min = 0, max = 1_000))]
    pub judgements: Option<u32>,
    /// What becomes of the server groups that served before.
    pub previous: Option<PreviousWire>,
}

/// The way in which a new version takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StrategyWire {
    /// Only the verdict is wanted; nothing is promoted.
    Judge,
    /// A new server group beside those that serve; all get their part of the traffic.
    None,
    /// A new server group takes all traffic; all others are removed.
    Highlander,
    /// A new server group takes all traffic at once; the others are disabled.
    RedBlack,
    /// A new server group grows and takes traffic by steps.
    RollingRedBlack,
    /// The platform's own rollout.
    Native,
}

/// What becomes of the server groups that served before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct PreviousWire {
    /// How long they are kept, disabled: `24h` where absent; `0s` removes them at once.
    pub keep: Option<DurationText>,
    /// Whether they are kept without instances: `false` where absent. A rollback takes longer then.
    pub scale_down: Option<bool>,
}

/// One weekly window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["from", "to", "zone"]))]
pub struct WindowWire {
    /// The days on which it starts; every day where absent.
    #[schemars(length(min = 1))]
    pub days: Option<Vec<WeekdayWire>>,
    /// Its first minute: `"08:00"`.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{2}:[0-9]{2}$"))]
    pub from: Option<String>,
    /// Its last minute, which belongs to it: `"17:00"` means until 17:00:59. At or before `from`, it is of the next day.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{2}:[0-9]{2}$"))]
    pub to: Option<String>,
    /// IANA name of the time zone: `Europe/Berlin`.
    #[schemars(with = "String")]
    pub zone: Option<String>,
    /// What it opens for: `[start, promote]` where absent.
    #[serde(rename = "for")]
    #[schemars(length(min = 1))]
    pub moments: Option<Vec<MomentWire>>,
}

/// What a window opens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MomentWire {
    /// The first operation of a release.
    Start,
    /// The first operation of a promotion.
    Promote,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WeekdayWire {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A day, or days in a row, on which nothing is started or promoted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["from", "zone"]))]
pub struct BlackoutWire {
    /// The first day: `2026-12-24`.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Option<String>,
    /// The last day, which belongs to it: `from` where absent.
    #[schemars(extend("format" = "date"))]
    pub to: Option<String>,
    /// IANA name of the time zone: `Europe/Berlin`.
    #[schemars(with = "String")]
    pub zone: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
}

/// What must hold of production after every operation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct GuardWire {
    /// At least this share of the instances that serve now still serves: `0%` where absent.
    pub least_share: Option<ShareText>,
    /// At least so many instances serve: 1 where absent.
    #[schemars(range(min = 1, max = 10_000))]
    pub least_instances: Option<u32>,
}

/// What is left when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct CleanupWire {
    /// How long baseline and canary are left, without traffic, for somebody to look at: `0s` where absent.
    pub delay: Option<DurationText>,
}

/// The longest that anything may take.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct LimitsWire {
    /// The whole release, up to its decision; then it is taken back. Where absent: twice what its waits and judgements take and
    /// what is waited for an answer, and at least `24h`.
    pub release: Option<DurationText>,
    /// Until a server group is healthy: `10m` where absent.
    pub healthy: Option<DurationText>,
    /// Any other operation: `5m` where absent.
    pub operation: Option<DurationText>,
    /// Waiting for another release of the same cluster: `1h` where absent.
    pub lock: Option<DurationText>,
}

/// A stage that a spec lists itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
pub enum StageWire {
    /// Baseline and canary have this size and this share of the traffic; they are made where they are not there.
    Deploy {
        /// The share of each: above `0%`, at most `50%`.
        #[schemars(required)]
        share: Option<ShareText>,
        /// The instances of each: 1 where absent.
        #[schemars(range(min = 1, max = 10_000))]
        #[serde(default)]
        size: Option<u32>,
    },
    /// Time passes.
    Wait {
        /// How long.
        #[schemars(required)]
        #[serde(rename = "for")]
        time: Option<DurationText>,
    },
    /// Baseline and canary are judged.
    Analyze {
        /// How often: once where absent.
        #[schemars(range(min = 1, max = 1_000))]
        #[serde(default)]
        judgements: Option<u32>,
    },
    /// A person is asked, whatever the verdict was.
    Approve {
        /// What they should look at.
        #[serde(default)]
        instructions: Option<String>,
    },
    /// The new version takes over, by `promotion`. Only as the last stage.
    Promote {},
}
