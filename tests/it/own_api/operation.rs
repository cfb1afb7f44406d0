//! Health, and the description of all paths.

use serde_json::json;

use super::served;
use crate::serve::server::{Server, folder, until};

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
    let mut document = server.get("/openapi.json").json();
    let version = std::mem::replace(&mut document["info"]["version"], "redacted".into());
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
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
