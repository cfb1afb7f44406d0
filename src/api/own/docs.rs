//! `GET /openapi.json`, and the same for people at `/docs/`, served from this binary.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The page loads its own files and nothing else.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Kayenta's paths and our own, described.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut own = super::openapi();
    own.merge(crate::api::kayenta::openapi());
    own
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
