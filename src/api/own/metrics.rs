//! `GET /metrics`: the metrics of this process, in Prometheus' text format. `docs/operations.md` lists them.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::OwnState;
use super::answer::Refusal;
use crate::executions::state::Status;

/// Metrics for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operations",
    responses((status = 200, description = "Prometheus' text format", body = String, content_type = "text/plain"))
)]
pub async fn show(State(own): State<OwnState>) -> Result<Response, Refusal> {
    let counts = own
        .api
        .executions
        .engine()
        .ports()
        .store
        .count_by_status()
        .await;
    // A store that does not answer is no reason to hide everything else.
    for (status, count) in counts.iter().flatten() {
        let known = Status::ALL.iter().find(|known| known.word() == status);
        if let Some(known) = known {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            metrics::gauge!("coalmine_executions", "status" => known.word()).set(*count as f64);
        }
    }
    if let Ok(counts) = &counts {
        for status in Status::ALL {
            if counts.iter().all(|(word, _)| word != status.word()) {
                metrics::gauge!("coalmine_executions", "status" => status.word()).set(0.0);
            }
        }
    }
    let text = own.metrics.render();
    let media = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media)], text).into_response())
}
