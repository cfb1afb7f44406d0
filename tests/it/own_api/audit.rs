//! Who decided what, of all executions.

use serde_json::{Value, json};

use super::served;

#[test]
fn the_audit_lists_decisions_newest_first_in_pages_of_executions() {
    let (_folder, server) = served();
    let canary = server.canary("shop", "alike");
    server.ended(&canary);
    let long = server.long_analysis();
    let ask = json!({ "by": "ops", "reason": "wrong version" });
    server.post(&format!("/executions/{long}/cancel"), &ask);
    server.ended(&long);

    let listed = |query: &str| -> (Vec<Value>, Value) {
        let reply = server.get(&format!("/audit{query}"));
        assert_eq!(reply.status, 200, "{reply:?}");
        let list = reply.json();
        let decisions = list["decisions"].as_array().unwrap().clone();
        (decisions, list["nextPage"].clone())
    };
    let (all, next) = listed("");
    let told: Vec<_> = all
        .iter()
        .map(|it| ["application", "actor", "action"].map(|key| it[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["long", "coalmine", "ended"],
            ["long", "ops", "cancelRequested"],
            ["long", "somebody", "accepted"],
            ["shop", "coalmine", "ended"],
            ["shop", "somebody", "accepted"],
        ],
        "{all:#?}"
    );
    assert_eq!(next, Value::Null);
    assert_eq!(all[1]["reason"], "wrong version");
    assert_eq!(all[1]["execution"], long);
    let times: Vec<_> = all.iter().map(|it| it["at"].as_str().unwrap()).collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );

    assert_eq!(
        listed("?application=shop"),
        (all[3..].to_vec(), Value::Null)
    );
    assert_eq!(listed("?limit=1"), (all[..3].to_vec(), json!(2)));
    assert_eq!(listed("?limit=1&page=2"), (all[3..].to_vec(), Value::Null));
    assert_eq!(listed("?application=nobody"), (Vec::new(), Value::Null));
    for wrong in ["?limit=0", "?limit=201", "?page=x"] {
        let reply = server.get(&format!("/audit{wrong}"));
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
    }
}
