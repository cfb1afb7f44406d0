//! Accounts of drivers, as the server config has them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// One place where releases happen, and how we come in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[schemars(deny_unknown_fields)]
pub enum DeploymentWire {
    /// Processes of this machine behind a proxy on its loopback address. They outlive the server; who releases may start any
    /// program as the server's user.
    Local {
        /// What release specs call it: letters, digits, `-` and `_`.
        #[schemars(required, length(min = 1))]
        name: Option<String>,
        /// The folder where the driver keeps what runs: `deployments/NAME` below `dataDir` where absent.
        #[serde(default)]
        dir: Option<String>,
    },
}

/// An account of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// What release specs call it; fit to be the name of a folder.
    pub name: String,
    /// What kind of place it is.
    pub kind: DeploymentKind,
}

/// A kind of place, with what its driver needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentKind {
    /// Processes of this machine.
    Local {
        /// The folder where the driver keeps what runs; `None` for `deployments/NAME` below the data folder.
        dir: Option<PathBuf>,
    },
}

impl Deployment {
    /// The account where none is named.
    #[must_use]
    pub fn local() -> Self {
        Self {
            name: "local".to_owned(),
            kind: DeploymentKind::Local { dir: None },
        }
    }
}
