//! Accounts: those of metric stores, and the one place where configs and results are kept, which goes by one or more names.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Message, Refusal};
use super::params::Params;
use crate::api::ApiState;
use crate::sources::UnknownAccount;

/// An account, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its name, as requests give it.
    pub name: String,
    /// Kind of the store: `prometheus`; `coalmine` for the built-in storage.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it can hold: `METRICS_STORE`, `OBJECT_STORE`, `CONFIGURATION_STORE`.
    pub supported_types: Vec<&'static str>,
    /// Always empty.
    pub locations: Vec<String>,
    /// Always empty.
    pub recommended_locations: Vec<String>,
}

/// A metric store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricsService {
    /// The account's name.
    pub name: String,
    /// Kind of the store.
    #[serde(rename = "type")]
    pub kind: String,
    /// Always empty.
    pub locations: Vec<String>,
    /// Always empty.
    pub recommended_locations: Vec<String>,
}

/// A metric that a store knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MetricDescriptor {
    /// The metric's name.
    pub name: String,
}

/// The account of a metric store that a request means, by its name.
pub(super) fn metrics(state: &ApiState, params: &Params) -> Answer<String> {
    let (name, _) = state.sources.resolve(params.get("metricsAccountName"))?;
    Ok(name.to_owned())
}

/// The account that a request means by the parameter `parameter`, where results or configs are kept. As in Kayenta, the name of
/// any account will do, whatever it can hold (Argo Rollouts names its storage account as the one for configs).
pub(super) fn storage(state: &ApiState, params: &Params, parameter: &str) -> Answer<String> {
    let names = &state.settings.storage_accounts;
    match params.get(parameter) {
        None => names
            .first()
            .cloned()
            .ok_or_else(|| Refusal::bad("Unable to resolve account of type OBJECT_STORE.")),
        Some(name) => {
            let ours = names.iter().any(|known| known == name);
            if ours || state.sources.iter().any(|(known, _)| known == name) {
                Ok(name.to_owned())
            } else {
                Err(UnknownAccount::Name(name.to_owned()).into())
            }
        }
    }
}

/// All accounts. Secrets are never shown.
#[utoipa::path(
    get,
    path = "/credentials",
    tag = "Accounts",
    responses((status = 200, description = "All accounts", body = [Account]))
)]
pub(super) async fn credentials(State(state): State<ApiState>) -> Json<Vec<Account>> {
    let account = |name: &str, kind: &str, supported_types: &[&'static str]| Account {
        name: name.to_owned(),
        kind: kind.to_owned(),
        supported_types: supported_types.to_vec(),
        locations: Vec::new(),
        recommended_locations: Vec::new(),
    };
    let metrics = state
        .sources
        .iter()
        .map(|(name, source)| account(name, source.kind(), &["METRICS_STORE"]));
    let storage = state.settings.storage_accounts.iter();
    let storage =
        storage.map(|name| account(name, "coalmine", &["OBJECT_STORE", "CONFIGURATION_STORE"]));
    Json(metrics.chain(storage).collect())
}

/// All accounts of metric stores.
#[utoipa::path(
    get,
    path = "/metricsServices",
    tag = "Accounts",
    responses((status = 200, description = "All metric stores", body = [MetricsService]))
)]
pub(super) async fn metrics_services(State(state): State<ApiState>) -> Json<Vec<MetricsService>> {
    let services = state.sources.iter().map(|(name, source)| MetricsService {
        name: name.to_owned(),
        kind: source.kind().to_owned(),
        locations: Vec::new(),
        recommended_locations: Vec::new(),
    });
    Json(services.collect())
}

/// Names of the metrics that a store knows.
#[utoipa::path(
    get,
    path = "/metadata/metricsService",
    tag = "Accounts",
    params(
        ("metricsAccountName" = Option<String>, Query, description = "The metric store; the first one where absent or empty"),
        ("filter" = Option<String>, Query, description = "Only names that contain this, whatever the case")
    ),
    responses(
        (status = 200, description = "The metrics, by name", body = [MetricDescriptor]),
        (status = 400, description = "Unknown account, or the store refuses", body = Message),
        (status = 503, description = "The store is out of reach", body = Message)
    )
)]
pub(super) async fn metadata(
    State(state): State<ApiState>,
    params: Params,
) -> Answer<Json<Vec<MetricDescriptor>>> {
    let (_, source) = state.sources.resolve(params.get("metricsAccountName"))?;
    let names = source.metric_names(params.get("filter").unwrap_or_default());
    let names = super::fetch::within_deadline(state.settings.store_time, names).await?;
    let descriptors = names.into_iter().map(|name| MetricDescriptor { name });
    Ok(Json(descriptors.collect()))
}
