//! The process is killed again and again, at moments that nobody chose; what was accepted comes to what it would have come to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Server, folder, request};

/// `tests/run --long` kills 200 times.
fn rounds() -> u64 {
    if std::env::var_os("COALMINE_LONG").is_some() {
        200
    } else {
        40
    }
}

/// What a request must come to: status, verdict, number of judgements.
type Expected = (&'static str, &'static str, usize);

const GOOD: (&str, Expected) = ("alike", ("succeeded", "Pass", 1));
const BAD: (&str, Expected) = ("slow", ("succeeded", "Fail", 1));

/// An analysis of the past: `judgements` windows back to back.
fn analysis(canary: &str, judgements: u32) -> Value {
    let mut body = request("same", canary);
    let minutes = judgements * 10;
    body["executionRequest"] = json!({
        "scopes": [{
            "scopeName": "default", "controlScope": "same", "experimentScope": canary, "step": 60,
            "startTimeIso": "2026-01-05T10:00:00Z",
            "endTimeIso": format!("2026-01-05T10:{minutes:02}:00Z"),
        }],
        "thresholds": { "pass": 95, "marginal": 75 },
        "analysisIntervalMins": 10,
    });
    body
}

/// Posts with a key, so that the same request can be sent again when nobody knows whether it arrived.
fn post(server: &Server, key: &str, path: &str, body: &Value) -> Option<String> {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let reply = server.ask_or_nothing("POST", path, &headers, &body.to_string())?;
    let answer: Value = serde_json::from_str(&reply.body).ok()?;
    assert_eq!(reply.status, 200, "{reply:?}");
    let id = answer
        .get("canaryExecutionId")
        .or(answer.get("canaryAnalysisExecutionId"));
    Some(id?.as_str()?.to_owned())
}

#[test]
fn killed_at_any_moment_everything_accepted_comes_to_what_it_would_have_come_to() {
    let folder = folder("");
    let mut chance = fastrand::Rng::with_seed(42);
    let mut accepted: BTreeMap<String, Expected> = BTreeMap::new();
    let mut unheard: Vec<(String, &str, Value, Expected)> = Vec::new();
    for round in 0..rounds() {
        let server = Server::start(folder.path());
        for (key, path, body, expected) in unheard.drain(..) {
            let id = post(&server, &key, path, &body).unwrap();
            accepted.insert(id, expected);
        }
        let (canary, single) = if chance.bool() { GOOD } else { BAD };
        let id = post(
            &server,
            &format!("a{round}"),
            "/canary",
            &request("same", canary),
        )
        .unwrap();
        accepted.insert(id, single);
        // Ten minutes of a canary that is not slow pass; one that is slow fails the first judgement, and no other follows.
        let many = if canary == "slow" {
            ("terminal", "Fail", 1)
        } else {
            ("succeeded", "Pass", 5)
        };
        let (path, body) = ("/standalone_canary_analysis", analysis(canary, 5));
        let id = post(&server, &format!("b{round}"), path, &body).unwrap();
        accepted.insert(id, many);
        std::thread::scope(|scope| {
            let key = format!("c{round}");
            let pause = Duration::from_micros(chance.u64(..120_000));
            let (told, body) = (key.clone(), request("same", canary));
            let (server, sent) = (&server, body.clone());
            let last = scope.spawn(move || post(server, &told, "/canary", &sent));
            // The moment of the kill is the point of the test.
            std::thread::park_timeout(pause);
            server.signal("KILL");
            match last.join().unwrap() {
                Some(id) => drop(accepted.insert(id, single)),
                None => unheard.push((key, "/canary", body, single)),
            }
        });
        let _ = server.wait();
    }
    let server = Server::start(folder.path());
    for (key, path, body, expected) in unheard.drain(..) {
        accepted.insert(post(&server, &key, path, &body).unwrap(), expected);
    }
    for (id, (status, verdict, judgements)) in &accepted {
        let shown = server.ended(id);
        let made = shown["stages"].as_array().unwrap();
        let made = made.iter().filter(|it| it.get("verdict").is_some()).count();
        assert_eq!(
            (shown["status"].as_str(), shown["verdict"].as_str(), made),
            (Some(*status), Some(*verdict), *judgements),
            "{shown:#}"
        );
        assert_eq!(server.get(&format!("/reports/{id}")).status, 200);
    }
    let most = rounds() * 3;
    assert_eq!(accepted.len() as u64, most, "one execution for each key");
    let metrics = server.get("/metrics");
    assert!(
        !metrics.body.contains("coalmine_invariants_broken_total "),
        "{}",
        metrics.body
    );
    server.stop();
}
