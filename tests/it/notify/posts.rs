//! Webhooks and Slack: what is posted, and what an answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coalmine::model::release::notice::Notice;
use coalmine::model::secret::SecretSource;
use coalmine::notify::slack::Slack;
use coalmine::notify::webhook::Webhook;
use coalmine::notify::{Channel, Undelivered};

use super::{asked, decided, parcel};
use crate::scripted_http::{Reply, ScriptedHttp, Seen};

const SECRET: &str = "s3cret-key-of-the-hook";

fn webhook(server: &ScriptedHttp) -> Webhook {
    let url = format!("{}/hooks/t0ken", server.url());
    Webhook::new(&url, SecretSource::value(SECRET)).unwrap()
}

fn slack(server: &ScriptedHttp) -> Slack {
    let url = format!("{}/services/T0/B0/t0ken", server.url());
    Slack::new(SecretSource::value(url)).unwrap()
}

fn answering(reply: Reply) -> ScriptedHttp {
    ScriptedHttp::start(move |_: &Seen| reply.clone())
}

async fn refused(way: &dyn Channel, notice: &Notice) -> Undelivered {
    let body = notice.to_json().unwrap();
    way.send(parcel(&body)).await.unwrap_err()
}

#[tokio::test]
async fn a_webhook_gets_the_notice_signed_and_under_its_key() {
    let server = answering(Reply::new(204, ""));
    let body = asked().to_json().unwrap();
    webhook(&server).send(parcel(&body)).await.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/hooks/t0ken")
    );
    let golden = concat!(
        r#"{"version":1,"execution":"r-2c81","application":"search","event":"asked","#,
        r#""title":"search 5.4.0 scored 86 at 25%, Marginal: p99 & <errors> rose","#,
        r#""verdict":"Marginal","score":86.4,"#,
        r#""report":"https://coalmine.example.com/reports/r-2c81?a=1&b=2","#,
        r#""deadline":"2026-03-12T14:45:04Z","answerCommands":["coalmine release approve r-2c81","#,
        r#""coalmine release rollback r-2c81"],"at":"2026-03-12T14:15:04Z"}"#,
    );
    assert_eq!(seen.body, golden);
    assert_eq!(Notice::from_json(golden).unwrap(), asked());
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("coalmine-key"), "r-2c81/7/hook");
    assert_eq!(seen.header("idempotency-key"), "r-2c81/7/hook");
    // Computed by Python's `hmac` and by `openssl dgst -sha256 -hmac` over `1773324905.` and the golden body.
    assert_eq!(
        seen.header("coalmine-signature"),
        "t=1773324905,v1=96da6cd3c59a5307d4b0d385114cc7f62804c41e329c5f10b83bfcf446a95992"
    );
}

#[tokio::test]
async fn the_golden_body_of_a_decision_loads() {
    let golden = concat!(
        r#"{"version":1,"execution":"r-2c81","application":"search","event":"decided","#,
        r#""title":"search was rolled back: grace said no","decision":"rolledBack","cause":"person","#,
        r#""by":"grace","at":"2026-03-12T14:15:04Z"}"#,
    );
    assert_eq!(decided().to_json().unwrap(), golden);
    assert_eq!(Notice::from_json(golden).unwrap(), decided());
}

#[tokio::test]
async fn an_answer_is_taken_refused_or_asked_for_again() {
    for status in [200, 201, 202, 204] {
        let server = answering(Reply::new(status, ""));
        let body = decided().to_json().unwrap();
        webhook(&server).send(parcel(&body)).await.unwrap();
    }
    for (status, is_final) in [
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (410, true),
        (422, true),
        (408, false),
        (425, false),
        (429, false),
        (301, false),
        (500, false),
        (502, false),
        (503, false),
    ] {
        let reply = Reply::new(status, "no_service\nmore").with("Retry-After", "7");
        let server = answering(reply.with("Location", "http://127.0.0.1:1/elsewhere"));
        let answer = refused(&webhook(&server), &decided()).await;
        let why = answer.to_string();
        assert!(
            why.starts_with(&format!("HTTP {status}")) && why.ends_with(": no_service"),
            "{why}"
        );
        match answer {
            Undelivered::Never { .. } => assert!(is_final, "{status}"),
            Undelivered::Again { after, .. } => {
                assert!(!is_final, "{status}");
                assert_eq!(after, Some(Duration::from_secs(7)), "{status}");
            }
        }
        assert_eq!(server.seen().len(), 1, "one try is one request");
    }
}

