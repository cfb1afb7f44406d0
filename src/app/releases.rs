//! What releases need: drivers of their places, and what reads the pages of the instances that are compared.

use std::env;
use std::path::Path;
use std::sync::Arc;

use super::{AppError, collector};
use crate::analysis::judge_run::Analysis;
use crate::analysis::task::Analyst;
use crate::clock::Clock;
use crate::config::server::ServerConfig;
use crate::config::server::deployments::DeploymentKind;
use crate::drivers::local::{LocalAccount, LocalDriver};
use crate::drivers::{Driver, Drivers};
use crate::model::ids::InstallationId;
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

/// The drivers of all deployment accounts. Nothing is started yet; nor is it ever by drivers that only look.
///
/// # Errors
/// This program cannot be found, which local accounts start as their supervisor.
pub(super) fn drivers(
    config: &ServerConfig,
    data_dir: &Path,
    installation: Option<&InstallationId>,
    has_token: bool,
    looks: bool,
) -> Result<Drivers, AppError> {
    let program = env::current_exe().map_err(|cause| AppError::System {
        doing: "find this program",
        cause: Box::new(cause),
    })?;
    if !config.default_deployments && !config.deployments.is_empty() && !has_token {
        tracing::warn!(
            "`deployments` are served without a token: whoever reaches `{}` can start programs here; `auth.token` of the server config names one",
            config.listen
        );
    }
    let accounts = config.deployments.iter().map(|deployment| {
        let driver: Arc<dyn Driver> = match &deployment.kind {
            DeploymentKind::Local { dir } => {
                let dir = dir
                    .clone()
                    .unwrap_or_else(|| data_dir.join("deployments").join(&deployment.name));
                Arc::new(LocalDriver::new(LocalAccount {
                    installation: installation.cloned(),
                    starts: !looks,
                    ..LocalAccount::new(dir, program.clone())
                }))
            }
        };
        (deployment.name.clone(), driver)
    });
    Ok(Drivers::new(accounts))
}

/// Why nothing new is released from here; `None` where it may be. Who may ask may start programs; without a token that is everybody
/// who reaches the port, so it must be said. What is under way already is finished in any case.
pub(super) fn closed(config: &ServerConfig, has_token: bool) -> Option<String> {
    let closed = config.default_deployments && !has_token;
    closed.then(|| {
        "this server releases nothing new: requests carry no token, and its config has no `deployments`"
            .to_owned()
    })
}
