//! `GET /health`: how the parts are, in Kayenta's shape. Parts are asked in the background; the answer never waits for one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::OwnState;
use crate::executions::engine::{Ports, with_causes};
use crate::sources::Sources;

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Is {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It was not asked yet.
    Unknown,
}

/// How a part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Component {
    /// Whether it works.
    pub status: Is,
    /// What is wrong, or how the accounts of a kind of metric store are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Detail>,
}

/// More about a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Detail {
    /// What is wrong.
    Text(String),
    /// How one account is.
    #[schema(no_recursion)]
    Account(Component),
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// Whether it works.
    pub status: Is,
    /// How its parts are.
    pub components: BTreeMap<String, Component>,
}

/// Asks the parts again and again, and knows their last answers.
#[derive(Debug)]
pub struct Health {
    last: RwLock<BTreeMap<String, Component>>,
    /// Whether metric stores that do not answer make the server `DOWN`.
    counts_accounts: bool,
    worker: AtomicBool,
}

impl Health {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(counts_accounts: bool) -> Self {
        Self {
            last: RwLock::default(),
            counts_accounts,
            worker: AtomicBool::new(false),
        }
    }

    /// Notes whether the worker looks for work.
    pub fn worker(&self, works: bool) {
        self.worker.store(works, Ordering::SeqCst);
        metrics::gauge!("coalmine_component_up", "component" => "worker").set(f64::from(works));
    }

    /// Asks all parts, again every `every`, until `stop`.
    pub async fn watch(
        &self,
        ports: &Ports,
        sources: &Sources,
        every: Duration,
        stop: CancellationToken,
    ) {
        while !stop.is_cancelled() {
            self.look(ports, sources).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    /// Asks all parts once.
    pub async fn look(&self, ports: &Ports, sources: &Sources) {
        let store = async {
            let asked = timeout(PATIENCE, ports.store.check()).await;
            component(asked.map(|checked| checked.map_err(|error| with_causes(&error))))
        };
        let archive = async {
            let asked = timeout(PATIENCE, ports.archive.check()).await;
            component(asked.map(|checked| checked.map_err(|error| with_causes(&error))))
        };
        let accounts = join_all(sources.iter().map(|(name, source)| async move {
            let asked = timeout(PATIENCE, source.check()).await;
            let component = component(asked.map(|it| it.map_err(|error| with_causes(&error))));
            (source.kind(), name, component)
        }));
        let (store, archive, accounts) = tokio::join!(store, archive, accounts);
        let mut parts =
            BTreeMap::from([("store".to_owned(), store), ("archive".to_owned(), archive)]);
        for (kind, name, account) in accounts {
            let part = parts.entry(kind.to_owned()).or_insert(Component {
                status: Is::Up,
                details: BTreeMap::new(),
            });
            let up = f64::from(account.status == Is::Up);
            metrics::gauge!("coalmine_account_up", "account" => name.to_owned()).set(up);
            if account.status == Is::Down {
                part.status = Is::Down;
            }
            part.details
                .insert(name.to_owned(), Detail::Account(account));
        }
        for name in ["store", "archive"] {
            let up = parts.get(name).is_some_and(|part| part.status == Is::Up);
            metrics::gauge!("coalmine_component_up", "component" => name).set(f64::from(up));
        }
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = parts;
    }

    /// How everything is, as far as it was asked.
    #[must_use]
    pub fn answer(&self) -> HealthAnswer {
        let mut components = self
            .last
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for name in ["store", "archive"] {
            components.entry(name.to_owned()).or_insert(Component {
                status: Is::Unknown,
                details: BTreeMap::new(),
            });
        }
        let works = self.worker.load(Ordering::SeqCst);
        components.insert(
            "worker".to_owned(),
            Component {
                status: if works { Is::Up } else { Is::Down },
                details: BTreeMap::new(),
            },
        );
        let counts =
            |name: &str| self.counts_accounts || ["store", "archive", "worker"].contains(&name);
        let down = components
            .iter()
            .any(|(name, part)| counts(name) && part.status != Is::Up);
        HealthAnswer {
            status: if down { Is::Down } else { Is::Up },
            components,
        }
    }
}

fn component(asked: Result<Result<(), String>, tokio::time::error::Elapsed>) -> Component {
    let wrong = match asked {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(format!("no answer in {} s", PATIENCE.as_secs())),
    };
    Component {
        status: if wrong.is_some() { Is::Down } else { Is::Up },
        details: wrong
            .map(|error| ("error".to_owned(), Detail::Text(error)))
            .into_iter()
            .collect(),
    }
}

/// How the server is
///
/// Kayenta's shape. Needs no token.
#[utoipa::path(
    get,
    path = "/health",
    tag = "Operations",
    responses(
        (status = 200, description = "It works", body = HealthAnswer),
        (status = 503, description = "Something that it needs does not work", body = HealthAnswer)
    )
)]
pub async fn show(State(own): State<OwnState>) -> Response {
    let answer = own.health.answer();
    let status = match answer.status {
        Is::Up => StatusCode::OK,
        Is::Down | Is::Unknown => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(answer)).into_response()
}
