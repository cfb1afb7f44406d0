//! `coalmine release status ID`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::Client;
use super::follow::{self, Follower, Left, Show};
use super::plan::stop;
use super::reach::{Reach, Reached};
use super::report_file;
use super::{Format, style};
use crate::cli::Parts;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::server::duration;
use crate::ui::release::status::ReleaseStatus;
use crate::ui::release::text;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The release: its id, or 6 characters or more of its beginning or end
    id: String,
    /// Follow it: redrawn where something changes, or one line for each change where there is no terminal
    #[arg(long, short)]
    watch: bool,
    /// Wait until it is over; the exit code is the outcome. Lost connections and restarts of the service are survived
    #[arg(long)]
    wait: bool,
    /// Give up waiting after so long, with exit code 3; the release goes on
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Server config for reading the data folder where no service runs [default: $COALMINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    server_config: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

/// `30s`, `10m`, `2h`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| format!("expected {}", duration::EXPECTED))
}

async fn ask(client: &Client, id: &str) -> Result<ReleaseStatus, Failure> {
    let answer = client.get(&format!("/releases/{id}")).await;
    answer.map_err(|trouble| trouble.told(client))
}

fn show_once(
    args: &Args,
    status: &ReleaseStatus,
    reached: &Reached,
    console: &mut Console,
) -> Result<(), Failure> {
    match args.format {
        Format::Json => follow::print_json(status, console),
        Format::Text => {
            let style = style(console, &reached.client, &reached.flags);
            console.tell(&text::write(status, &style))
        }
    }
}

/// What is kept of a release while no service goes on with it.
async fn kept(
    args: &Args,
    reached: &Reached,
    data_dir: &Path,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let client = &reached.client;
    let mut status = ask(client, &args.id).await?;
    report_file::put(&mut status, client, data_dir).await?;
    show_once(args, &status, reached, console)?;
    if status.state.is_over() {
        return Ok(if args.wait {
            follow::exit(&status)
        } else {
            Exit::Pass
        });
    }
    let serve = format!("`coalmine serve{}`", reached.flags);
    if args.watch || args.wait {
        return Err(
            Failure::new("nobody goes on with the release: no service runs")
                .hint(format!("{serve} goes on with it"))
                .passing(),
        );
    }
    console.note(&format!(
        "no service runs: this is what was kept, and {serve} goes on with it"
    ));
    Ok(Exit::Pass)
}

pub(super) async fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    let config = args.server_config.as_deref();
    let mut reached = args.reach.service_or_kept(parts, config).await?;
    if let Some(own) = reached.own.take() {
        let done = kept(args, &reached, &own.data_dir, console).await;
        stop(Some(own), console).await;
        return done;
    }
    let client = &reached.client;
    if !args.watch && !args.wait {
        let status = ask(client, &args.id).await?;
        show_once(args, &status, &reached, console)?;
        return Ok(Exit::Pass);
    }
    let show = match (args.format, args.watch) {
        (Format::Json, true) => Show::Json,
        (Format::Json, false) => Show::Nothing,
        (Format::Text, _) => Show::fitting(console),
    };
    let flags = reached.flags.as_str();
    let mut follower =
        Follower::new(client, flags, &args.id, show, args.timeout)?.leaves_stuck(args.wait);
    match follower.follow(console).await? {
        Left::Over(status) => {
            if args.format == Format::Json && !args.watch {
                follow::print_json(&status, console)?;
            }
            follow::last_word(&status, show, client, flags, console)?;
            Ok(if args.wait {
                follow::exit(&status)
            } else {
                Exit::Pass
            })
        }
        Left::TimeOver => {
            let Some(last) = follower.last() else {
                console.note("nothing is known of it: the service never answered");
                return Ok(Exit::OutOfReach);
            };
            let what = &last.headline.text;
            console.note(&format!("it is not over yet, and goes on: {what}"));
            Ok(Exit::Undecided)
        }
        Left::Stuck(status) => {
            if args.format == Format::Json && !args.watch {
                follow::print_json(&status, console)?;
            }
            Err(follow::stuck(&status, flags))
        }
        // There is none.
        Left::EngineEnded => Err(follow::engine_ended()),
        Left::Interrupted => {
            console.note("the release goes on");
            Ok(if args.wait {
                Exit::Undecided
            } else {
                Exit::Pass
            })
        }
    }
}
