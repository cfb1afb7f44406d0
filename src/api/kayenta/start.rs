//! What must hold before an execution is accepted, and how it is accepted. First Kayenta's checks in its order and words, then
//! ours: what could only fail later is refused at once.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use coalmine_judges::judges;
use sha2::{Digest, Sha256};

use super::accounts;
use super::answer::{Answer, Refusal};
use super::params::Params;
use super::score;
use crate::api::ApiState;
use crate::config::canary::of_wire;
use crate::config::canary::wire::{CanaryConfig, JudgeChoice};
use crate::executions::request::Accounts;
use crate::model::scope::ScopePair;
use crate::store::IdempotencyKey;

/// Longest idempotency key, in characters.
const LONGEST_KEY: usize = 255;

/// The application of a request that names none.
pub(super) const AD_HOC: &str = "ad-hoc";

/// What the parameters of all requests that start something say.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) application: String,
    pub(super) user: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) accounts: Accounts,
}

impl Asked {
    /// Resolves the accounts by name, so that a later change of their order changes nothing.
    pub(super) fn read(state: &ApiState, params: &Params, stored_config: bool) -> Answer<Self> {
        let metrics = accounts::metrics(state, params)?;
        let storage = accounts::storage(state, params, "storageAccountName")?;
        let configuration = match stored_config {
            true => Some(accounts::storage(
                state,
                params,
                "configurationAccountName",
            )?),
            false => None,
        };
        Ok(Self {
            application: params.get("application").unwrap_or(AD_HOC).to_owned(),
            user: params.owned("user"),
            parent: params.owned("parentPipelineExecutionId"),
            accounts: Accounts {
                metrics: Some(metrics),
                storage: Some(storage),
                configuration,
            },
        })
    }
}

/// The names of scopes that the config's metrics use, each of which must be among `provided`; `None` where the request has no
/// scopes at all.
pub(super) fn required_scopes<'a>(
    config: &'a CanaryConfig,
    provided: Option<&BTreeSet<&str>>,
) -> Answer<BTreeSet<&'a str>> {
    if config.metrics.is_empty() {
        return Err(Refusal::bad(
            "The canary config must specify at least one metric. Otherwise we're not analyzing anything. :)",
        ));
    }
    let metrics = config.metrics.iter();
    let required: BTreeSet<&str> = metrics
        .filter_map(|metric| metric.scope_name.as_deref())
        .collect();
    if provided.is_none() && !required.is_empty() {
        return Err(Refusal::bad(
            "Canary metrics require scopes, but no scopes were provided in the execution request.",
        ));
    }
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|name| provided.is_none_or(|provided| !provided.contains(name)))
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::bad(format!(
            "Canary metrics require scopes which were not provided in the execution request: [{}]",
            missing.join(", ")
        )));
    }
    let unscoped = config.metrics.iter().find(|it| it.scope_name.is_none());
    if let Some(metric) = unscoped {
        let name = metric.name.as_deref().unwrap_or_default();
        return Err(Refusal::bad(format!(
            "Canary scope for metric named '{name}' is null."
        )));
    }
    Ok(required)
}

/// Whether the account can answer every metric's query.
pub(super) fn check_queries(state: &ApiState, config: &CanaryConfig, asked: &Asked) -> Answer<()> {
    let (account, source) = state.sources.resolve(asked.accounts.metrics.as_deref())?;
    for metric in &config.metrics {
        let name = metric.name.as_deref().unwrap_or_default();
        let Some(query) = &metric.query else {
            return Err(Refusal::bad(format!("metric `{name}` has no query")));
        };
        if source.accepts(query) {
            continue;
        }
        let kind = query.kind();
        return Err(Refusal::bad(
            if state.sources.iter().any(|(_, it)| it.accepts(query)) {
                format!(
                    "the account `{account}` is of type `{}`, but the query of metric `{name}` is for `{kind}`",
                    source.kind()
                )
            } else {
                format!("Unable to resolve canary scope factory for '{kind}'.")
            },
        ));
    }
    Ok(())
}

/// Whether the config can be judged by, and a judge of that name is here. Names the judge, so that the execution is judged by the
/// same one whenever it is.
pub(super) fn judgeable(mut config: CanaryConfig) -> Answer<CanaryConfig> {
    let checked = of_wire(config.clone()).map_err(|problems| {
        Refusal::bad(format!("the canary config cannot be judged by: {problems}"))
    })?;
    let name = checked.judge_name().unwrap_or(judges::netflix_aca::NAME);
    if judges::by_name(name).is_none() {
        let known: Vec<String> = judges::NAMES.iter().map(|it| format!("`{it}`")).collect();
        return Err(Refusal::bad(format!(
            "no judge is called `{name}`; expected {}",
            known.join(" or ")
        )));
    }
    config.judge.get_or_insert_with(JudgeChoice::default).name = Some(name.to_owned());
    Ok(config)
}

/// Whether the score that clients decide by follows the verdict.
pub(super) fn follows_verdict(state: &ApiState, config: &CanaryConfig) -> bool {
    let judge = config
        .judge
        .as_ref()
        .and_then(|judge| judge.name.as_deref());
    score::is_safe(&state.settings, judge.unwrap_or(judges::netflix_aca::NAME))
}

/// What the same request with the same key started before. It is asked first of all: a client that did not hear the answer must hear
/// it now, whatever has changed since.
pub(super) async fn before(
    state: &ApiState,
    key: Option<&IdempotencyKey>,
) -> Answer<Option<String>> {
    let Some(key) = key else {
        return Ok(None);
    };
    let started = state.executions.started_by(key).await?;
    Ok(started.map(|started| started.id.to_string()))
}

/// Whether each scope has two different sides, unless the settings allow that it has not.
pub(super) fn check_sides(state: &ApiState, scopes: &BTreeMap<String, ScopePair>) -> Answer<()> {
    if state.settings.allow_same_scopes {
        return Ok(());
    }
    let same = scopes.iter().find(|(_, it)| it.is_same_on_both_sides());
    match same {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::bad(format!(
            "both sides of the scope `{name}` are the same (scope, location, parameters and window), so that the canary would be \
             compared with itself and always pass; name two different scopes, or allow such A/A tests in the server's config"
        ))),
    }
}

/// Method, path and key of a request, by which it is known when it comes again.
#[derive(Debug, Clone)]
pub(in crate::api) struct Repeatable {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Repeatable {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        Ok(Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        })
    }
}

impl Repeatable {
    /// The key that the client gave, with what must be the same when it gives it again.
    pub(in crate::api) fn key(&self, body: &[u8]) -> Answer<Option<IdempotencyKey>> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = value.to_str().ok().map(str::trim);
        let key = key.filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
        let Some(key) = key else {
            return Err(Refusal::bad(format!(
                "the header `Idempotency-Key` cannot be used; expected 1 to {LONGEST_KEY} visible ASCII characters"
            )));
        };
        let mut hash = Sha256::new();
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        for part in [self.method.as_str().as_bytes(), path.as_bytes(), body] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let fingerprint = hash.finalize();
        Ok(Some(IdempotencyKey {
            key: key.to_owned(),
            fingerprint: fingerprint
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }))
    }
}
