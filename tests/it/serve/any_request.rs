//! Requests that nobody would write: schemathesis makes them up from the server's own OpenAPI document.

use std::path::PathBuf;
use std::process::Command;

use super::server::{Server, folder};

/// Where `tests/run` puts it, or where the path leads.
fn schemathesis() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let kept = cache.or(home)?.join("coalmine/venv/bin/schemathesis");
    [kept, PathBuf::from("schemathesis")]
        .into_iter()
        .find(|it| {
            Command::new(it)
                .arg("--version")
                .output()
                .is_ok_and(|out| out.status.success())
        })
}

#[test]
#[expect(clippy::print_stderr, reason = "a part that is skipped is told")]
fn no_request_that_the_document_allows_is_answered_with_a_fault_of_the_server() {
    let Some(schemathesis) = schemathesis() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "schemathesis is missing; see tests/run"
        );
        eprintln!("skipped: schemathesis is not installed");
        return;
    };
    let folder = folder("");
    let server = Server::start(folder.path());
    let examples = if std::env::var_os("COALMINE_LONG").is_some() {
        "200"
    } else {
        "8"
    };
    let out = Command::new(schemathesis)
        .arg("run")
        .arg(format!("http://{}/openapi.json", server.address))
        .args(["--checks", "not_a_server_error,response_schema_conformance"])
        .args([
            "--phases",
            "coverage,fuzzing",
            "--max-examples",
            examples,
            "--seed",
            "1",
        ])
        // A stream of events ends when its execution does; the stories of events cover it.
        .args([
            "--exclude-path-regex",
            "/events$",
            "--request-timeout",
            "10",
            "--workers",
            "2",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let log = server.stop();
    assert!(!log.contains("panicked"), "{log}");
}
