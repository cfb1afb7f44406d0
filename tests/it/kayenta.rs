//! What Kayenta answers, end to end: its config, its pair list, its result, compared as JSON with recorded answers.

use coalmine::config::{Strictness, load};
use coalmine::model::kayenta::CanaryJudgeResult;
use coalmine::sources::files::pairs;
use coalmine_judges::config::Thresholds;
use coalmine_judges::judge::{Judge, JudgeInput};
use coalmine_judges::judges::netflix_aca::NetflixAcaJudge;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../judges/tests/vectors/kayenta_vectors.json");

/// Kayenta's input in, the JSON that we print out, or why not.
fn answer(input: &Value) -> Result<Value, String> {
    let config = load(&input["canaryConfig"].to_string(), Strictness::Lenient)
        .map_err(|problems| problems.to_string())?;
    let thresholds = Thresholds {
        pass: input["thresholds"]["pass"].as_f64().unwrap(),
        marginal: input["thresholds"]["marginal"].as_f64().unwrap(),
    };
    let read = pairs::read(&input["metricSetPairList"].to_string(), "vector")
        .map_err(|error| format!("{error:?}"))?;
    let judged = JudgeInput::new(config.judge_config(), thresholds, &read.sets)
        .map_err(|refusal| refusal.to_string())?;
    let result = CanaryJudgeResult::from(&NetflixAcaJudge.judge(&judged));
    Ok(serde_json::to_value(result).unwrap())
}

/// Numbers as 64-bit floats, groups in the order of their names: Kayenta's order is that of its hashes.
fn normal(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Number(number) => *value = json!(number.as_f64().unwrap()),
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(map) => map.values_mut().for_each(walk),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    walk(&mut value);
    if let Some(groups) = value["groupScores"].as_array_mut() {
        groups.sort_by_key(|group| group["name"].as_str().unwrap().to_owned());
    }
    value
}

fn classifications(value: &Value) -> Vec<&str> {
    let results = value["results"].as_array().unwrap().iter();
    results.map(|result| result["classification"].as_str().unwrap()).collect()
}

#[test]
fn every_recorded_judgement_comes_out_as_the_same_json() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let (mut exact, mut refused, mut random) = (0, 0, 0);
    for vector in vectors.iter().filter(|vector| vector["kind"] == "judge") {
        let name = vector["name"].as_str().unwrap();
        let expected = &vector["expected"];
        let found = answer(&vector["input"]);
        if expected.get("exception").is_some() {
            assert!(found.is_err(), "{name}: {found:?} where Kayenta refuses");
            refused += 1;
        } else if let Some(any) = expected["oneOf"].as_array() {
            let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
            let first = classifications(&found)[0];
            assert!(any.iter().any(|one| one == first), "{name}: {first}");
            random += 1;
        } else {
            let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
            if vector["params"]["deterministic"] == true {
                assert_eq!(normal(found), normal(expected.clone()), "{name}");
                exact += 1;
            } else {
                assert_eq!(classifications(&found), classifications(expected), "{name}");
                random += 1;
            }
        }
    }
    assert_eq!((exact, refused, random), (275, 7, 7));
}