#[tokio::test]
async fn what_is_tried_again_has_the_same_key_and_body_and_a_new_time() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = ScriptedHttp::start(move |_: &Seen| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::nothing(),
        1 => Reply::new(503, "").with("Retry-After", "Fri, 13 Mar 2026 00:00:00 GMT"),
        _ => Reply::new(200, "ok"),
    });
    let way = webhook(&server);
    let body = decided().to_json().unwrap();
    let mut parcel = parcel(&body);
    for is_taken in [false, false, true] {
        assert_eq!(way.send(parcel).await.is_ok(), is_taken);
        parcel.now_ms += 5_000;
    }
    let seen = server.seen();
    let same: Vec<_> = seen
        .iter()
        .map(|seen| (seen.header("coalmine-key"), seen.body.as_str()))
        .collect();
    assert_eq!(same, vec![("r-2c81/7/hook", body.as_str()); 3]);
    let signatures = seen.iter().map(|seen| seen.header("coalmine-signature"));
    let times: Vec<&str> = signatures.map(|it| it.split(',').next().unwrap()).collect();
    assert_eq!(times, ["t=1773324905", "t=1773324910", "t=1773324915"]);
}

#[tokio::test]
async fn no_refusal_shows_the_address_or_the_key() {
    let dead = {
        let server = answering(Reply::new(200, ""));
        (webhook(&server), slack(&server))
    };
    let told = refused(&dead.0, &decided()).await.to_string();
    assert!(told.starts_with("no answer: "), "{told}");
    let also = refused(&dead.1, &decided()).await.to_string();
    // A server that sends the address back.
    let server = ScriptedHttp::start(|seen: &Seen| {
        Reply::new(
            404,
            format!("no such path: {} {}", seen.path, seen.header("host")),
        )
    });
    let echoed = refused(&webhook(&server), &decided()).await.to_string();
    let slacked = refused(&slack(&server), &decided()).await.to_string();
    assert!(slacked.contains("no such path: ***"), "{slacked}");
    for told in [told, also, echoed, slacked] {
        for secret in ["t0ken", SECRET] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    let debug = format!("{:?} {:?}", webhook(&server), slack(&server));
    assert!(
        !debug.contains(SECRET) && !debug.contains("/services/"),
        "{debug}"
    );
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_anew_with_each_message() {
    let server = answering(Reply::new(200, ""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let way = Webhook::new(&server.url(), SecretSource::file(&file)).unwrap();
    let gone = refused(&way, &decided()).await;
    assert!(matches!(&gone, Undelivered::Again { why, .. } if why.contains("cannot read")));
    let body = decided().to_json().unwrap();
    let mut signatures = Vec::new();
    for secret in ["one\n", "two\n", "two"] {
        std::fs::write(&file, secret).unwrap();
        way.send(parcel(&body)).await.unwrap();
        let seen = server.seen().pop().unwrap();
        signatures.push(seen.header("coalmine-signature").to_owned());
    }
    assert_ne!(signatures[0], signatures[1]);
    assert_eq!(signatures[1], signatures[2], "white space does not count");
    assert_eq!(server.seen().len(), 3, "nothing goes out unsigned");
}

#[tokio::test]
async fn slack_gets_words_and_nothing_in_them_calls_anybody() {
    let server = answering(Reply::new(200, "ok"));
    let mut notice = asked();
    notice.title = "<!channel> p99 & errors rose".to_owned();
    let body = notice.to_json().unwrap();
    slack(&server).send(parcel(&body)).await.unwrap();
    let seen = server.seen().remove(0);
    let golden = concat!(
        r#"{"text":"&lt;!channel&gt; p99 &amp; errors rose\nsearch, release r-2c81, 2026-03-12T14:15:04Z\n"#,
        r#"Verdict: Marginal, score 86\nAnswer by 2026-03-12T14:45:04Z\n  coalmine release approve r-2c81\n"#,
        r#"  coalmine release rollback r-2c81\nReport: https://coalmine.example.com/reports/r-2c81?a=1&amp;b=2"}"#,
    );
    assert_eq!(seen.body, golden);
    assert_eq!(seen.path, "/services/T0/B0/t0ken");
    let unreadable = slack(&server).send(parcel("{}")).await.unwrap_err();
    assert!(matches!(unreadable, Undelivered::Never { .. }));
}
