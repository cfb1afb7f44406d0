//! One release from its request to its end, for verbs that do more than one.

use std::path::Path;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::follow::{self, Follower, Left, Show};
use super::plan::ask;
use super::run::start;
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::ui::release::status::ReleaseStatus;

/// How it ended.
pub(in crate::cli) enum Released {
    /// As it says.
    Over(Box<ReleaseStatus>),
    /// Somebody pressed Ctrl-C, and it goes on.
    Interrupted,
}

/// Plans, starts, and follows to the end, at an engine of our own, whose end is `ended`, and which keeps its data in `data_dir`.
pub(in crate::cli) async fn released(
    client: &Client,
    (ended, data_dir): (&CancellationToken, &Path),
    request: &Value,
    by: &str,
    console: &mut Console,
) -> Result<Released, Failure> {
    let plan = ask(client, request).await?;
    let id = start(client, &plan, by).await?;
    let show = Show::fitting(console);
    let mut follower =
        Follower::new(client, "", &id, show, None)?.beside(ended, data_dir.to_path_buf());
    match follower.follow(console).await? {
        Left::Over(status) => {
            let told = ReleaseStatus {
                // It is in a folder that does not stay.
                report: None,
                ..(*status).clone()
            };
            follow::last_word(&told, show, client, "", console)?;
            Ok(Released::Over(status))
        }
        Left::Stuck(status) => Err(follow::stuck(&status, "")),
        Left::EngineEnded => Err(follow::engine_ended()),
        Left::Interrupted | Left::TimeOver => Ok(Released::Interrupted),
    }
}
