//! `coalmine release abort ID`.

use super::Speaker;
use super::reach::Reach;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release: its id, or 6 characters or more of its beginning or end
    id: String,
    #[command(flatten)]
    speaker: Speaker,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let reached = args.reach.service("call a release off").await?;
    let client = &reached.client;
    let path = format!("/releases/{}/abort", args.id);
    let answer = client.post(&path, &args.speaker.body(), None).await;
    answer.map_err(|trouble| trouble.told(client))?;
    let (id, flags) = (&args.id, &reached.flags);
    console.tell(&format!(
        "Called off by {}: what was done is taken back.\n`coalmine release status {id} --wait{flags}` follows it.\n",
        args.speaker.name()
    ))?;
    Ok(Exit::Pass)
}
