//! The document that describes the paths.

use std::collections::BTreeSet;

use coalmine::api::own::docs;
use serde_json::Value;

use super::service::Service;

fn document() -> Value {
    serde_json::to_value(docs::openapi()).unwrap()
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
fn every_operation_says_what_stands_before_it_may_answer() {
    for (method, path, operation) in operations(&document()) {
        let described = |status: &str| operation["responses"].get(status).is_some();
        assert!(described("403") && described("500"), "{method} {path}");
        let guarded = path != "/health";
        assert_eq!(described("401"), guarded, "{method} {path}");
        assert!(described("503"), "{method} {path}");
        let has_body = operation.get("requestBody").is_some();
        assert!(described("413") || !has_body, "{method} {path}");
    }
}

#[test]
fn all_refusals_have_one_shape() {
    for (method, path, operation) in operations(&document()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(json) = response.pointer("/content/application~1json/schema") else {
                continue;
            };
            let refused =
                status.as_str() >= "400" && (path.as_str(), status.as_str()) != ("/health", "503");
            let message = json["$ref"] == "#/components/schemas/Message";
            assert_eq!(message, refused, "{method} {path} {status}: {json}");
        }
    }
}

#[tokio::test]
async fn every_path_that_is_described_is_served() {
    let service = Service::new();
    let operations = operations(&document());
    assert_eq!(operations.len(), 53);
    for (method, path, _) in operations {
        let path: String = path.replace(['{', '}'], "");
        let reply = service.send(&method, &path, &[], "").await;
        let not_found = reply.status == 404 && reply.text.contains("nothing at this path");
        assert!(
            !not_found && reply.status != 405,
            "{method} {path}: {}",
            reply.status
        );
        // Nothing has asked the parts here yet.
        assert!(
            reply.status.as_u16() < 500 || path == "/health",
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
