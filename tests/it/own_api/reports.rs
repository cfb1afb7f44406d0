//! Reports.

use super::served;
use crate::serve::server::{Reply, Server};

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
