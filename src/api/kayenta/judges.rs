//! Judging at once, without an execution: by stored config and pairs, or as another Kayenta's remote judge.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use coalmine_judges::config::Thresholds;
use coalmine_judges::judges;
use coalmine_judges::series::MetricSetPair;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Message, Refusal};
use super::canary_request::read_thresholds;
use super::configs;
use super::lists::{pair_list, read_pairs};
use super::params::{Content, Params};
use super::read::{self, Field, Problems};
use super::shapes::{CanaryJudgeResultBody, RemoteJudgeRequestBody};
use super::{accounts, score, start};
use crate::api::ApiState;
use crate::archive::bundle::Bundle;
use crate::config::canary::of_wire;
use crate::config::canary::wire::{CanaryConfig, JudgeChoice, ScoreThresholds};

/// The name under which Kayenta knows a judge behind HTTP.
const REMOTE: &str = "RemoteJudge-v1.0";

/// A judge that a config may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JudgeBody {
    /// Its name.
    pub name: &'static str,
    /// Whether people should choose it.
    pub visible: bool,
}

/// The judges of this server.
#[utoipa::path(
    get,
    path = "/judges",
    tag = "Judges",
    responses((status = 200, description = "The judges", body = [JudgeBody]))
)]
pub(super) async fn list() -> Json<Vec<JudgeBody>> {
    let judge = |name: &&'static str| JudgeBody {
        name,
        visible: true,
    };
    Json(judges::NAMES.iter().map(judge).collect())
}

/// Judges stored pairs by a stored config.
#[utoipa::path(
    post,
    path = "/judges/judge",
    tag = "Judges",
    params(
        ("canaryConfigId" = String, Query, description = "The stored config"),
        ("metricSetPairListId" = String, Query, description = "Stored pairs, or those of a judgement"),
        ("passThreshold" = f64, Query, description = "Scores from here on pass"),
        ("marginalThreshold" = f64, Query, description = "Scores from here on are marginal"),
        ("configurationAccountName" = Option<String>, Query, description = "Any known account"),
        ("storageAccountName" = Option<String>, Query, description = "Any known account")
    ),
    responses(
        (status = 200, description = "What the judge says", body = CanaryJudgeResultBody, headers(
            ("Coalmine-Verdict" = String, description = "`Pass`, `Marginal`, `Inconclusive` or `Fail` by the safe rules")
        )),
        (status = 400, description = "A parameter is missing, or config and pairs cannot be judged", body = Message),
        (status = 404, description = "There is no such config or list", body = Message),
        (status = 503, description = "Store or archive are out of reach", body = Message)
    )
)]
pub(super) async fn judge_stored(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Response> {
    let config_id = params.required("canaryConfigId")?;
    let list_id = params.required("metricSetPairListId")?;
    params.required("passThreshold")?;
    params.required("marginalThreshold")?;
    let thresholds = Thresholds {
        pass: params.number("passThreshold")?.unwrap_or_default(),
        marginal: params.number("marginalThreshold")?.unwrap_or_default(),
    };
    accounts::storage(&state, &params, "configurationAccountName")?;
    accounts::storage(&state, &params, "storageAccountName")?;
    let config = configs::stored(&state, config_id).await?;
    let sets = read_pairs(&pair_list(&state, list_id).await?)?;
    judge(&state, config, thresholds, sets).await
}

/// Judges as Kayenta's remote judge does: everything is in the request.
#[utoipa::path(
    post,
    path = "/judge",
    tag = "Judges",
    request_body = RemoteJudgeRequestBody,
    responses(
        (status = 200, description = "What the judge says", body = CanaryJudgeResultBody, headers(
            ("Coalmine-Verdict" = String, description = "`Pass`, `Marginal`, `Inconclusive` or `Fail` by the safe rules")
        )),
        (status = 400, description = "Config and pairs cannot be judged", body = Message)
    )
)]
pub(super) async fn judge_remote(
    State(state): State<ApiState>,
    Content(body): Content,
) -> Answer<Response> {
    let chosen = state.settings.remote_judge.clone();
    let asked = read::aside(body, move |body| Remote::read(body, chosen)).await?;
    judge(&state, asked.config, asked.thresholds, asked.sets).await
}

/// All that a remote judge is asked.
struct Remote {
    config: CanaryConfig,
    thresholds: Thresholds,
    sets: Vec<MetricSetPair>,
}

impl Remote {
    fn read(body: &[u8], chosen: Option<String>) -> Answer<Self> {
        let value = read::json(body)?;
        let root = Field::root(&value);
        let mut problems = Problems::default();
        root.object(&mut problems);
        let thresholds = read_thresholds(&root.get("scoreThresholds"), &mut problems);
        problems.check()?;
        for key in ["canaryConfig", "metricSetPairList"] {
            if root.get(key).is_absent() {
                return Err(Refusal::bad(format!("the body has no `{key}`")));
            }
        }
        let mut config = configs::read_config(root.get("canaryConfig").value())?;
        let choice = config.judge.get_or_insert_with(JudgeChoice::default);
        // Who asks us by this name leaves the choice to us.
        if chosen.is_some() || choice.name.as_deref() == Some(REMOTE) {
            choice.name = chosen;
        }
        let sets = read_pairs(root.get("metricSetPairList").value())?;
        let own = config
            .classifier
            .as_ref()
            .and_then(|it| it.score_thresholds);
        let (own, given) = (
            own.unwrap_or_default().filled(),
            thresholds.unwrap_or_default(),
        );
        let ScoreThresholds { pass, marginal } = given;
        let thresholds = Thresholds {
            pass: pass.unwrap_or(own.pass),
            marginal: marginal.unwrap_or(own.marginal),
        };
        Ok(Self {
            config,
            thresholds,
            sets,
        })
    }
}

async fn judge(
    state: &ApiState,
    config: CanaryConfig,
    thresholds: Thresholds,
    sets: Vec<MetricSetPair>,
) -> Answer<Response> {
    let config = start::judgeable(config)?;
    let name = config.judge.as_ref().and_then(|judge| judge.name.clone());
    let checked = of_wire(config).map_err(|problems| Refusal::bad(problems.to_string()))?;
    let bundle = Bundle {
        version: Bundle::VERSION,
        config: None,
        judge: name.unwrap_or_default(),
        judge_config: checked.judge_config().clone(),
        thresholds,
        sets,
        history: Vec::new(),
        queries: Vec::new(),
    };
    let analyst = Arc::clone(&state.executions.engine().ports().analyst);
    // A judge at work must not keep other requests waiting.
    let judging = tokio::task::spawn_blocking(move || analyst.judge(&bundle));
    let judgement = match judging.await {
        Ok(Ok(judgement)) => judgement,
        Ok(Err(failure)) => return Err(Refusal::bad(failure.message)),
        Err(error) => {
            tracing::error!("the judge ended without an answer: {error}");
            return Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the judge ended without an answer; this is a defect of Coalmine",
            ));
        }
    };
    let verdict = HeaderValue::from_static(judgement.verdict.word());
    let header = [(HeaderName::from_static("coalmine-verdict"), verdict)];
    let safe = score::is_safe(&state.settings, &judgement.judge);
    let body = score::result(&judgement, safe);
    Ok((header, Json(body)).into_response())
}
