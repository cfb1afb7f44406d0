//! Lists of executions, and what a person can do with one.

use serde_json::{Value, json};

use super::served;

#[test]
fn executions_are_listed_newest_first_and_in_pages() {
    let (_folder, server) = served();
    let ids: Vec<String> = ["a", "b", "a", "b", "a"]
        .iter()
        .map(|application| server.canary(application, "alike"))
        .collect();
    for id in &ids {
        server.ended(id);
    }
    let listed = |query: &str| -> (Vec<String>, Value) {
        let reply = server.get(&format!("/executions{query}"));
        assert_eq!(reply.status, 200, "{reply:?}");
        let list = reply.json();
        let ids = list["executions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned());
        (ids.collect(), list["nextPage"].clone())
    };
    let mut newest = ids.clone();
    newest.sort();
    newest.reverse();
    let (all, next) = listed("");
    let mut sorted = all.clone();
    sorted.sort();
    sorted.reverse();
    assert_eq!((sorted, next), (newest, Value::Null));
    let (first, next) = listed("?limit=2");
    assert_eq!((first.as_slice(), next), (&all[..2], json!(2)));
    let (last, next) = listed("?limit=2&page=3");
    assert_eq!((last.as_slice(), next), (&all[4..], Value::Null));
    assert_eq!(listed("?application=b").0.len(), 2);
    assert_eq!(
        listed("?status=succeeded&kind=canary&application=").0.len(),
        5
    );
    assert_eq!(listed("?status=RUNNING,terminal").0.len(), 0);
    assert_eq!(listed("?kind=analysis").0.len(), 0);
    for wrong in [
        "?limit=0",
        "?limit=201",
        "?page=x",
        "?status=done",
        "?kind=pipeline",
    ] {
        let reply = server.get(&format!("/executions{wrong}"));
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(
            reply.json()["message"]
                .as_str()
                .unwrap()
                .contains("expected")
        );
    }
    let one = server.get(&format!("/executions/{}", ids[0])).json();
    assert_eq!(
        (&one["application"], &one["config"], &one["kind"]),
        (&json!("a"), &json!("latencies"), &json!("canary"))
    );
    assert_eq!(
        (&one["stages"][0]["kind"], &one["stages"][0]["progress"]),
        (&json!("analyze"), &json!("done"))
    );
    assert_eq!(one["stages"][0]["report"], format!("/reports/{}-1", ids[0]));
    assert_eq!(server.get("/executions/01NOSUCH").status, 404);
}

#[test]
fn who_calls_off_and_why_is_kept() {
    let (_folder, server) = served();
    let id = server.long_analysis();
    let ask = json!({ "by": "ops", "reason": "wrong version" });
    let done = server.post(&format!("/executions/{id}/cancel"), &ask);
    assert_eq!((done.status, &done.json()["changed"]), (200, &json!(true)));
    let shown = server.ended(&id);
    assert_eq!(
        (
            &shown["status"],
            &shown["canceledBy"],
            &shown["cancelReason"]
        ),
        (&json!("canceled"), &json!("ops"), &json!("wrong version"))
    );
    let again = server.ask("POST", &format!("/executions/{id}/cancel"), &[], "");
    assert_eq!(
        (again.status, &again.json()["changed"]),
        (200, &json!(false))
    );
    let resumed = server.ask("POST", &format!("/executions/{id}/resume"), &[], "");
    assert_eq!(
        (resumed.status, &resumed.json()["changed"]),
        (200, &json!(false))
    );
    for verb in ["cancel", "resume"] {
        assert_eq!(
            server
                .ask("POST", &format!("/executions/01NOSUCH/{verb}"), &[], "")
                .status,
            404
        );
        let unknown = server.post(&format!("/executions/{id}/{verb}"), &json!({ "why": "x" }));
        assert_eq!(
            unknown.status, 400,
            "a misspelt key is no reason: {unknown:?}"
        );
    }
}

#[test]
fn of_long_words_the_journal_keeps_a_part_and_nothing_hidden() {
    let (_folder, server) = served();
    let id = server.long_analysis();
    let reason = format!("\u{1b}[31mred\u{202e} {}", "because ".repeat(20_000));
    let ask = json!({ "by": "o".repeat(10_000), "reason": reason });
    let done = server.post(&format!("/executions/{id}/cancel"), &ask);
    assert_eq!(done.status, 200, "{done:?}");
    let shown = server.ended(&id);
    let words = |key: &str| shown[key].as_str().unwrap().to_owned();
    let (by, reason) = (words("canceledBy"), words("cancelReason"));
    assert_eq!(by, format!("{}…", "o".repeat(200)));
    assert!(reason.starts_with("\u{fffd}[31mred\u{fffd} because"));
    assert_eq!(reason.chars().count(), 201);
    assert!(words("sentence").chars().count() < 500, "{shown:#}");
    let journal = server.get(&format!("/executions/{id}/events")).body;
    assert!(!journal.contains(&"because ".repeat(50)));
}
