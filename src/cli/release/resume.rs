//! `coalmine release resume ID`.

use serde::Deserialize;

use super::Speaker;
use super::reach::Reach;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::ui::release::status::ReleaseStatus;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release: its id, or 6 characters or more of its beginning or end
    id: String,
    #[command(flatten)]
    speaker: Speaker,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct Resumed {
    changed: bool,
}

pub(super) async fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let reached = args.reach.service("let a release go on").await?;
    let client = &reached.client;
    // Only releases are found by a part of their id.
    let status = client.get(&format!("/releases/{}", args.id)).await;
    let status: ReleaseStatus = status.map_err(|trouble| trouble.told(client))?;
    let path = format!("/executions/{}/resume", status.id);
    let answer = client.post(&path, &args.speaker.body(), None).await;
    let answer = answer.map_err(|trouble| trouble.told(client))?;
    let resumed: Resumed = serde_json::from_value(answer)
        .map_err(|error| Failure::new(format!("the answer cannot be read: {error}")).passing())?;
    if !resumed.changed {
        let text = &status.headline.text;
        return Err(Failure::new(format!("it is not stuck: {text}")).forbidden());
    }
    let (id, flags, name) = (&status.short_id, &reached.flags, args.speaker.name());
    console.tell(&format!(
        "Resumed by {name}: it tries again.\n`coalmine release status {id} --wait{flags}` follows it.\n"
    ))?;
    Ok(Exit::Pass)
}
