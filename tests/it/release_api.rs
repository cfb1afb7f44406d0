//! `/releases…` against a desk that plays a script.

mod desk;

use std::sync::Arc;

use coalmine::executions::release::desk::DeskError;
use coalmine::executions::request::Request;
use coalmine::model::ids::ExecutionId;
use serde_json::{Value, json};

use crate::kayenta_api::service::Service;
use crate::release_view::fixture::plan;
use desk::Scripted;

struct Bench {
    desk: Arc<Scripted>,
    service: Service,
}

impl Bench {
    fn new() -> Self {
        let desk = Arc::new(Scripted::default());
        let service = Service::with_desk(desk.clone());
        Self { desk, service }
    }

    /// A release is in the store; its id.
    async fn release(&self) -> String {
        let request = Request::of_plan(plan(), Some("search-team".to_owned()));
        let started = self.service.executions().start(request, None).await;
        started.unwrap().id.to_string()
    }
}

/// A spec that needs no file.
fn spec() -> Value {
    json!({
        "version": "coalmine/v1",
        "application": "search",
        "artifact": {"version": "5.3.9", "reference": "search:5.3.9"},
        "targets": [{"name": "eu", "account": "shop", "location": "eu-west-1"}],
        "promotion": {"strategy": "redBlack"},
    })
}

