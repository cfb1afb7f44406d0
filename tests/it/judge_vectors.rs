//! Whole judgements, from config and pairs to Kayenta's result body, against 289 results of the real judge.

use coalmine::config::{Strictness, load};
use coalmine::model::kayenta::CanaryJudgeResult;
use coalmine::sources::files::pairs;
use coalmine_judges::config::Thresholds;
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use serde_json::Value;

/// Judges one case as the service would; an error is a refusal of the whole judgement.
fn judge(input: &Value) -> Result<Value, String> {
    let config = load(&input["canaryConfig"].to_string(), Strictness::Lenient)
        .map_err(|problems| problems.to_string())?;
    let pairs = pairs::read(&input["metricSetPairList"].to_string(), "pairs.json")
        .map_err(|error| error.to_string())?;
    let threshold = |key: &str| input["thresholds"][key].as_f64().unwrap();
    let thresholds = Thresholds {
        pass: threshold("pass"),
        marginal: threshold("marginal"),
    };
    let input = JudgeInput::new(config.judge_config(), thresholds, &pairs.sets)
        .map_err(|refusal| refusal.to_string())?;
    let judgement = NetflixAcaJudge.judge(&input);
    Ok(serde_json::to_value(CanaryJudgeResult::from(&judgement)).unwrap())
}

/// Every field that Kayenta wrote is there with its value, and no other. Numbers agree to the last bit; where chance played
/// a part, within the case's own tolerance.
fn compare(
    path: &str,
    ours: &Value,
    theirs: &Value,
    deterministic: bool,
    differences: &mut Vec<String>,
) {
    let mut differ = || differences.push(format!("{path} is {ours}, expected {theirs}"));
    if let (Some(approx), Some(ours)) = (theirs["approx"].as_f64(), ours.as_f64()) {
        if (ours - approx).abs() > theirs["relTol"].as_f64().unwrap() * approx.abs() {
            differ();
        }
        return;
    }
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys()) {
                match (ours.get(key), theirs.get(key)) {
                    (Some(ours), Some(theirs)) => {
                        compare(
                            &format!("{path}.{key}"),
                            ours,
                            theirs,
                            deterministic,
                            differences,
                        );
                    }
                    (ours, theirs) => {
                        differences.push(format!("{path}.{key} is {ours:?}, expected {theirs:?}"))
                    }
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                compare(
                    &format!("{path}[{index}]"),
                    ours,
                    theirs,
                    deterministic,
                    differences,
                );
            }
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            let tolerance = if deterministic {
                0.0
            } else {
                1e-3 * theirs.abs()
            };
            if (ours - theirs).abs() > tolerance {
                differ();
            }
        }
        (ours, theirs) if ours == theirs => {}
        _ => differ(),
    }
}

/// Kayenta lists groups in hash order, which clients must not rely on.
fn with_sorted_groups(mut result: Value) -> Value {
    if let Some(groups) = result["groupScores"].as_array_mut() {
        groups.sort_by_key(|group| group["name"].as_str().map(str::to_owned));
    }
    result
}

#[test]
fn every_judgement_is_kayentas() {
    let text = include_str!("../../judges/tests/vectors/kayenta_vectors.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let cases: Vec<&Value> = cases
        .iter()
        .filter(|case| case["kind"] == "judge")
        .collect();
    assert_eq!(cases.len(), 289, "cases of kind judge");
    let mut failures = Vec::new();
    for case in cases {
        let expected = &case["expected"];
        let deterministic = case["params"]["deterministic"] != Value::Bool(false);
        let mut differences = Vec::new();
        match judge(&case["input"]) {
            Err(_) if expected["exception"].is_string() => {}
            Err(refusal) => differences.push(format!("refused: {refusal}")),
            Ok(_) if expected["exception"].is_string() => {
                differences.push("judged, expected a refusal".to_owned())
            }
            Ok(ours) if expected["oneOf"].is_array() => {
                let label = &ours["results"][0]["classification"];
                if !expected["oneOf"].as_array().unwrap().contains(label) {
                    differences.push(format!("is {label}, expected one of {}", expected["oneOf"]));
                }
            }
            Ok(ours) => {
                let (ours, theirs) = (
                    with_sorted_groups(ours),
                    with_sorted_groups(expected.clone()),
                );
                compare("result", &ours, &theirs, deterministic, &mut differences);
            }
        }
        failures.extend(
            differences
                .into_iter()
                .map(|difference| format!("{}: {difference}", case["name"])),
        );
    }
    assert!(
        failures.is_empty(),
        "{} differences\n{}",
        failures.len(),
        failures.join("\n")
    );
}
