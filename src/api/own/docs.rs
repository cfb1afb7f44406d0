//! `GET /openapi.json`, and the same for people at `/docs/`, served from this binary.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The page loads its own files and nothing else.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Kayenta's paths and our own, described.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut own = super::openapi();
    own.merge(crate::api::kayenta::openapi());
    for (path, item) in &mut own.paths.paths {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            describe_edge(path, operation);
        }
    }
    own
}

/// What stands before all handlers may answer, too; a status that an operation describes itself keeps its words.
fn describe_edge(path: &str, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let responses = &mut operation.responses.responses;
    let mut add = |status: &str, description: &str| {
        let message = Content::new(Some(Ref::from_schema_name("Message")));
        let refusal = ResponseBuilder::new()
            .description(description)
            .content("application/json", message)
            .build();
        responses
            .entry(status.to_owned())
            .or_insert(RefOr::T(refusal));
    };
    add(
        "403",
        "This host is not served, or a page of another origin asks",
    );
    add("500", "A defect, or damaged data; the log has more");
    // Probes carry no token, and wait in no queue.
    if path != "/health" {
        add("401", "The token is missing or wrong");
        add(
            "503",
            "Too many requests at once, or this one took too long",
        );
    }
    if has_body {
        add("413", "The body is larger than the server allows");
    }
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operations",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object))
)]
pub async fn document() -> Response {
    Json(openapi()).into_response()
}

/// `/openapi.json`, `/docs/`, and the address where Kayenta has its page.
pub(super) fn routes() -> Router {
    let config = Config::from("/openapi.json").validator_url("none");
    let ui: Router = SwaggerUi::new("/docs").config(config).into();
    Router::new()
        .route("/openapi.json", get(document))
        .route(
            "/swagger-ui",
            get(|| async { Redirect::permanent("/docs/") }),
        )
        .route(
            "/swagger-ui/",
            get(|| async { Redirect::permanent("/docs/") }),
        )
        .route(
            "/swagger-ui/index.html",
            get(|| async { Redirect::permanent("/docs/") }),
        )
        .merge(ui.layer(from_fn(guarded)))
}

async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
