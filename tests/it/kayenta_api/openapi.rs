//! The document that describes the paths.

use std::collections::BTreeSet;

use coalmine::api::kayenta;
use serde_json::Value;

use super::service::Service;

fn document() -> Value {
    serde_json::to_value(kayenta::openapi()).unwrap()
}

/// Method and path of all operations.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_document_is_what_it_was() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&document()).unwrap());
}

#[tokio::test]
async fn every_path_that_is_described_is_served() {
    let service = Service::new();
    let operations = operations(&document());
    assert_eq!(operations.len(), 34);
    for (method, path, _) in operations {
        let path: String = path.replace(['{', '}'], "");
        let reply = service.send(&method, &path, &[], "").await;
        let not_found = reply.status == 404 && reply.text.is_empty();
        assert!(
            !not_found && reply.status != 405,
            "{method} {path}: {}",
            reply.status
        );
        assert!(
            reply.status.as_u16() < 500,
            "{method} {path}: {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn every_status_of_a_bare_request_is_described() {
    let service = Service::new();
    for (method, path, operation) in operations(&document()) {
        let described: BTreeSet<&str> = operation["responses"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let bare = path.replace(['{', '}'], "");
        for query in [
            "",
            "?metricsAccountName=x&storageAccountName=x&configurationAccountName=x&accountName=x&limit=x",
        ] {
            for body in ["", "{}", "[]", "null"] {
                let reply = service
                    .send(&method, &format!("{bare}{query}"), &[], body)
                    .await;
                let status = reply.status.as_str().to_owned();
                assert!(
                    described.contains(status.as_str()),
                    "{method} {path}{query} `{body}`: {status} {}",
                    reply.text
                );
            }
        }
    }
}

#[test]
fn everything_that_is_referred_to_is_there() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut referred = 0;
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
        referred += 1;
    }
    assert!(referred > 100, "{referred}");
}
