//! Kayenta's request for a standalone analysis, as our planner takes it.

use serde_json::{Map, Value, json};

use super::canary_request::read_thresholds;
use super::read::{Field, Problems};
use super::times::iso;
use crate::analysis::windows::{self, Place, ScopeRequest};
use crate::config::canary::wire::ScoreThresholds;

/// Name of a scope that has none.
const DEFAULT_SCOPE: &str = "default";

/// The request as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AnalysisRequest {
    /// For the planner; the time of the start is the caller's.
    pub(super) plan: windows::Request,
    /// Without a threshold nothing is held against it.
    pub(super) thresholds: Option<ScoreThresholds>,
    site_local: Option<Value>,
}

impl AnalysisRequest {
    pub(super) fn read(field: &Field<'_>, now_ms: i64, problems: &mut Problems) -> Self {
        field.object(problems);
        let items = field.get("scopes").items(problems).unwrap_or_default();
        let scopes = items.iter().map(|scope| read_scope(scope, problems));
        let scopes = scopes.collect();
        let site_local = field.get("siteLocal");
        site_local.object(problems);
        Self {
            plan: windows::Request {
                now_ms,
                lifetime_mins: field.get("lifetimeDurationMins").whole(problems),
                begin_after_mins: field.get("beginAfterMins").whole(problems),
                lookback_mins: field.get("lookbackMins").whole(problems),
                interval_mins: field.get("analysisIntervalMins").whole(problems),
                scopes,
            },
            thresholds: read_thresholds(&field.get("thresholds"), problems),
            site_local: (!site_local.is_absent()).then(|| site_local.value().clone()),
        }
    }

    /// The request as Kayenta shows it: with its defaults, without anything that is null.
    pub(super) fn echo(&self) -> Value {
        let plan = &self.plan;
        let mut map = Map::new();
        let mut add = |key: &str, value: Option<Value>| {
            value.map(|value| map.insert(key.to_owned(), value));
        };
        let scopes: Vec<Value> = plan.scopes.iter().map(echo_scope).collect();
        add("scopes", Some(json!(scopes)));
        add(
            "thresholds",
            self.thresholds.map(|thresholds| json!(thresholds)),
        );
        add(
            "lifetimeDurationMins",
            plan.lifetime_mins.map(|it| json!(it)),
        );
        add(
            "beginAfterMins",
            Some(json!(plan.begin_after_mins.unwrap_or(0))),
        );
        add("lookbackMins", Some(json!(plan.lookback_mins.unwrap_or(0))));
        add(
            "analysisIntervalMins",
            plan.interval_mins.map(|it| json!(it)),
        );
        add("siteLocal", self.site_local.clone());
        Value::Object(map)
    }
}

fn read_scope(field: &Field<'_>, problems: &mut Problems) -> ScopeRequest {
    if field.object(problems).is_none() && field.is_absent() {
        problems.add(field.path(), "nothing", "a scope");
    }
    let name = field.get("scopeName").text(problems);
    let place = |scope: &str, location: &str, problems: &mut Problems| Place {
        scope: field.get(scope).text(problems).unwrap_or_default(),
        location: field.get(location).text(problems).unwrap_or_default(),
    };
    ScopeRequest {
        name: name.unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
        baseline: place("controlScope", "controlLocation", problems),
        canary: place("experimentScope", "experimentLocation", problems),
        baseline_offset_mins: field
            .get("controlOffsetInMinutes")
            .whole(problems)
            .unwrap_or(0),
        start_ms: field.get("startTimeIso").time_ms(problems),
        end_ms: field.get("endTimeIso").time_ms(problems),
        step_secs: field.get("step").whole(problems),
        parameters: field.get("extendedScopeParams").texts(problems),
    }
}

fn echo_scope(scope: &ScopeRequest) -> Value {
    let mut map = Map::new();
    let mut add = |key: &str, value: Option<Value>| {
        value.map(|value| map.insert(key.to_owned(), value));
    };
    let filled = |text: &String| (!text.is_empty()).then(|| json!(text));
    add("scopeName", Some(json!(scope.name)));
    add("controlScope", filled(&scope.baseline.scope));
    add("controlLocation", filled(&scope.baseline.location));
    add(
        "controlOffsetInMinutes",
        Some(json!(scope.baseline_offset_mins)),
    );
    add("experimentScope", filled(&scope.canary.scope));
    add("experimentLocation", filled(&scope.canary.location));
    add("startTimeIso", scope.start_ms.map(|ms| json!(iso(ms))));
    add("endTimeIso", scope.end_ms.map(|ms| json!(iso(ms))));
    let step = scope.step_secs.unwrap_or(windows::DEFAULT_STEP_SECS);
    add("step", Some(json!(step)));
    add("extendedScopeParams", Some(json!(scope.parameters)));
    Value::Object(map)
}
