//! Stories of our own resources, asked of the real server.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::serve::server::{Reply, Server, connect, folder, until};

fn served() -> (tempfile::TempDir, Server) {
    let folder = folder("");
    let server = Server::start(folder.path());
    (folder, server)
}

fn accepting(server: &Server, path: &str, accept: &str) -> Reply {
    server.ask("GET", path, &[("accept", accept)], "")
}

#[test]
fn a_report_comes_in_the_form_that_is_asked_for() {
    let (_folder, server) = served();
    let id = server.canary("shop", "slow");
    server.ended(&id);
    let path = format!("/reports/{id}");
    for (accept, media, part) in [
        ("", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>",
        ),
        ("text/markdown", "text/markdown; charset=utf-8", "Fail"),
        ("text/plain", "text/plain; charset=utf-8", "Fail: "),
        (
            "application/xml",
            "application/xml; charset=utf-8",
            "<testsuite",
        ),
        (
            "application/json;q=0.5, text/html;q=0.1",
            "application/json; charset=utf-8",
            "\"judgeName\"",
        ),
        (
            "text/*;q=0.2, application/json;q=0",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>",
        ),
    ] {
        let reply = if accept.is_empty() {
            server.get(&path)
        } else {
            accepting(&server, &path, accept)
        };
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some(media)),
            "{accept}"
        );
        assert!(reply.body.contains(part), "{accept}: {}", reply.body);
    }
    for (format, part) in [
        ("html", "<!DOCTYPE html>"),
        ("markdown", "Fail"),
        ("json", "\"judgeName\""),
        ("text", "Fail: "),
        ("junit", "<testsuite"),
    ] {
        assert!(
            server
                .get(&format!("{path}?format={format}"))
                .body
                .contains(part),
            "{format}"
        );
    }
    assert_eq!(server.get(&format!("{path}?format=pdf")).status, 400);
    assert_eq!(accepting(&server, &path, "image/png").status, 406);
    assert_eq!(server.get(&format!("/reports/{id}-1")).status, 200);
    let html = server.get(&path);
    assert!(
        html.header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
}

#[test]
fn without_a_judgement_a_page_says_why() {
    let (_folder, server) = served();
    let absent = server.get("/reports/01NOSUCH");
    assert_eq!(absent.status, 404);
    assert!(absent.body.contains("<h1>No such execution</h1>"));
    let hostile = server.get("/reports/%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert!(
        hostile.status == 404 && !hostile.body.contains("<script>"),
        "{hostile:?}"
    );

    let waiting = server.long_analysis();
    let early = server.get(&format!("/reports/{waiting}"));
    assert_eq!(early.status, 409);
    assert!(early.body.contains("There is no judgement yet"));
    assert_eq!(server.get(&format!("/reports/{waiting}-1")).status, 409);
    assert_eq!(server.get(&format!("/reports/{waiting}-99")).status, 404);
    let json = accepting(&server, &format!("/reports/{waiting}"), "application/json");
    assert!(
        json.status == 409
            && json.json()["message"]
                .as_str()
                .unwrap()
                .contains("no judgement yet"),
        "{json:?}"
    );
    let plain = accepting(&server, &format!("/reports/{waiting}"), "text/plain");
    assert!(
        plain.status == 409 && plain.body.starts_with("There is no judgement yet\n"),
        "{plain:?}"
    );

    let failed = server.canary("shop", "nowhere");
    let shown = server.ended(&failed);
    assert_eq!(shown["status"], "terminal", "{shown:#}");
    assert_eq!(
        shown["stages"][0]["failures"][0]["metric"], "latency",
        "{shown:#}"
    );
    let page = server.get(&format!("/reports/{failed}"));
    assert_eq!(page.status, 409);
    assert!(
        page.body.contains("There is no judgement</h1>") && page.body.contains("nowhere"),
        "{}",
        page.body
    );
}

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
        "?kind=release",
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

