//! The list of executions for people.

use super::served;
use crate::serve::server::{Server, folder, until};

#[test]
fn the_list_shows_what_runs_and_what_came_of_it() {
    let (_folder, server) = served();
    let first = server.get("/").body;
    assert!(
        first.contains("Nothing has run yet")
            && first.contains("metricsAccountName=files")
            && first.contains("BASELINE")
            && !first.contains("First say where your metrics are")
            && !first.contains("<script"),
        "{first}"
    );
    let good = server.canary("shop", "alike");
    server.ended(&good);
    let one = "1 finished: 1 was judged to the end, 0 stopped";
    assert!(server.get("/").body.contains(one));
    let bad = server.canary("%3Cb%3Ehostile%3C%2Fb%3E", "slow");
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
        "2 finished: 2 were judged to the end, 0 stopped early or could not be judged, 0 were called off",
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
        crate::operations::skipped("curl", "the shell does not find it");
        return;
    }
    let answer = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(answer.contains("canaryExecutionId"), "{shown}\n{answer}");
}

#[test]
fn without_an_account_the_first_page_says_how_to_have_one() {
    let folder = folder("");
    let config = folder.path().join("server.yaml");
    std::fs::write(
        &config,
        "version: coalmine/v1\nlisten: 127.0.0.1:0\ndataDir: data\n",
    )
    .unwrap();
    let server = Server::start(folder.path());
    let page = server.get("/").body;
    assert!(page.contains("First say where your metrics are"), "{page}");
    assert!(!page.contains("curl"), "{page}");
}
