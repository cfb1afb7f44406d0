//! Starting, stopping, and starting again.

use std::io::Read as _;
use std::process::Stdio;

use super::server::{Server, command, connect, folder, until};
use std::io::Write as _;

/// Runs a server that must not start, and gives its exit code and what it says.
#[track_caller]
fn refused(mut command: std::process::Command) -> (i32, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = until(|| child.try_wait().unwrap());
    let (mut out, mut told) = (String::new(), String::new());
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(out, "", "a server that does not start says no address");
    (status.code().unwrap(), told)
}

#[test]
fn a_canary_is_accepted_judged_and_reported() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let good = server.canary("shop", "alike");
    let bad = server.canary("shop", "slow");
    let shown = server.ended(&good);
    assert_eq!(
        (&shown["verdict"], &shown["status"]),
        (&"Pass".into(), &"succeeded".into()),
        "{shown:#}"
    );
    assert_eq!(server.ended(&bad)["verdict"], "Fail");
    let report = server.get(&format!("/reports/{bad}"));
    assert_eq!(report.status, 200);
    assert!(report.body.starts_with("<!DOCTYPE html>") && report.body.contains("latency"));
    let log = server.stop();
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn it_works_without_any_config() {
    let home = tempfile::tempdir().unwrap();
    let mut bare = std::process::Command::new(env!("CARGO_BIN_EXE_coalmine"));
    bare.args(["serve", "--listen", "127.0.0.1:0"]);
    bare.env_clear().env("HOME", home.path());
    let server = Server::spawn(bare);
    let health = until(|| Some(server.get("/health")).filter(|reply| reply.status == 200));
    assert_eq!(health.json()["status"], "UP");
    assert!(server.get("/").body.contains("Nothing has run yet"));
    server.stop();
    assert!(
        home.path()
            .join(".local/share/coalmine/coalmine.db")
            .is_file()
    );
}

#[test]
fn what_was_accepted_before_a_stop_goes_on_after_it() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let waiting = server.long_analysis();
    until(|| {
        (server.get(&format!("/executions/{waiting}")).json()["status"] == "running").then_some(())
    });
    server.stop();

    let server = Server::start(folder.path());
    let shown = server.get(&format!("/executions/{waiting}")).json();
    assert_eq!(shown["status"], "running", "{shown:#}");
    let cancelled = server.post(
        &format!("/executions/{waiting}/cancel"),
        &serde_json::json!({ "by": "me", "reason": "enough" }),
    );
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(server.ended(&waiting)["status"], "canceled");
}

#[test]
fn killed_at_any_moment_an_accepted_canary_is_judged_all_the_same() {
    let folder = folder("");
    let mut ids = Vec::new();
    for _ in 0..5 {
        let server = Server::start(folder.path());
        ids.push(server.canary("shop", "slow"));
        server.signal("KILL");
        server.wait();
    }
    let server = Server::start(folder.path());
    for id in ids {
        assert_eq!(server.ended(&id)["verdict"], "Fail");
    }
}

#[test]
fn a_request_that_is_being_answered_may_finish() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let body = super::server::request("same", "alike").to_string();
    let (first, second) = body.split_at(20);
    let mut stream = connect(server.address);
    let head = format!(
        "POST /canary HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n{first}",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    until(|| {
        server
            .get("/metrics")
            .body
            .contains("coalmine_http_requests_in_flight 2")
            .then_some(())
    });
    server.signal("TERM");
    until(|| server.log().contains("stopping").then_some(()));
    stream.write_all(second.as_bytes()).unwrap();
    let reply = super::server::read(stream);
    assert_eq!(reply.status, 200, "{reply:?}");
    let (status, log) = server.wait();
    assert!(status.success(), "{log}");
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = folder("shutdownGrace: 10m\n");
    let server = Server::start(folder.path());
    let mut stream = connect(server.address);
    let head = format!(
        "POST /canary HTTP/1.1\r\nhost: {}\r\ncontent-length: 9\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    until(|| {
        server
            .get("/metrics")
            .body
            .contains("coalmine_http_requests_in_flight 2")
            .then_some(())
    });
    server.signal("INT");
    until(|| server.log().contains("stopping").then_some(()));
    server.signal("INT");
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(130));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let (code, told) = refused(command(folder.path()));
    assert_eq!(code, 4);
    assert!(
        told.contains(&format!("is served by the process {}", server.pid())),
        "{told}"
    );
    assert!(told.contains("hint: stop the other process"), "{told}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let mut other = command(folder.path());
    other
        .args(["--listen", &server.address.to_string(), "--data-dir"])
        .arg(folder.path().join("other"));
    let (code, told) = refused(other);
    assert_eq!(code, 4);
    assert!(
        told.contains(&format!("cannot listen on `{}`", server.address)),
        "{told}"
    );
}

#[test]
fn a_config_that_cannot_be_read_or_meant_is_exit_2() {
    let folder = folder("lissten: here\n");
    let (code, told) = refused(command(folder.path()));
    assert_eq!(code, 2);
    assert!(
        told.contains("did you mean `listen`?") && told.contains("server.yaml:6:1"),
        "{told}"
    );

    let mut absent = command(folder.path());
    absent.args(["--listen", "127.0.0.1:0"]);
    std::fs::remove_file(folder.path().join("server.yaml")).unwrap();
    let (code, told) = refused(absent);
    assert_eq!(code, 2);
    assert!(told.contains("server.yaml"), "{told}");
}

#[test]
fn an_open_address_without_a_token_is_refused() {
    let folder = folder("");
    let mut open = command(folder.path());
    open.args(["--listen", "0.0.0.0:0"]);
    let (code, told) = refused(open);
    assert_eq!(code, 2);
    assert!(
        told.contains("--listen") && told.contains("COALMINE_TOKEN_FILE"),
        "{told}"
    );
}

#[test]
fn a_token_that_is_absent_short_or_empty_stops_the_start_and_is_not_shown() {
    let folder = folder("auth: {token: {file: token}}\n");
    for (content, told_of) in [
        (None, "cannot read the token"),
        (Some("s3cr3t"), "at least 16 characters"),
        (Some(" \n"), "it is empty"),
    ] {
        if let Some(content) = content {
            std::fs::write(folder.path().join("token"), content).unwrap();
        }
        let (code, told) = refused(command(folder.path()));
        assert_eq!(code, 2);
        assert!(told.contains(told_of) && !told.contains("s3cr3t"), "{told}");
    }
}

#[test]
fn a_metric_store_that_gives_no_answer_is_told_in_the_log_while_it_is_asked_again() {
    let folder = folder("- {type: prometheus, name: dead, baseUrl: \"http://127.0.0.1:1\"}\n");
    let server = Server::start(folder.path());
    let mut body = super::server::request("same", "alike");
    body["canaryConfig"]["metrics"][0]["query"] =
        serde_json::json!({ "type": "prometheus", "customInlineTemplate": "PromQL:up" });
    let posted = server.post("/canary?metricsAccountName=dead", &body);
    let id = posted.json()["canaryExecutionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = until(|| {
        let log = server.log();
        let line = log
            .lines()
            .find(|line| line.contains("is asked again in"))?;
        Some(line.to_owned())
    });
    assert!(told.contains("WARN") && told.contains("dead"), "{told}");
    let cancelled = server.post(&format!("/executions/{id}/cancel"), &serde_json::json!({}));
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    assert_eq!(server.ended(&id)["status"], "canceled");
}
