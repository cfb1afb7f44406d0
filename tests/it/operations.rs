//! `docs/operations.md` says what is so.

use std::collections::BTreeSet;

use coalmine::config::node::Node;
use coalmine::config::server::environment::VARIABLES;

use crate::serve::server::{Server, folder};

const PAGE: &str = include_str!("../../docs/operations.md");
const RULES: &str = include_str!("../../configs/examples/alerts.yaml");

/// Tells of a check that cannot be done here; where everything must be there it fails.
#[track_caller]
#[expect(clippy::print_stderr, reason = "a part that is skipped is told")]
pub(crate) fn skipped(program: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "`{program}` is missing: {why}"
    );
    eprintln!("skipped: `{program}` is missing: {why}");
}

/// Names of metrics in a text.
fn metric_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (start, _) in text.match_indices("coalmine_") {
        let name: String = text[start..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .fold(name.as_str(), |name, end| {
                name.strip_suffix(end).unwrap_or(name)
            });
        names.insert(name.to_owned());
    }
    names
}

/// Names of metrics in our own source, where they are counted.
fn counted() -> BTreeSet<String> {
    fn walk(folder: &std::path::Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, names);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                for macro_name in ["counter!(", "gauge!(", "histogram!("] {
                    for (start, _) in text.match_indices(macro_name) {
                        let rest = text[start + macro_name.len()..].trim_start();
                        if let Some(rest) = rest.strip_prefix('"') {
                            let name = rest.split('"').next().unwrap();
                            // The sample service has metrics of its own.
                            if !name.starts_with("sample_") {
                                names.insert(name.to_owned());
                            }
                        }
                    }
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&source, &mut names);
    names
}

#[test]
fn every_metric_is_described_and_every_described_one_is_counted() {
    let described = metric_names(PAGE);
    assert_eq!(
        described,
        counted(),
        "docs/operations.md against the source"
    );
}

#[test]
fn the_alert_rules_are_rules_on_metrics_that_there_are() {
    let rules = Node::parse(RULES)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .to_json();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 6);
    let counted = counted();
    for rule in rules {
        let expression = rule["expr"].as_str().unwrap();
        assert!(
            rule["alert"].is_string() && rule["annotations"]["summary"].is_string(),
            "{rule}"
        );
        let names = metric_names(expression);
        assert!(expression.contains("up{") || !names.is_empty(), "{rule}");
        for name in names {
            assert!(counted.contains(&name), "no metric `{name}` in {counted:?}");
        }
        let alert = rule["alert"].as_str().unwrap();
        assert!(
            PAGE.contains(alert),
            "docs/operations.md says nothing of `{alert}`"
        );
    }
    // Prometheus' own checker, where it is here.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/examples/alerts.yaml");
    match std::process::Command::new("promtool")
        .args(["check", "rules", file])
        .output()
    {
        Ok(checked) => assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stderr)
        ),
        Err(error) => skipped("promtool", &error.to_string()),
    }
}

#[test]
fn every_variable_of_the_environment_is_listed() {
    for variable in VARIABLES {
        assert!(
            PAGE.contains(&format!("`{}`", variable.name)),
            "{}",
            variable.name
        );
    }
    assert!(PAGE.contains("`COALMINE_CONFIG`"));
}

#[test]
fn the_metrics_of_a_server_at_work_can_be_read() {
    let folder = folder("");
    let server = Server::start(folder.path());
    let id = server.canary("shop", "alike");
    server.ended(&id);
    let metrics = server.get("/metrics");
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    for line in [
        "coalmine_executions_started_total{kind=\"canary\"} 1",
        "coalmine_executions_ended_total{status=\"succeeded\"} 1",
        "coalmine_executions{status=\"succeeded\"} 1",
        "coalmine_judgements_total{verdict=\"Pass\"} 1",
        "coalmine_http_requests_total{method=\"POST\",route=\"/canary\",status=\"200\"} 1",
        "coalmine_component_up{component=\"store\"} 1",
        "coalmine_component_up{component=\"archive\"} 1",
        "coalmine_component_up{component=\"worker\"} 1",
    ] {
        assert!(
            metrics.body.contains(line),
            "no `{line}` in {}",
            metrics.body
        );
    }
    assert!(
        metrics.body.contains(
            "coalmine_http_request_duration_seconds_bucket{route=\"/canary\",le=\"0.005\"}"
        )
    );
}
