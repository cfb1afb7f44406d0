//! Cases of the file of Kayenta's vectors, and how numbers are compared with them.

use serde_json::Value;

/// One case of the file.
pub(crate) struct Case(pub(crate) Value);

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        let text = include_str!("../vectors/kayenta_vectors.json");
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        cases.into_iter().map(Case).collect()
    }

    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub(crate) fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap()
    }

    pub(crate) fn deterministic(&self) -> bool {
        self.0["params"]["deterministic"] != Value::Bool(false)
    }

    pub(crate) fn input(&self, key: &str) -> Vec<f64> {
        numbers(&self.0["input"][key])
    }

    pub(crate) fn param(&self, key: &str) -> &Value {
        &self.0["params"][key]
    }

    /// What the real code returned, where the case has it; else what its test asserts.
    pub(crate) fn expected(&self, key: &str) -> &Value {
        let actual = &self.0["actual"][key];
        if actual.is_null() {
            &self.0["expected"][key]
        } else {
            actual
        }
    }
}

pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(word) => match word.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            other => panic!("not a number: {other}"),
        },
        other => panic!("not a number: {other}"),
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(crate) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The one comparison: to the last bit where the case has what the real code returned, else within the case's tolerance.
pub(crate) fn check_number(case: &Case, key: &str, ours: f64) {
    let theirs = case.expected(key);
    let (theirs, tolerance) = if theirs.is_object() {
        (
            number(&theirs["approx"]),
            number(&theirs["relTol"]) * number(&theirs["approx"]).abs(),
        )
    } else if !case.deterministic() {
        (number(theirs), 1e-3 * number(theirs).abs())
    } else if case.0["actual"][key].is_null() {
        (
            number(theirs),
            case.0["expected"]["absTol"].as_f64().unwrap_or(0.0),
        )
    } else {
        (number(theirs), 0.0)
    };
    let equal =
        ours == theirs || (ours.is_nan() && theirs.is_nan()) || (ours - theirs).abs() <= tolerance;
    assert!(
        equal,
        "{}: {key} is {ours:e}, expected {theirs:e} within {tolerance:e}",
        case.name()
    );
}

/// Runs `check` on all cases of `kind`, and fails if there are fewer than `at_least`: a renamed kind must not pass silently.
pub(crate) fn check_kind(kind: &str, at_least: usize, check: impl Fn(&Case)) {
    let cases: Vec<Case> = Case::all()
        .into_iter()
        .filter(|case| case.kind() == kind)
        .collect();
    assert!(
        cases.len() >= at_least,
        "only {} cases of kind {kind}",
        cases.len()
    );
    cases.iter().for_each(check);
}
