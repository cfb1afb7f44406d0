//! Too much, too slow, and nonsense.

use std::io::{Read as _, Write as _};

use serde_json::json;

use super::server::{Server, connect, folder, read, request, until};

#[test]
fn a_client_that_sends_its_head_slowly_is_dropped() {
    let folder = folder("limits: {headerTime: 300ms}\n");
    let server = Server::start(folder.path());
    let mut slow: Vec<_> = (0..20).map(|_| connect(server.address)).collect();
    for stream in &mut slow {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ")
            .unwrap();
    }
    assert_eq!(
        server.get("/executions").status,
        200,
        "others are answered meanwhile"
    );
    for mut stream in slow {
        let mut rest = Vec::new();
        // Ends, and not by the bound of the test: the server closed it.
        let end = stream.read_to_end(&mut rest);
        assert!(
            end.is_ok()
                || end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
}

#[test]
fn a_body_that_arrives_slowly_ends_in_a_refusal() {
    let folder = folder("limits: {requestTime: 1s}\n");
    let server = Server::start(folder.path());
    let mut stream = connect(server.address);
    let head = format!(
        "POST /canary HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\n\r\n{{",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let reply = read(stream);
    assert_eq!(reply.status, 408, "{reply:?}");
    assert_eq!(
        reply.json(),
        json!({ "message": "the body of the request did not arrive within 1000 ms" })
    );
    // The server is not at fault: nobody is asked to come again, and nobody is woken.
    assert_eq!(reply.header("retry-after"), None);
    let log = server.stop();
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn a_client_that_reads_no_answers_loses_its_connection() {
    let folder = folder("limits: {connections: 2, writeTime: 300ms}\n");
    let server = Server::start(folder.path());
    let head = format!(
        "GET /openapi.json HTTP/1.1\r\nhost: {}\r\n\r\n",
        server.address
    );
    let many = head.repeat(2_000);
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(server.address);
            stream
                .set_write_timeout(Some(std::time::Duration::from_millis(100)))
                .unwrap();
            // As many as are taken; far more is answered than fits between us.
            let _ = stream.write_all(many.as_bytes());
            stream
        })
        .collect();
    let reply = server.get("/health");
    assert_ne!(reply.status, 0, "all places are taken for ever");
    let metrics = server.get("/metrics");
    assert!(
        metrics
            .body
            .contains("coalmine_http_connections_dropped_total 2")
            || metrics
                .body
                .contains("coalmine_http_connections_dropped_total 1"),
        "{}",
        metrics.body
    );
    drop(held);
}

#[test]
fn a_metric_store_that_is_silent_is_blamed_before_the_request_is_over() {
    // Connections are made, and nothing more.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = folder(&format!(
        "- {{type: prometheus, name: silent, baseUrl: 'http://{}'}}\nlimits: {{requestTime: 3s}}\n",
        silent.local_addr().unwrap()
    ));
    let server = Server::start(folder.path());
    let reply = server.get("/metadata/metricsService?metricsAccountName=silent");
    assert_eq!(
        (reply.status, reply.json()),
        (
            503,
            json!({ "message": "the metric store did not answer within 2000 ms" })
        )
    );
}

