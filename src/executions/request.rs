//! What an execution was asked to do. Never changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use coalmine_judges::config::Thresholds;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::analysis::task::Task;
use crate::config::canary::wire::{CanaryConfig, ScoreThresholds};
use crate::model::scope::ScopePair;
use crate::stages::Stage;
use crate::stages::analyze::Analyze;
use crate::stages::plan::{Phase, Plan, Release};

/// What an execution is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// One judgement.
    Canary,
    /// Judgements at intervals, and what they come to.
    Analysis,
    /// Operations, judgements and questions: a new version takes over, or is taken back.
    Release,
}

impl Kind {
    /// The word under which it is listed; never changes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Analysis => "analysis",
            Self::Release => "release",
        }
    }
}

/// The accounts that a request names. They are kept as they were given: absent and empty mean the first account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Accounts {
    /// Where series come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// Where Kayenta would keep results; ours are always kept in one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Where Kayenta would look for the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// What an execution was asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// What it is for.
    pub kind: Kind,
    /// The application; never empty.
    pub application: String,
    /// Who asked, as the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The client's own execution that waits for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The canary config as it was when the request came; later changes of a stored config have no effect.
    pub config: Arc<CanaryConfig>,
    /// The id of the stored config; `None` where the request carried the config itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_id: Option<String>,
    /// The accounts that were named.
    #[serde(default)]
    pub accounts: Accounts,
    /// The scores that decide, as they were given.
    #[serde(default)]
    pub thresholds: ScoreThresholds,
    /// Whether the score that decides follows the verdict, so that nothing passes by its score alone. Settled when the request
    /// is accepted: a switch that is turned later changes nothing that runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows_verdict: bool,
    /// The stages, in their order.
    pub stages: Vec<Stage>,
    /// What a release rests on, and only a release has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Arc<Release>>,
    /// Whether it may take over places that another release has locked: a rollback may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preempts: bool,
    /// How the stages of a release are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// The client's own execution request, to be shown back.
    #[serde(default)]
    pub echo: Value,
}

impl Request {
    /// The scores that decide: the request's, else the config's, else the defaults.
    #[must_use]
    pub fn chosen_thresholds(&self) -> Thresholds {
        let config = self.config.classifier.as_ref();
        let base = config.and_then(|classifier| classifier.score_thresholds);
        let base = base.unwrap_or_default().filled();
        Thresholds {
            pass: self.thresholds.pass.unwrap_or(base.pass),
            marginal: self.thresholds.marginal.unwrap_or(base.marginal),
        }
    }

    /// What one of the stages asks an analyst to do; `opened` are the scopes that were settled as it began, if they were.
    #[must_use]
    pub fn task(&self, stage: &Analyze, opened: Option<&BTreeMap<String, ScopePair>>) -> Task {
        Task {
            application: self.application.clone(),
            config: Arc::clone(&self.config),
            account: self.accounts.metrics.clone(),
            thresholds: self.chosen_thresholds(),
            scopes: opened.unwrap_or(&stage.scopes).clone(),
        }
    }

    /// What executes `plan`, and nothing else.
    #[must_use]
    pub fn of_plan(plan: Plan, user: Option<String>) -> Self {
        let spec = Arc::clone(&plan.release.spec);
        let analysis = spec.analysis.as_ref();
        Self {
            kind: Kind::Release,
            application: spec.application.clone(),
            user,
            parent: None,
            config: analysis.map_or_else(Arc::default, |it| Arc::clone(&it.config)),
            config_id: None,
            accounts: Accounts {
                metrics: analysis.and_then(|it| it.source.clone()),
                ..Accounts::default()
            },
            thresholds: analysis.map_or_else(ScoreThresholds::default, |it| ScoreThresholds {
                pass: Some(it.thresholds.pass),
                marginal: Some(it.thresholds.marginal),
            }),
            follows_verdict: true,
            stages: plan.stages,
            release: Some(Arc::new(plan.release)),
            preempts: false,
            phases: plan.phases,
            echo: Value::Null,
        }
    }

    /// The plan that is executed; `None` where it is no release.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        Some(Plan {
            release: self.release.as_deref()?.clone(),
            stages: self.stages.clone(),
            phases: self.phases.clone(),
        })
    }

    /// All judgements that are planned, by the place of their stage.
    pub fn analyses(&self) -> impl DoubleEndedIterator<Item = (usize, &Analyze)> {
        self.stages
            .iter()
            .enumerate()
            .filter_map(|(place, stage)| match stage {
                Stage::Analyze(analyze) => Some((place, analyze)),
                Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
            })
    }

    /// The scopes of the first judgement; empty without one.
    #[must_use]
    pub fn first_scopes(&self) -> BTreeMap<String, ScopePair> {
        self.analyses()
            .next()
            .map(|(_, stage)| stage.scopes.clone())
            .unwrap_or_default()
    }
}