/// The events of a stream that has ended: id, word, data.
fn events(body: &str) -> Vec<(u64, String, Value)> {
    let field = |event: &str, name: &str| {
        let line = event
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default().to_owned()
    };
    body.split("\n\n")
        .filter(|event| event.contains("data: "))
        .map(|event| {
            (
                field(event, "id").parse().unwrap(),
                field(event, "event"),
                serde_json::from_str(&field(event, "data")).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_stream_of_events_resumes_where_the_client_was_and_ends() {
    let (_folder, server) = served();
    let id = server.canary("shop", "alike");
    let path = format!("/executions/{id}/events");
    let whole = events(&server.get(&path).body);
    let words: Vec<&str> = whole.iter().map(|(_, word, _)| word.as_str()).collect();
    assert_eq!(
        words,
        [
            "accepted",
            "collectionStarted",
            "collected",
            "judged",
            "ended"
        ]
    );
    assert_eq!(
        whole.iter().map(|(id, _, _)| *id).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(whole[3].2["event"]["outcome"]["verdict"], "Pass");
    let after = |last: &str| server.ask("GET", &path, &[("last-event-id", last)], "");
    assert_eq!(events(&after("3").body), whole[3..]);
    assert_eq!(events(&after("5").body), []);
    assert_eq!(events(&after("99").body), []);
    assert_eq!(after("many").status, 400);
    assert_eq!(server.get("/executions/01NOSUCH/events").status, 404);
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let (_folder, server) = served();
    let id = server.long_analysis();
    let mut stream = connect(server.address);
    let head = format!(
        "GET /executions/{id}/events HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "event: accepted"));
    assert!(lines.any(|line| line == "event: waitStarted"));
    server.post(&format!("/executions/{id}/cancel"), &json!({}));
    assert!(lines.any(|line| line == "event: cancelRequested"));
    assert!(lines.any(|line| line == "event: ended"));
    assert!(
        lines.all(|line| !line.starts_with("event: ")),
        "the stream ends after `ended`"
    );
}

#[test]
fn a_server_that_stops_ends_its_streams() {
    let (_folder, server) = served();
    let id = server.long_analysis();
    let mut stream = connect(server.address);
    let head = format!(
        "GET /executions/{id}/events HTTP/1.1\r\nhost: {}\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "event: waitStarted"));
    server.signal("TERM");
    assert!(lines.all(|line| line != "event: ended"));
    let (status, log) = server.wait();
    assert!(status.success() && !log.contains("still open"), "{log}");
}

#[test]
fn no_more_clients_follow_than_are_allowed() {
    let folder = folder("limits: {eventStreams: 1}\n");
    let server = Server::start(folder.path());
    let id = server.long_analysis();
    let path = format!("/executions/{id}/events");
    let mut stream = connect(server.address);
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address).as_bytes())
        .unwrap();
    let mut first = BufReader::new(stream);
    let mut line = String::new();
    first.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    assert_eq!(server.get(&path).status, 503);
    drop(first);
    server.post(&format!("/executions/{id}/cancel"), &json!({}));
    until(|| (server.get(&path).status == 200).then_some(()));
}

#[test]
fn the_list_shows_what_runs_and_what_came_of_it() {
    let (_folder, server) = served();
    let first = server.get("/").body;
    assert!(
        first.contains("Nothing has run yet") && !first.contains("<script"),
        "{first}"
    );
    let good = server.canary("shop", "alike");
    let bad = server.canary("%3Cb%3Ehostile%3C%2Fb%3E", "slow");
    server.ended(&good);
    server.ended(&bad);
    let long = server.long_analysis();
    until(|| {
        (server.get(&format!("/executions/{long}")).json()["status"] == "running").then_some(())
    });
    let page = server.get("/").body;
    for part in [
        "1 execution is under way",
        "Pass</span>",
        "Fail</span>",
        "Running",
        &format!("href=\"/reports/{good}\""),
        "latencies",
        "2 finished",
    ] {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    assert!(
        !page.contains("<b>hostile") && page.contains("hostile"),
        "{page}"
    );
    for address in ["http://", "https://"] {
        let outside = page
            .replace("http://www.w3.org/2000/svg", "")
            .contains(address);
        assert!(!outside, "the page loads nothing from elsewhere");
    }
    let of = |query: &str| server.get(&format!("/{query}")).body;
    assert!(!of("?application=shop").contains("hostile"));
    assert!(of("?application=nobody").contains("Nothing fits the filter"));
    assert!(of("?status=running").contains("long") && !of("?status=running").contains("shop</a>"));
    assert!(of("?kind=analysis").contains("long") && !of("?kind=analysis").contains("shop</a>"));
    assert_eq!(server.get("/?page=0").status, 400);
}

#[test]
fn the_first_page_shows_a_request_that_fits_the_server() {
    let folder = folder("- {type: prometheus, name: 'my prom', baseUrl: 'http://127.0.0.1:9'}\n");
    let server = Server::start(folder.path());
    let page = server.get("/").body;
    let shown = page
        .split("<code>")
        .find(|part| part.starts_with("curl "))
        .unwrap();
    let shown = shown.split("</code>").next().unwrap();
    let shown = shown
        .replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    // As a reader would run it.
    let run = std::process::Command::new("sh")
        .args(["-c", &shown])
        .output();
    let run = run.unwrap();
    if run.status.code() == Some(127) {
        return; // No curl here.
    }
    let answer = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(answer.contains("canaryExecutionId"), "{shown}\n{answer}");
}

#[test]
fn health_names_its_parts_and_an_account_that_is_away_makes_no_one_restart() {
    let folder = folder("- {type: prometheus, name: away, baseUrl: 'http://127.0.0.1:9'}\n");
    let server = Server::start(folder.path());
    let health = until(|| {
        let reply = server.get("/health");
        (reply.status == 200 && reply.body.contains("away")).then(|| reply.json())
    });
    let parts = &health["components"];
    for part in ["store", "archive", "worker", "files"] {
        assert_eq!(parts[part]["status"], "UP", "{health:#}");
    }
    assert_eq!(
        parts["prometheus"]["details"]["away"]["status"], "DOWN",
        "{health:#}"
    );

    let config = folder.path().join("server.yaml");
    let text =
        std::fs::read_to_string(&config).unwrap() + "health: {accounts: true}\ndataDir: other\n";
    std::fs::write(&config, text.replacen("dataDir: data\n", "", 1)).unwrap();
    let strict = Server::start(folder.path());
    let down = until(|| Some(strict.get("/health")).filter(|reply| reply.body.contains("away")));
    assert_eq!((down.status, &down.json()["status"]), (503, &json!("DOWN")));
}

#[test]
fn the_description_covers_both_apis_and_is_the_committed_one() {
    let (_folder, server) = served();
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/canary/{canaryConfigId}",
        "/judge",
        "/reports/{id}",
        "/executions/{id}/events",
        "/health",
        "/metrics",
    ] {
        assert!(
            paths.contains_key(path),
            "no `{path}` in {:?}",
            paths.keys()
        );
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap();
    text.push('\n');
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openapi.json");
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(golden, &text).unwrap();
    }
    let committed = std::fs::read_to_string(golden).unwrap_or_default();
    assert!(
        committed == text,
        "tests/golden/openapi.json is not what is served; run this test with COALMINE_WRITE=1"
    );
    let docs = server.get("/docs/");
    assert!(
        docs.status == 200 && docs.body.contains("swagger-ui"),
        "{docs:?}"
    );
    assert!(
        server
            .get("/docs/swagger-initializer.js")
            .body
            .contains("/openapi.json")
    );
    assert_eq!(
        server.get("/swagger-ui/index.html").header("location"),
        Some("/docs/")
    );
}
