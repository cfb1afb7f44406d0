//! A metric's settings under `analysisConfigurations.canary`: their shape, and how Kayenta reads them.

use std::sync::LazyLock;

use coalmine_judges::config::{
    Direction, EffectLimits, EffectMeasure, MetricSpec, NanStrategy, OutlierFactor, Outliers,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::rules::Brief;
use super::wire::AnalysisShape;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::{Findings, Problem};
use crate::config::shape::{Schema, list};

/// Kayenta's settings of a metric.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct CanaryParameters {
    /// Which change counts against the canary.
    #[schemars(with = "DirectionWord")]
    pub direction: Direction,
    /// What becomes of missing points: they are left out, or become zero.
    #[schemars(with = "NanWord")]
    pub nan_strategy: NanStrategy,
    /// What becomes of outliers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outliers: Option<OutlierParameters>,
    /// Whether the metric alone can fail the canary.
    pub critical: bool,
    /// Whether missing data counts as a failure of the metric.
    pub must_have_data: bool,
    /// Whether the metric is shown but not counted.
    pub muted: bool,
    /// The changes that are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect_size: Option<EffectSize>,
}

/// What becomes of outliers.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct OutlierParameters {
    /// They stay, or are left out on each side by its own fences.
    pub strategy: OutlierWord,
    /// How far from the quartiles a point must lie to be an outlier, in interquartile ranges; 3 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub outlier_factor: Option<f64>,
}

/// The changes that are allowed, on the scale of `measure`. Each limit is 1 for `meanRatio` and 0.5 for `cles` where absent.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct EffectSize {
    /// Mean of the canary over mean of the baseline, or the chance that a canary point lies above a baseline point.
    #[schemars(with = "MeasureWord")]
    pub measure: EffectMeasure,
    /// A rise counts when the effect is at or above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub allowed_increase: Option<f64>,
    /// A fall counts when the effect is at or below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub allowed_decrease: Option<f64>,
    /// A rise of a critical metric fails the canary when the effect is at or above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub critical_increase: Option<f64>,
    /// A fall of a critical metric fails the canary when the effect is at or below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub critical_decrease: Option<f64>,
}

/// A rise, a fall, or both.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum DirectionWord {
    Increase,
    Decrease,
    Either,
}

/// Left out, or taken as zero.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum NanWord {
    Remove,
    Replace,
}

/// How large a change is, as one number.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum MeasureWord {
    MeanRatio,
    Cles,
}

/// What becomes of outliers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OutlierWord {
    /// They stay.
    #[default]
    Keep,
    /// They are left out.
    Remove,
}

/// Reads the settings into `spec` as Kayenta does: an absent level or key takes its default, an unknown word too; `null` is
/// `false` for a flag, 0 for a number, and refused for a word; a text is never a number or a flag. Unknown keys and words
/// are listed. `path` is that of `raw`.
pub(super) fn read(
    raw: &Map<String, Value>,
    path: &Path,
    spec: &mut MetricSpec,
    findings: &mut Findings,
) {
    let mut reader = Reader { findings };
    reader.unknown_keys(raw, path, &[]);
    // Kayenta reads a map of maps before it looks at any key.
    for (key, value) in raw.iter().filter(|(key, _)| *key != "canary") {
        if !value.is_object() && !value.is_null() {
            reader.wrong(value, &path.key(key.as_str()), "a map");
        }
    }
    let path = path.key("canary");
    let canary = match raw.get("canary") {
        None | Some(Value::Null) => return,
        Some(Value::Object(canary)) => canary,
        Some(other) => return reader.wrong(other, &path, "a map"),
    };
    reader.unknown_keys(canary, &path, &["canary"]);
    let directions = [
        ("increase", Direction::Increase),
        ("decrease", Direction::Decrease),
        ("either", Direction::Either),
    ];
    spec.direction = reader.word(canary, "direction", &path, &directions, spec.direction);
    let strategies = [
        ("remove", NanStrategy::Remove),
        ("replace", NanStrategy::Replace),
    ];
    spec.nan_strategy = reader.word(canary, "nanStrategy", &path, &strategies, spec.nan_strategy);
    spec.critical = reader.flag(canary, "critical", &path);
    spec.must_have_data = reader.flag(canary, "mustHaveData", &path);
    spec.muted = reader.flag(canary, "muted", &path);
    if let Some(outliers) = reader.level(canary, "outliers", &path) {
        spec.outliers = reader.outliers(outliers, &path.key("outliers"));
    }
    if let Some(effect) = reader.level(canary, "effectSize", &path) {
        spec.effect = reader.effect(effect, &path.key("effectSize"));
    }
}

