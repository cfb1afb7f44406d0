//! Kayenta's canary execution request: which scopes, in which window, with which thresholds.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::read::{Field, Problems};
use super::times::iso;
use crate::analysis::windows::DEFAULT_STEP_SECS;
use crate::config::canary::wire::ScoreThresholds;
use crate::model::scope::{Scope, ScopePair, Window};

/// The request as it was read; what a run needs beyond that is asked for later, in Kayenta's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct CanaryRequest {
    /// `None` where the request has no scopes at all.
    pub(super) scopes: Option<BTreeMap<String, RawPair>>,
    /// `None` where the request has no thresholds at all.
    pub(super) thresholds: Option<ScoreThresholds>,
    metadata: Option<Value>,
    site_local: Option<Value>,
}

/// Both sides of a scope name, as far as they are given.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct RawPair {
    baseline: Option<RawScope>,
    canary: Option<RawScope>,
}

/// One side, as far as it is given.
#[derive(Debug, Clone, PartialEq, Default)]
struct RawScope {
    scope: Option<String>,
    location: Option<String>,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
    step_secs: Option<i64>,
    parameters: Option<BTreeMap<String, String>>,
}

impl CanaryRequest {
    pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Self {
        field.object(problems);
        let members = field.get("scopes").members(problems);
        let scopes = members.map(|members| {
            members
                .into_iter()
                .map(|(name, pair)| (name.to_owned(), RawPair::read(&pair, problems)))
                .collect()
        });
        field.get("metadata").items(problems);
        field.get("siteLocal").object(problems);
        let kept = |key: &str| {
            let value = field.get(key).value();
            (!value.is_null()).then(|| value.clone())
        };
        Self {
            scopes,
            thresholds: read_thresholds(&field.get("thresholds"), problems),
            metadata: kept("metadata"),
            site_local: kept("siteLocal"),
        }
    }

    /// The request as Kayenta shows it: with times as text, without anything that is null.
    pub(super) fn echo(&self) -> Value {
        let mut map = Map::new();
        let mut add = |key: &str, value: Option<Value>| {
            value.map(|value| map.insert(key.to_owned(), value));
        };
        add("metadata", self.metadata.clone());
        let scopes = self.scopes.as_ref().map(|scopes| {
            let pairs = scopes
                .iter()
                .map(|(name, pair)| (name.clone(), pair.echo()));
            Value::Object(pairs.collect())
        });
        add("scopes", scopes);
        add(
            "thresholds",
            self.thresholds.map(|thresholds| json!(thresholds)),
        );
        add("siteLocal", self.site_local.clone());
        Value::Object(map)
    }
}

/// Thresholds, each of which may be absent.
pub(super) fn read_thresholds(
    field: &Field<'_>,
    problems: &mut Problems,
) -> Option<ScoreThresholds> {
    field.object(problems)?;
    Some(ScoreThresholds {
        pass: field.get("pass").number(problems),
        marginal: field.get("marginal").number(problems),
    })
}

impl RawPair {
    fn read(field: &Field<'_>, problems: &mut Problems) -> Self {
        field.object(problems);
        Self {
            baseline: RawScope::read(&field.get("controlScope"), problems),
            canary: RawScope::read(&field.get("experimentScope"), problems),
        }
    }

    fn echo(&self) -> Value {
        let sides = [
            ("controlScope", &self.baseline),
            ("experimentScope", &self.canary),
        ];
        let sides = sides.into_iter().filter_map(|(key, side)| {
            let side = side.as_ref()?;
            Some((key.to_owned(), side.echo()))
        });
        Value::Object(sides.collect())
    }

    /// Both sides with their windows; `name` is the scope's, for messages.
    pub(super) fn complete(&self, name: &str, problems: &mut Problems) -> Option<ScopePair> {
        let mut side = |key: &str, scope: &Option<RawScope>| {
            let path = format!("scopes.{name}.{key}");
            match scope {
                Some(scope) => scope.complete(&path, problems),
                None => {
                    problems.add(&path, "nothing", "a scope");
                    None
                }
            }
        };
        let baseline = side("controlScope", &self.baseline);
        let canary = side("experimentScope", &self.canary);
        Some(ScopePair {
            baseline: baseline?,
            canary: canary?,
        })
    }
}

impl RawScope {
    fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Self> {
        field.object(problems)?;
        let parameters = field.get("extendedScopeParams");
        Some(Self {
            scope: field.get("scope").text(problems),
            location: field.get("location").text(problems),
            start_ms: field.get("start").time_ms(problems),
            end_ms: field.get("end").time_ms(problems),
            step_secs: field.get("step").whole(problems),
            parameters: (!parameters.is_absent()).then(|| parameters.texts(problems)),
        })
    }

    fn complete(&self, path: &str, problems: &mut Problems) -> Option<Scope> {
        let mut needed = |key: &str, value: Option<i64>| {
            if value.is_none() {
                let path = format!("{path}.{key}");
                problems.add(&path, "nothing", "a time like `2020-01-01T00:00:00Z`");
            }
            value
        };
        let start_ms = needed("start", self.start_ms);
        let end_ms = needed("end", self.end_ms);
        let step = self.step_secs.unwrap_or(DEFAULT_STEP_SECS);
        let step_secs = u64::try_from(step).ok().filter(|step| *step > 0);
        if step_secs.is_none() {
            let path = format!("{path}.step");
            problems.add(&path, &format!("`{step}`"), "at least 1 second");
        }
        let window = match Window::new(start_ms?, end_ms?) {
            Ok(window) => window,
            Err(early) => {
                problems.told(format!("{path}: {early}"));
                return None;
            }
        };
        Some(Scope {
            scope: self.scope.clone().unwrap_or_default(),
            location: self.location.clone().unwrap_or_default(),
            window,
            step_secs: step_secs?,
            parameters: self.parameters.clone().unwrap_or_default(),
        })
    }

    fn echo(&self) -> Value {
        let mut map = Map::new();
        let mut add = |key: &str, value: Option<Value>| {
            value.map(|value| map.insert(key.to_owned(), value));
        };
        add("scope", self.scope.as_ref().map(|text| json!(text)));
        add("location", self.location.as_ref().map(|text| json!(text)));
        add("start", self.start_ms.map(|ms| json!(iso(ms))));
        add("end", self.end_ms.map(|ms| json!(iso(ms))));
        add("step", self.step_secs.map(|step| json!(step)));
        let parameters = self.parameters.as_ref();
        add("extendedScopeParams", parameters.map(|map| json!(map)));
        Value::Object(map)
    }
}

/// The execution request that a single judgement of an analysis answers: as if a client had posted it.
pub(super) fn of_judgement(
    scopes: &BTreeMap<String, ScopePair>,
    thresholds: ScoreThresholds,
) -> Value {
    let raw = |scope: &Scope| {
        Some(RawScope {
            scope: Some(scope.scope.clone()),
            location: Some(scope.location.clone()),
            start_ms: Some(scope.window.start_ms()),
            end_ms: Some(scope.window.end_ms()),
            step_secs: i64::try_from(scope.step_secs).ok(),
            parameters: Some(scope.parameters.clone()),
        })
    };
    let pair = |pair: &ScopePair| RawPair {
        baseline: raw(&pair.baseline),
        canary: raw(&pair.canary),
    };
    let scopes = scopes.iter().map(|(name, it)| (name.clone(), pair(it)));
    let request = CanaryRequest {
        scopes: Some(scopes.collect()),
        thresholds: Some(thresholds),
        metadata: None,
        site_local: None,
    };
    request.echo()
}
