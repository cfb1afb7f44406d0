//! Where a secret is. The config itself never holds one.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// A secret stands in a file or in a variable of the environment: `{file: PATH}` or `{env: NAME}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    deny_unknown_fields,
    extend("x-secret" = true)
)]
pub struct SecretWire {
    /// The file that holds it; white space around it does not count.
    pub file: Option<String>,
    /// The variable of the environment that holds it.
    pub env: Option<String>,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In a file; white space around it does not count.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}
