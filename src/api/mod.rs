//! The HTTP API: Kayenta's paths, and our own beside them. Handlers are thin: they read a request, ask [`Executions`], and
//! write an answer. Nothing here judges or fetches by itself.

pub mod edge;
pub mod kayenta;
pub mod own;
pub mod refusal;

use std::sync::Arc;
use std::time::Duration;

use crate::executions::service::Executions;
use crate::sources::Sources;

/// What handlers work with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiState {
    /// Executions, and through their engine the store, the archive, the analyst and the clock.
    pub executions: Executions,
    /// The accounts of metric stores.
    pub sources: Sources,
    /// Switches.
    pub settings: Arc<ApiSettings>,
}

/// Switches of the API, from the server config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// Whether a canary may compare a scope with itself (an A/A test). Off: such a request is refused with 400.
    pub allow_same_scopes: bool,
    /// Whether scores on Kayenta's paths follow the safe verdict: a score that passes by Kayenta's rules while the verdict does
    /// not is moved below the pass threshold. Off: Kayenta's numbers.
    pub safe_scores: bool,
    /// Name of the judge that answers `POST /judge`; `None` for the config's own, or else `NetflixACAJudge-v1.0`.
    pub remote_judge: Option<String>,
    /// The names of the one place where configs and results are kept, as requests on Kayenta's paths may give them; the first is
    /// shown where a request gives none. Several, so that pipelines that name the accounts of a Kayenta before us go on.
    pub storage_accounts: Vec<String>,
    /// How long a client waits for a metric store: shorter than a request may take at all, so that it hears of what.
    pub store_time: Duration,
}

impl Default for ApiSettings {
    /// Kayenta's numbers, no A/A tests, the config's own judge, storage called `coalmine`, 20 seconds for a metric store.
    fn default() -> Self {
        Self {
            allow_same_scopes: false,
            safe_scores: false,
            remote_judge: None,
            storage_accounts: vec!["coalmine".to_owned()],
            store_time: Duration::from_secs(20),
        }
    }
}
