//! `coalmine release rollback ID`.

use serde::Deserialize;

use super::Speaker;
use super::reach::Reach;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::ui::release::status::short_id;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release: its id, or 6 characters or more of its beginning or end
    id: String,
    /// Only this target of the spec; once or more, for a release that has ended [default: all]
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    #[command(flatten)]
    speaker: Speaker,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TakenBack {
    id: String,
    is_new: bool,
}

pub(super) async fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let reached = args.reach.service("take a release back").await?;
    let client = &reached.client;
    let path = format!("/releases/{}/rollback", args.id);
    let mut body = args.speaker.body();
    if !args.targets.is_empty() {
        body["targets"] = args.targets.clone().into();
    }
    let answer = client.post(&path, &body, None).await;
    let answer = answer.map_err(|trouble| trouble.told(client))?;
    let taken: TakenBack = serde_json::from_value(answer)
        .map_err(|error| Failure::new(format!("the answer cannot be read: {error}")).passing())?;
    let id = short_id(&taken.id);
    let told = if taken.is_new {
        format!("Release {id} brings back what served before.\n")
    } else {
        "It takes back what it did.\n".to_owned()
    };
    let flags = &reached.flags;
    console.tell(&format!(
        "{told}`coalmine release status {id} --wait{flags}` follows it.\n"
    ))?;
    Ok(Exit::Pass)
}