#[tokio::test]
async fn what_is_started_is_the_plan_that_was_shown() {
    let bench = Bench::new();
    let service = &bench.service;
    let request = json!({"spec": spec().to_string(), "version": "5.4.0"});
    let planned = service.post("/releases/plan", &request).await.ok();
    assert_eq!(bench.desk.was_asked(), ["plan search 5.4.0"]);
    let hash = plan().hash();
    assert_eq!(planned["hash"], json!(hash));
    assert_eq!(planned["operations"].as_array().unwrap().len(), 14);
    assert_eq!(planned["checks"][0]["sentence"], "open");
    assert_eq!(planned["plan"]["phases"][0]["name"], "Prepare");
    let again = service
        .post("/releases/plan", &json!({"spec": spec()}))
        .await;
    assert_eq!(
        again.ok()["hash"],
        json!(hash),
        "the same plan is kept once"
    );
    bench.desk.was_asked();

    let start = json!({"planHash": hash, "by": "ci"});
    let headers = [
        ("idempotency-key", "one"),
        ("content-type", "application/json"),
    ];
    let started = service
        .send("POST", "/releases", &headers, start.to_string())
        .await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert_eq!(started.json()["id"], "01STARTED");
    let whole = json!({"plan": planned["plan"]});
    assert_eq!(service.post("/releases", &whole).await.status, 201);
    assert_eq!(
        bench.desk.was_asked(),
        [
            format!("start {hash} by ci key one"),
            format!("start {hash} by somebody key "),
        ]
    );
    let mut changed = planned["plan"].clone();
    changed["release"]["spec"]["application"] = json!("other");
    let message = service.post("/releases", &json!({"plan": changed})).await;
    let message = message.refused(400);
    assert!(message.contains("did not make the plan"), "{message}");
    let unknown = json!({"planHash": "0".repeat(64)});
    let message = service.post("/releases", &unknown).await.refused(404);
    assert!(message.contains("/releases/plan"), "{message}");
    for wrong in [
        json!({}),
        json!({"planHash": hash, "plan": {}}),
        json!({"hash": hash}),
    ] {
        let message = service.post("/releases", &wrong).await.refused(400);
        assert!(message.contains("expected"), "{message}");
    }
    assert!(bench.desk.was_asked().is_empty());
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_spec_is_told_at_once() {
    let bench = Bench::new();
    let mut wrong = spec();
    wrong["targets"][0]["acount"] = json!("x");
    wrong["promotoin"] = json!({});
    wrong["analysis"] = json!({"config": "canary.yaml"});
    let reply = bench
        .service
        .post("/releases/plan", &json!({"spec": wrong}))
        .await;
    assert_eq!(reply.status, 400);
    let problems = reply.json()["problems"].clone();
    let text = problems.to_string();
    for part in ["acount", "promotoin", "canary.yaml"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(problems.as_array().unwrap().len() >= 3, "{text}");
    assert!(bench.desk.was_asked().is_empty());

    bench.desk.fails(Some(DeskError::Refused(vec![
        "`shop` has no shares".to_owned(),
        "`search-v229` is not ours".to_owned(),
    ])));
    let reply = bench
        .service
        .post("/releases/plan", &json!({"spec": spec()}))
        .await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["problems"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_release_is_found_by_a_part_of_its_id_if_no_other_has_it() {
    let bench = Bench::new();
    let (first, second) = (bench.release().await, bench.release().await);
    let show = async |id: &str| bench.service.get(&format!("/releases/{id}")).await;
    let status = show(&first).await.ok();
    assert_eq!(status["version"], 1);
    assert_eq!(status["state"], "running");
    assert_eq!(status["phases"][2]["state"], "running");
    bench.desk.was_asked();
    let end = &second[second.len() - 8..];
    show(&end.to_lowercase()).await.ok();
    assert_eq!(bench.desk.was_asked(), [format!("look {second}")]);
    let message = show(&first[..8]).await.refused(400);
    assert!(
        message.contains(&first) && message.contains(&second),
        "{message}"
    );
    for unknown in ["01NOSUCH", "1", "zzzzzzzz"] {
        show(unknown).await.refused(404);
    }
    let plan = bench.service.get(&format!("/releases/{first}/plan")).await;
    let plan = plan.ok();
    assert_eq!(plan["operations"][0]["state"], "done");
    assert_eq!(plan["rollback"]["operations"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_a_person_says_reaches_the_desk_with_name_and_reason() {
    let bench = Bench::new();
    let id = bench.release().await;
    let post = async |verb: &str, body: &Value| {
        bench
            .service
            .post(&format!("/releases/{id}/{verb}"), body)
            .await
    };
    let why = json!({"by": "on-call", "reason": "p99 grows"});
    assert_eq!(post("abort", &why).await.status, 204);
    assert_eq!(post("rollback", &why).await.ok()["isNew"], false);
    let later = json!({"by": "on-call", "reason": "later", "targets": ["eu"]});
    assert_eq!(post("rollback", &later).await.ok()["id"], "01BACK");
    assert_eq!(post("approve", &why).await.status, 204);
    let reject = json!({"choice": "reject", "by": " "});
    assert_eq!(post("approve", &reject).await.status, 204);
    assert_eq!(
        bench.desk.was_asked(),
        [
            format!("abort {id} by on-call: p99 grows"),
            format!("rollback {id} by on-call: p99 grows"),
            format!("rollback {id} at eu by on-call: later"),
            format!("approve {id} by on-call: p99 grows"),
            format!("reject {id} by somebody: "),
        ]
    );
    let message = post("approve", &json!({"choice": "maybe"}))
        .await
        .refused(400);
    assert!(message.contains("`maybe`") && message.contains("`reject`"));
    for verb in ["approve", "abort", "rollback"] {
        post(verb, &json!({"who": "x"})).await.refused(400);
    }
    assert!(bench.desk.was_asked().is_empty());
}

#[tokio::test]
async fn what_the_desk_refuses_has_its_status() {
    let bench = Bench::new();
    let id = bench.release().await;
    let errors = [
        (DeskError::NotFound(ExecutionId::new("X")), 404),
        (DeskError::WrongState("nothing is asked".to_owned()), 409),
        (DeskError::Forbidden("`x` may not answer".to_owned()), 403),
        (DeskError::KeyReused("again".to_owned()), 422),
        (DeskError::TooMany("too much runs".to_owned()), 429),
        (DeskError::Unavailable("the store is away".to_owned()), 503),
    ];
    for (error, status) in errors {
        let sentence = error.to_string();
        bench.desk.fails(Some(error));
        let path = format!("/releases/{id}/approve");
        let message = bench.service.post(&path, &json!({})).await.refused(status);
        assert_eq!(message, sentence);
    }
}

#[tokio::test]
async fn releases_are_listed_newest_first_and_in_pages() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bench.release().await);
    }
    ids.reverse();
    let list = async |query: &str| bench.service.get(&format!("/releases{query}")).await;
    let page = list("?limit=2&application=search&status=not_started")
        .await
        .ok();
    let listed = page["releases"].as_array().unwrap().iter();
    let listed: Vec<&str> = listed.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids[..2]);
    assert_eq!(page["nextPage"], 2);
    assert_eq!(list("?application=other").await.ok()["releases"], json!([]));
    for wrong in ["?limit=0", "?page=x", "?status=done"] {
        list(wrong).await.refused(400);
    }
}
