//! Streams of events.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use super::served;
use crate::serve::server::{Server, connect, folder, until};

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
