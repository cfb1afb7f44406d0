//! Kayenta's HTTP API: its paths, field names, status codes and words, so that its clients (Spinnaker's orchestrator, Argo
//! Rollouts, Referee, Deck) work unchanged. One file for each resource; what differs from Kayenta stands in
//! `docs/compatibility.md`.
//!
//! Handlers are thin: `read` reads bodies leniently, `start` holds what must be true before an execution is accepted, `run`
//! and `status` say in Kayenta's words where one stands. Nothing here judges by itself, but for asking a judge at once
//! ([`judges`]).

pub mod accounts;
mod analysis_request;
pub mod analysis_status;
pub mod archive;
pub mod canary;
mod canary_request;
pub mod configs;
pub mod documents;
pub mod exception;
pub mod fetch;
pub mod judges;
pub mod lists;
mod params;
mod pipelines;
mod read;
mod run;
mod score;
pub mod shapes;
pub mod standalone;
pub(super) mod start;
pub mod status;
mod times;

use axum::Router;
use axum::routing::{MethodRouter, get, post, put};
use utoipa::OpenApi;

use super::{ApiState, refusal as answer};

/// The words for baseline and canary on this wire.
pub const SIDES: (&str, &str) = ("controlScope", "experimentScope");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Coalmine: Kayenta's API",
        description = "Automated canary judgement behind the paths that Kayenta's clients call."
    ),
    paths(
        canary::start_stored,
        canary::start_ad_hoc,
        canary::show,
        canary::list,
        standalone::start_stored,
        standalone::start_ad_hoc,
        standalone::show,
        configs::list,
        configs::show,
        configs::create,
        configs::replace,
        configs::remove,
        judges::list,
        judges::judge_stored,
        judges::judge_remote,
        accounts::credentials,
        accounts::metrics_services,
        accounts::metadata,
        lists::all_pair_lists,
        lists::show_pair_list,
        lists::show_pair,
        lists::create_pair_list,
        lists::remove_pair_list,
        lists::all_set_lists,
        lists::show_set_list,
        lists::create_set_list,
        lists::remove_set_list,
        archive::list,
        archive::show,
        archive::create,
        archive::replace,
        archive::remove,
        fetch::query,
        pipelines::cancel
    )
)]
struct Document;

/// What [`routes`] serves, described.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// All of Kayenta's paths, each also with a slash at its end. Whoever serves them adds limits, time-outs and authentication.
pub fn routes() -> Router<ApiState> {
    let paths: [(&str, MethodRouter<ApiState>); 22] = [
        ("/canary", post(canary::start_ad_hoc)),
        ("/canary/executions", get(canary::list)),
        ("/canary/{id}", get(canary::show).post(canary::start_stored)),
        (
            "/standalone_canary_analysis",
            post(standalone::start_ad_hoc),
        ),
        (
            "/standalone_canary_analysis/{id}",
            get(standalone::show).post(standalone::start_stored),
        ),
        ("/canaryConfig", get(configs::list).post(configs::create)),
        (
            "/canaryConfig/{id}",
            get(configs::show)
                .put(configs::replace)
                .delete(configs::remove),
        ),
        ("/judges", get(judges::list)),
        ("/judges/judge", post(judges::judge_stored)),
        ("/judge", post(judges::judge_remote)),
        ("/credentials", get(accounts::credentials)),
        ("/metricsServices", get(accounts::metrics_services)),
        ("/metadata/metricsService", get(accounts::metadata)),
        (
            "/metricSetPairList",
            get(lists::all_pair_lists).post(lists::create_pair_list),
        ),
        (
            "/metricSetPairList/{id}",
            get(lists::show_pair_list).delete(lists::remove_pair_list),
        ),
        ("/metricSetPairList/{id}/{pair}", get(lists::show_pair)),
        (
            "/metricSetList",
            get(lists::all_set_lists).post(lists::create_set_list),
        ),
        (
            "/metricSetList/{id}",
            get(lists::show_set_list).delete(lists::remove_set_list),
        ),
        (
            "/canaryResultArchive",
            get(archive::list).post(archive::create),
        ),
        (
            "/canaryResultArchive/{id}",
            get(archive::show)
                .put(archive::replace)
                .delete(archive::remove),
        ),
        ("/fetch/{source}/query", post(fetch::query)),
        ("/pipelines/{id}/cancel", put(pipelines::cancel)),
    ];
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router
            .route(&format!("{path}/"), methods.clone())
            .route(path, methods);
    }
    router
}