struct Reader<'f> {
    findings: &'f mut Findings,
}

impl Reader<'_> {
    fn wrong(&mut self, value: &Value, path: &Path, expected: &str) {
        let found = match value {
            Value::Null => "nothing (`null`)".to_owned(),
            Value::String(text) => format!("text `{}`", shorten(text, 40)),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a map".to_owned(),
            Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        };
        self.findings
            .problem(Problem::new(path.clone(), found, expected));
    }

    /// Lists the keys of `map` that the schema does not have `below` a metric's settings.
    fn unknown_keys(&mut self, map: &Map<String, Value>, path: &Path, below: &[&str]) {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<AnalysisShape>);
        let known = SCHEMA.keys(below);
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            self.findings.ignore(&path.key(key.as_str()), "unknown key");
        }
    }

    /// A map below `map`; anything else is as good as absent.
    fn level<'m>(
        &mut self,
        map: &'m Map<String, Value>,
        key: &str,
        path: &Path,
    ) -> Option<&'m Map<String, Value>> {
        match map.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::Object(level)) => Some(level),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                self.findings
                    .ignore(&path.key(key), "no map, read as absent");
                None
            }
        }
    }

    fn word<W: Copy>(
        &mut self,
        map: &Map<String, Value>,
        key: &str,
        path: &Path,
        words: &[(&str, W)],
        default: W,
    ) -> W {
        let path = path.key(key);
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        match map.get(key) {
            None => default,
            Some(Value::String(text)) => match words.iter().find(|(word, _)| word == text) {
                Some((_, meaning)) => *meaning,
                None => {
                    self.findings.ignore(
                        &path,
                        format!(
                            "unknown value `{}`, read as the default; known are {}",
                            shorten(text, 40),
                            list(&known)
                        ),
                    );
                    default
                }
            },
            Some(other) => {
                self.wrong(other, &path, &list(&known));
                default
            }
        }
    }

    fn flag(&mut self, map: &Map<String, Value>, key: &str, path: &Path) -> bool {
        match map.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.wrong(other, &path.key(key), "`true` or `false`");
                false
            }
        }
    }

    /// `null` is zero, which surprises; it is listed.
    fn number(&mut self, map: &Map<String, Value>, key: &str, path: &Path) -> Option<f64> {
        match map.get(key)? {
            Value::Null => {
                self.findings.ignore(&path.key(key), "`null`, read as 0");
                Some(0.0)
            }
            Value::Number(number) => number.as_f64(),
            other @ (Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                self.wrong(other, &path.key(key), "a number");
                None
            }
        }
    }

    fn outliers(&mut self, map: &Map<String, Value>, path: &Path) -> Outliers {
        self.unknown_keys(map, path, &["canary", "outliers"]);
        let words = [("keep", OutlierWord::Keep), ("remove", OutlierWord::Remove)];
        let strategy = self.word(map, "strategy", path, &words, OutlierWord::Keep);
        let factor = self.number(map, "outlierFactor", path);
        match (strategy, factor) {
            (OutlierWord::Keep, _) => Outliers::Keep,
            (OutlierWord::Remove, None) => Outliers::Remove {
                factor: OutlierFactor::DEFAULT,
            },
            (OutlierWord::Remove, Some(number)) => match OutlierFactor::new(number) {
                Some(factor) => Outliers::Remove { factor },
                None => {
                    self.findings.problem(Problem::new(
                        path.key("outlierFactor"),
                        format!("number `{}`", Brief(number)),
                        "a number above 0",
                    ));
                    Outliers::Keep
                }
            },
        }
    }

    fn effect(&mut self, map: &Map<String, Value>, path: &Path) -> EffectLimits {
        let keys = [
            "allowedIncrease",
            "allowedDecrease",
            "criticalIncrease",
            "criticalDecrease",
        ];
        self.unknown_keys(map, path, &["canary", "effectSize"]);
        let words = [
            ("meanRatio", EffectMeasure::MeanRatio),
            ("cles", EffectMeasure::Cles),
        ];
        let measure = self.word(map, "measure", path, &words, EffectMeasure::MeanRatio);
        let [
            allowed_increase,
            allowed_decrease,
            critical_increase,
            critical_decrease,
        ] = keys.map(|key| {
            self.number(map, key, path)
                .unwrap_or_else(|| measure.neutral())
        });
        EffectLimits {
            measure,
            allowed_increase,
            allowed_decrease,
            critical_increase,
            critical_decrease,
        }
    }
}
