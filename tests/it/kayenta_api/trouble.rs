//! What clients see when something of ours is broken: never a pass.

use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use coalmine::archive::bundle::Bundle;
use coalmine::archive::memory::MemoryArchive;
use coalmine::archive::{Archive, ArchiveError, JudgementRecord};
use serde_json::{Value, json};

use super::argo;
use super::service::{Service, analysis_request, config, request};

/// What an archive does wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It keeps no bundle.
    KeepsNothing,
    /// It has lost all judgements.
    Forgetful,
    /// What it has is damaged.
    Damaged,
}

#[derive(Debug)]
struct BrokenArchive {
    inner: MemoryArchive,
    fault: Fault,
}

fn damaged(what: &'static str, id: &str) -> ArchiveError {
    ArchiveError::Damaged {
        what,
        id: id.to_owned(),
        cause: "bad sector 7".into(),
    }
}

#[async_trait]
impl Archive for BrokenArchive {
    async fn put_bundle(&self, bundle: &Bundle) -> Result<String, ArchiveError> {
        match self.fault {
            Fault::KeepsNothing => Err(damaged("bundle", "new")),
            Fault::Forgetful | Fault::Damaged => self.inner.put_bundle(bundle).await,
        }
    }

    async fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError> {
        self.inner.bundle(id).await
    }

    async fn put_judgement(
        &self,
        name: &str,
        record: &JudgementRecord,
    ) -> Result<(), ArchiveError> {
        self.inner.put_judgement(name, record).await
    }

    async fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError> {
        match self.fault {
            Fault::Forgetful => Err(ArchiveError::NotFound {
                what: "judgement",
                id: name.to_owned(),
            }),
            Fault::Damaged => Err(damaged("judgement", name)),
            Fault::KeepsNothing => self.inner.judgement(name).await,
        }
    }

    async fn check(&self) -> Result<(), ArchiveError> {
        Ok(())
    }
    async fn remove_orphans(
        &self,
        _: &std::collections::BTreeSet<String>,
    ) -> Result<u64, ArchiveError> {
        Ok(0)
    }
    async fn remove(&self, judgements: &[String], bundles: &[String]) -> Result<(), ArchiveError> {
        self.inner.remove(judgements, bundles).await
    }
}

fn service(fault: Fault) -> Service {
    let inner = MemoryArchive::new();
    Service::keeping(Arc::new(BrokenArchive { inner, fault }))
}

#[tokio::test]
async fn an_execution_that_is_stuck_is_suspended_and_says_on_what() {
    let service = service(Fault::KeepsNothing);
    let id = service.canary("web-baseline", "web-canary").await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    assert_eq!(canary["status"], "suspended");
    assert_eq!(canary["complete"], false);
    assert_eq!(canary["stageStatus"]["fetchControl0"], "suspended");
    let error = canary["exception"]["details"]["error"].as_str().unwrap();
    assert!(error.contains("bad sector 7"), "{error}");
    assert_eq!(argo::phase(&canary, 75, 50), "Running");

    let request = analysis_request("web-baseline", "web-canary");
    let id = service.analysis(&config(), &request).await;
    let analysis = service
        .get(&format!("/standalone_canary_analysis/{id}"))
        .await
        .ok();
    assert_eq!(analysis["executionStatus"], "SUSPENDED");
    let stages = analysis["stageStatus"].as_array().unwrap();
    let stuck: Vec<&Value> = stages
        .iter()
        .filter(|stage| stage["status"] == "SUSPENDED")
        .map(|stage| &stage["name"])
        .collect();
    assert!(stuck.contains(&&json!("Run Canary #1")), "{stuck:?}");
    let child = service.get(&format!("/canary/{id}-1")).await.ok();
    assert_eq!(child["status"], "suspended");
}

#[tokio::test]
async fn a_result_that_is_forgotten_is_no_result() {
    let service = service(Fault::Forgetful);
    let id = service.canary("web-baseline", "web-canary").await;
    let canary = service.get(&format!("/canary/{id}")).await.ok();
    assert_eq!(canary["status"], "succeeded");
    assert_eq!(canary.get("result"), None);
    assert_eq!(argo::phase(&canary, 75, 50), "Error");
}

#[tokio::test]
async fn a_result_that_is_damaged_is_an_error_of_the_server() {
    let service = service(Fault::Damaged);
    let id = service.canary("web-baseline", "web-canary").await;
    let message = service.get(&format!("/canary/{id}")).await.refused(500);
    assert!(message.contains("damaged"), "{message}");
    assert!(
        !message.contains("sector"),
        "causes are for the log: {message}"
    );
}

#[tokio::test]
async fn a_result_that_is_damaged_hides_no_other_execution_from_a_list() {
    let service = service(Fault::Damaged);
    let damaged = service.canary("web-baseline", "web-canary").await;
    let other = service.canary("web-baseline", "web-dead").await;
    let list = service.get("/canary/executions").await.ok();
    let ids: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["pipelineId"])
        .collect();
    assert_eq!(ids, [&json!(other), &json!(damaged)]);
    assert_eq!(list[1]["status"], "succeeded");
    assert_eq!(list[1].get("result"), None);
}

#[tokio::test]
async fn among_many_that_are_under_way_one_that_is_stuck_is_seen() {
    let service = service(Fault::KeepsNothing);
    let stuck = service.canary("web-baseline", "web-canary").await;
    let body = json!({"canaryConfig": config(), "executionRequest": request("web-baseline", "web-canary")});
    for _ in 0..201 {
        service.post("/canary", &body).await.ok();
    }
    let page = service.get("/").await.text;
    assert!(page.contains(&format!("/reports/{stuck}")));
    assert!(page.contains("Waiting for someone <b>1</b>"));
    assert!(page.contains("Running <b>201, the newest 200 of them here</b>"));
    let filtered = service.get("/?kind=canary").await.text;
    assert!(filtered.contains("Running <b>more than 200, the newest of them here</b>"));
}

/// A body of that many bytes at least.
fn large(bytes: usize) -> [(&'static str, Value); 4] {
    let text = "x".repeat(bytes);
    let mut config = config();
    config["description"] = text.clone().into();
    let pair = json!({"name": "m", "id": "m", "values": {"control": [1], "experiment": [1]}, "attributes": {"a": text}});
    [
        ("/canaryConfig", config),
        ("/metricSetPairList", json!([pair])),
        ("/metricSetList", json!([{"name": text}])),
        (
            "/canaryResultArchive",
            json!({"status": "succeeded", "exception": {"details": text}}),
        ),
    ]
}

#[tokio::test]
async fn while_a_large_body_is_read_other_requests_are_answered() {
    for (bytes, waits) in [(1, false), (2_000_000, true)] {
        let service = Service::new();
        for (path, body) in large(bytes) {
            let mut sent = std::pin::pin!(service.post(path, &body));
            // On the one thread of this test nothing else happens while a request is polled.
            let first = poll_fn(|context| Poll::Ready(sent.as_mut().poll(context))).await;
            assert_eq!(first.is_pending(), waits, "{path} of {bytes} bytes");
            let reply = match first {
                Poll::Ready(reply) => reply,
                Poll::Pending => sent.await,
            };
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_in_the_shape_of_all_refusals() {
    let service = Service::new();
    let body = json!({
        "canaryConfig": config(),
        "executionRequest": request("web-baseline", &"x".repeat(3 << 20)),
    });
    service.post("/canary", &body).await.refused(413);
}
