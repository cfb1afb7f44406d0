//! What releases need: drivers of their places, and what reads the pages of the instances that are compared.

use std::sync::Arc;

use super::{AppError, collector};
use crate::analysis::judge_run::Analysis;
use crate::analysis::task::Analyst;
use crate::clock::Clock;
use crate::config::server::ServerConfig;
use crate::drivers::Drivers;
use crate::sources::scrape::{ScrapeAccount, ScrapeSource};
use crate::sources::{MetricSource, Sources};

/// The account of the pages of instances. Not among those that requests can name: only a release lists instances, and only those
/// that its driver runs.
const OBSERVED: &str = "instances of the release";

/// Judges releases without a metric store.
///
/// # Errors
/// No HTTP client.
pub(super) fn observer(
    config: &ServerConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Analyst>, AppError> {
    let account = ScrapeAccount {
        instances_from_requests: true,
        ..ScrapeAccount::default()
    };
    let source =
        ScrapeSource::new(account, Arc::clone(clock)).map_err(|cause| AppError::Account {
            name: OBSERVED.to_owned(),
            cause: Box::new(cause),
        })?;
    let source: Arc<dyn MetricSource> = Arc::new(source);
    let sources = Sources::new(vec![(OBSERVED.to_owned(), source)]);
    let collector = collector(config, &sources, Arc::clone(clock));
    Ok(Arc::new(Analysis::new(Arc::new(collector))))
}

/// The drivers of all deployment accounts.
pub(super) fn drivers(_config: &ServerConfig) -> Drivers {
    Drivers::default()
}
