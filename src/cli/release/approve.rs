//! `coalmine release approve ID`.

use super::Speaker;
use super::reach::Reach;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release: its id, or 6 characters or more of its beginning or end
    id: String,
    /// Say no: it is taken back
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    speaker: Speaker,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let reached = args.reach.service("take an answer").await?;
    let client = &reached.client;
    let mut body = args.speaker.body();
    let choice = if args.reject { "reject" } else { "approve" };
    if let Some(body) = body.as_object_mut() {
        body.insert("choice".to_owned(), choice.into());
    }
    let path = format!("/releases/{}/approve", args.id);
    let answer = client.post(&path, &body, None).await;
    answer.map_err(|trouble| trouble.told(client))?;
    let name = args.speaker.name();
    let told = if args.reject {
        format!("Rejected by {name}: it is taken back.\n")
    } else {
        format!("Approved by {name}: it goes on.\n")
    };
    console.tell(&told)?;
    Ok(Exit::Pass)
}
