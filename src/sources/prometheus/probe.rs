//! What is learned about a store once and kept for a while: its build, the label of its replicas, the names of its metrics.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{self, Instant};

use super::failure;
use super::http::{Answer, Http};
use super::reply::{self, Reply};
use super::series::REPLICA_LABELS;
use crate::sources::SourceError;

/// Longest time to wait for what only adds to an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the store's build is believed.
const TRAITS_KEPT: Duration = Duration::from_secs(600);

/// How long names of metrics are believed; Kayenta's `metadataCachingIntervalMS`. Also how long a store that did not tell its
/// build is left alone.
const NAMES_KEPT: Duration = Duration::from_secs(60);

/// What is known about a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Traits {
    /// Name and version: `prometheus 2.42.0`.
    pub(super) build: Option<String>,
    /// A label of its series that tells replicas apart.
    pub(super) replica_label: Option<String>,
}

/// A value that is fetched when it is older than it may be. One asker fetches, the others wait for it.
#[derive(Debug)]
pub(super) struct Kept<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    /// The value, or a fresh one, which comes with the time for which it is good.
    pub(super) async fn get<E>(
        &self,
        fetch: impl Future<Output = Result<(T, Duration), E>>,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().await;
        if let Some((_, value)) = kept.as_ref().filter(|(until, _)| Instant::now() < *until) {
            return Ok(Arc::clone(value));
        }
        let (value, good_for) = fetch.await?;
        let value = Arc::new(value);
        *kept = Some((Instant::now() + good_for, Arc::clone(&value)));
        Ok(value)
    }
}

/// Asks for the traits; what a store does not tell stays unknown.
pub(super) async fn traits(http: &Http) -> (Traits, Duration) {
    let asked = async { (build(http).await, replica_label(http).await) };
    let Ok((build, replica_label)) = time::timeout(PATIENCE, asked).await else {
        return (Traits::default(), NAMES_KEPT);
    };
    let kept = match build {
        Some(_) => TRAITS_KEPT,
        None => NAMES_KEPT,
    };
    // Thanos, whose versions begin with 0, puts replicas together itself.
    let is_thanos = build.as_deref().is_some_and(|build| build.contains(" 0."));
    let traits = Traits {
        build,
        replica_label: replica_label.filter(|_| !is_thanos),
    };
    (traits, kept)
}

async fn build(http: &Http) -> Option<String> {
    let answer = http
        .get("/api/v1/status/buildinfo", &Vec::new())
        .await
        .ok()?;
    let build = with_data(http, &answer, |reply| reply.data.and_then(reply::build)).await??;
    let application = build.application.unwrap_or_else(|| "prometheus".to_owned());
    let build = format!("{application} {}", build.version?);
    let secrets = http.secrets().await;
    let shown = |text: &str| secrets.without_secrets(text);
    Some(failure::short(&build, &shown))
}

async fn replica_label(http: &Http) -> Option<String> {
    let hour_ago = http.now_ms().saturating_sub(3_600_000) / 1000;
    let parameters = vec![("start", hour_ago.to_string())];
    let answer = http.get("/api/v1/labels", &parameters).await.ok()?;
    let labels = with_data(http, &answer, |reply| {
        reply.data.and_then(|data| reply::strings(data).ok())
    })
    .await??;
    // `replica` alone is used for much else.
    let mut telling = REPLICA_LABELS
        .into_iter()
        .filter(|label| *label != "replica");
    let found = telling.find(|label| labels.iter().any(|known| known == label));
    found.map(str::to_owned)
}

async fn with_data<T>(
    http: &Http,
    answer: &Answer,
    read: impl FnOnce(Reply<'_>) -> T,
) -> Option<T> {
    let secrets = http.secrets().await;
    let shown = |text: &str| secrets.without_secrets(text);
    let reply = failure::understood(&http.account().name, answer, &shown).ok()?;
    Some(read(reply))
}

/// The names of all metrics, sorted.
pub(super) async fn names(http: &Http) -> Result<(Vec<String>, Duration), SourceError> {
    let answer = http
        .get("/api/v1/label/__name__/values", &Vec::new())
        .await?;
    let secrets = http.secrets().await;
    let shown = |text: &str| secrets.without_secrets(text);
    let account = &http.account().name;
    let reply = failure::understood(account, &answer, &shown).map_err(|refusal| refusal.error)?;
    let names = reply.data.map_or(Ok(Vec::new()), reply::strings);
    let mut names = names.map_err(|misfit| failure::misfit(account, misfit, 0, &shown))?;
    names.sort_unstable();
    Ok((names, NAMES_KEPT))
}
