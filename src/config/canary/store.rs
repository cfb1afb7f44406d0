//! What Kayenta checks when a config is stored, in its words.

use std::collections::HashSet;

use thiserror::Error;

use super::wire::CanaryConfig;

/// Why a config is not stored. The texts are Kayenta's, because its clients show them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreRefusal {
    /// The name is absent or empty.
    #[error("Canary config must specify a name.")]
    NoName,
    /// No application is named.
    #[error("Canary config must specify at least one application.")]
    NoApplication,
    /// The name has characters that are not allowed.
    #[error(
        "Canary config cannot be named '{0}'. Names must contain only letters, numbers, dashes (-) and underscores (_)."
    )]
    BadName(String),
    /// A metric's name is absent or empty.
    #[error("Metric config must specify a name.")]
    NoMetricName,
    /// Two metrics have the same name.
    #[error("Metric config name must be unique. '{0}' is duplicated.")]
    DuplicateMetricName(String),
}

/// Checks what Kayenta checks before it stores a config, in its order, and nothing else: weights, thresholds, queries and
/// templates may be anything. A comma in the name passes, as it does there.
///
/// # Errors
/// The first refusal; the answer to the client has room for one.
pub fn validate_for_store(config: &CanaryConfig) -> Result<(), StoreRefusal> {
    let name = config.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(StoreRefusal::NoName);
    }
    if config.applications.is_empty() {
        return Err(StoreRefusal::NoApplication);
    }
    if !is_storable_name(name) {
        return Err(StoreRefusal::BadName(name.to_owned()));
    }
    let mut seen = HashSet::new();
    for metric in &config.metrics {
        let name = metric.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            return Err(StoreRefusal::NoMetricName);
        }
        if !seen.insert(name) {
            return Err(StoreRefusal::DuplicateMetricName(name.to_owned()));
        }
    }
    Ok(())
}

/// Whether `name` matches `[A-Z,a-z,0-9,\-,\_]*`.
pub(super) fn is_storable_name(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ','))
}