#[test]
fn large_bodies_wait_for_each_other_and_small_ones_do_not() {
    let folder = folder("limits: {bodyBytes: 1000000}\n");
    let server = Server::start(folder.path());
    let begun = || {
        let mut stream = connect(server.address);
        let head = format!(
            "POST /canary HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let held: Vec<_> = (0..4).map(|_| begun()).collect();
    // They and the one that asks.
    until(|| {
        let metrics = server.get("/metrics").body;
        metrics
            .contains("coalmine_http_requests_in_flight 5")
            .then_some(())
    });
    let mut fifth = begun();
    fifth.write_all(" ".repeat(1_000_000).as_bytes()).unwrap();
    let patience = std::time::Duration::from_millis(300);
    fifth.set_read_timeout(Some(patience)).unwrap();
    assert!(fifth.read(&mut [0]).is_err(), "there is no room yet");
    assert_eq!(server.ask("POST", "/canary", &[], "{").status, 400);
    drop(held);
    fifth.set_read_timeout(Some(super::server::BOUND)).unwrap();
    assert_eq!(read(fifth).status, 400);
}

#[test]
fn ten_megabytes_are_survived_and_more_is_refused() {
    // Time is for another test: an unoptimized build on a busy machine takes its time with five million items.
    let folder = folder("limits: {requestTime: 5m}\n");
    let server = Server::start(folder.path());
    // Ten million bytes of JSON that are no request.
    let large = format!("[{}0]", "0,".repeat(5_000_000));
    for path in [
        "/canary",
        "/canaryConfig",
        "/judge",
        "/metricSetPairList",
        "/executions/x/cancel",
    ] {
        let reply = server.ask(
            "POST",
            path,
            &[("content-type", "application/json")],
            &large,
        );
        assert!(
            (400..500).contains(&reply.status),
            "{path}: {} {}",
            reply.status,
            &reply.body[..reply.body.len().min(200)]
        );
    }
    let larger = "x".repeat(12_000_000);
    for path in ["/canary", "/judge", "/executions/x/cancel"] {
        let reply = server.ask("POST", path, &[], &larger);
        assert_eq!(reply.status, 413, "{path}: {reply:?}");
        assert_eq!(
            reply.json(),
            json!({ "message": "the body is larger than 10485760 bytes" })
        );
    }
    // The same without a length, in pieces.
    let mut stream = connect(server.address);
    stream
        .write_all(
            format!(
                "POST /canary HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n",
                server.address
            )
            .as_bytes(),
        )
        .unwrap();
    let piece = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    for _ in 0..12 {
        if stream.write_all(piece.as_bytes()).is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n");
    let reply = read(stream);
    assert_eq!(reply.status, 413, "{reply:?}");
    assert_eq!(server.get("/executions").status, 200);
}

#[test]
fn more_requests_than_fit_are_told_to_come_again() {
    let folder = folder("limits: {concurrentRequests: 2}\n");
    let server = Server::start(folder.path());
    let head = format!(
        "POST /canary HTTP/1.1\r\nhost: {}\r\ncontent-length: 10\r\n\r\n",
        server.address
    );
    let mut held = Vec::new();
    // One that comes while another is being answered may be refused itself, so that they come until they fill the server.
    let refused = until(|| {
        let mut stream = connect(server.address);
        stream.write_all(head.as_bytes()).unwrap();
        held.push(stream);
        Some(server.get("/executions")).filter(|reply| reply.status == 503)
    });
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("too many requests")
    );
    until(|| (server.get("/health").status == 200).then_some(()));
    drop(held);
    until(|| (server.get("/executions").status == 200).then_some(()));
}

#[test]
fn nonsense_is_answered_and_does_no_harm() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "a".repeat(200_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "x: y\r\n".repeat(2_000)
    );
    let nonsense: [&[u8]; 9] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /canary HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /canary HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /canary HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for request in nonsense {
        let reply = server.raw(request);
        assert!(reply.status < 500, "{reply:?}");
        assert_eq!(server.get("/executions").status, 200);
    }
    for (body, path) in [
        ("{", "/canary"),
        ("[]", "/executions/x/cancel"),
        ("\u{0}", "/canaryConfig"),
        ("{\"by\": 7}", "/executions/x/resume"),
    ] {
        let reply = server.ask("POST", path, &[], body);
        assert_eq!(reply.status, 400, "{path} {body}: {reply:?}");
        assert!(reply.json()["message"].is_string());
    }
    for (method, path) in [
        ("DELETE", "/executions"),
        ("POST", "/health"),
        ("PUT", "/"),
        ("BREW", "/metrics"),
    ] {
        let reply = server.ask(method, path, &[], "");
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(reply.json()["message"].is_string(), "{reply:?}");
    }
}

#[test]
fn the_log_has_a_line_for_each_request_and_nothing_of_its_content() {
    let folder = folder("logging: {format: json}\n");
    let server = Server::start(folder.path());
    let path = "/canary?application=s3cr3t-query";
    let mut body = request("same", "alike");
    body["canaryConfig"]["description"] = "s3cr3t-body".into();
    let headers = [
        ("x-request-id", "my-own.id_7"),
        ("cookie", "s3cr3t-cookie"),
        ("content-type", "application/json"),
    ];
    let reply = server.ask("POST", path, &headers, &body.to_string());
    assert_eq!(
        (reply.status, reply.header("x-request-id")),
        (200, Some("my-own.id_7")),
        "{reply:?}"
    );
    let hostile = server.ask(
        "GET",
        "/executions",
        &[("x-request-id", "a b\u{1b}[31m")],
        "",
    );
    assert_ne!(hostile.header("x-request-id"), Some("a b\u{1b}[31m"));
    let log = server.stop();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let line = lines
        .iter()
        .find(|line| line["request.id"] == "my-own.id_7" && line.get("status").is_some())
        .unwrap_or_else(|| panic!("{log}"));
    assert_eq!(
        (&line["method"], &line["route"], &line["status"]),
        (&json!("POST"), &json!("/canary"), &json!(200))
    );
    assert!(line["duration_ms"].is_u64());
    assert!(!log.contains("s3cr3t"), "{log}");
}
