//! How an instance is run as a process.

use coalmine::model::release::cluster::Template;
use coalmine::model::release::process::ProcessTemplate;
use serde_json::json;

#[test]
fn placeholders_are_replaced_once_and_nothing_else_in_braces_is() {
    let fill = |text| ProcessTemplate::fill(text, "/srv/{port}", "5.4.0", 8080);
    assert_eq!(fill("{artifact}"), "/srv/{port}");
    assert_eq!(fill("--listen=127.0.0.1:{port}"), "--listen=127.0.0.1:8080");
    assert_eq!(fill("{{version}} {host} {"), "{5.4.0} {host} {");
    assert_eq!(fill("ü{version}ü"), "ü5.4.0ü");
}

#[test]
fn a_template_reads_back_and_a_short_one_has_defaults() {
    let short = json!({"command": ["{artifact}", "--port", "{port}"]});
    let process = ProcessTemplate::of(&Template(short)).unwrap();
    assert_eq!(process.health.path, "/health");
    assert_eq!(process.stop_grace_ms, 10_000);
    let again = ProcessTemplate::of(&process.to_template()).unwrap();
    assert_eq!(again, process);

    let unknown = json!({"command": ["a"], "enviroment": {}});
    let error = ProcessTemplate::of(&Template(unknown)).unwrap_err();
    assert!(error.to_string().contains("enviroment"), "{error}");
}
