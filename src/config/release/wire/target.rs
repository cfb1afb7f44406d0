//! Where something is released, and how its instances are run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::server::duration::DurationText;

/// One place of a release. `application`, `stack` and `detail` name the cluster: `search-prod-web`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct TargetWire {
    /// A name for people, unique in the spec: the location where absent.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The account, by its name under `deployments` of the server config: `local` where absent.
    #[schemars(length(min = 1))]
    pub account: Option<String>,
    /// Region, zone, namespace: `local`, this machine, where absent.
    #[schemars(length(min = 1))]
    pub location: Option<String>,
    /// The stack of the cluster: letters, digits, `.` and `_`.
    #[schemars(length(min = 1))]
    pub stack: Option<String>,
    /// The detail of the cluster: letters, digits, `.`, `_`, `~`, `^` and `-`.
    #[schemars(length(min = 1))]
    pub detail: Option<String>,
    /// How an instance is run as a process of this machine. Where absent, as what runs there now; needed at the first deployment.
    pub process: Option<ProcessWire>,
    /// How many instances production shall have. Where absent, as many as it has; needed at the first deployment.
    #[schemars(range(min = 1, max = 10_000))]
    pub size: Option<u32>,
    /// Where the router listens, if there is none yet: address and port; a free port of the loopback address where absent.
    pub router: Option<String>,
}

/// How an instance is run as a process. In `command` and in the values of `environment`, `{artifact}` stands for the artifact's
/// reference, `{version}` for its version, and `{port}` for the port of 127.0.0.1 that the instance shall listen on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields, extend("required" = ["command"]))]
pub struct ProcessWire {
    /// The program and its arguments. No shell looks at them. A program that begins with `./` or `../` starts from the spec's
    /// folder.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// Variables of its environment.
    pub environment: Option<BTreeMap<String, String>>,
    /// How it is asked whether it is well.
    pub health: Option<HealthWire>,
    /// The path of its page of metrics in Prometheus' text format, such as `/metrics`; none where absent.
    pub metrics: Option<String>,
    /// From SIGTERM to SIGKILL: `10s` where absent.
    pub grace: Option<DurationText>,
}

/// How an instance is asked whether it is well: it is up while a `GET` is answered by 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct HealthWire {
    /// The path: `/health` where absent.
    pub path: Option<String>,
    /// From one question to the next: `1s` where absent.
    pub interval: Option<DurationText>,
    /// The longest time for the answer: `1s` where absent.
    pub timeout: Option<DurationText>,
}
