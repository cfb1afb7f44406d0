//! `coalmine release run SPEC`: shows the plan, asks, executes exactly that, and follows it.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Trouble};
use super::follow::{self, Follower, Left, Show};
use super::plan::{ask, stop};
use super::reach::{Reach, Reached};
use super::spec::SpecArgs;
use super::status::span;
use super::{Format, style, who};
use crate::cli::Parts;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::server::EngineUse;
use crate::ui::release::plan::PlanStatus;
use crate::ui::release::plan_text;
use crate::ui::release::status::short_id;

/// How often a start is tried where no answer comes; the same key keeps it from being done twice.
const STARTS: u32 = 6;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    spec: SpecArgs,
    /// Start without asking; needed where there is no terminal
    #[arg(long, short)]
    yes: bool,
    /// Start it and leave; needs a service, which goes on with it
    #[arg(long)]
    detach: bool,
    /// Give up following after so long, with exit code 3; at a service the release goes on
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "detach")]
    timeout: Option<Duration>,
    /// Who you are, for the journal [default: $USER@$HOSTNAME]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Server config for an engine of its own, where no service runs [default: $COALMINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    server_config: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    let ready = args.spec.ready()?;
    console.warn(&ready.warnings);
    if !args.yes && !can_ask() {
        return Err(Failure::new("there is no terminal to ask on")
            .hint("`--yes` starts without asking; `coalmine release plan` shows what would be done")
            .so("Nothing was started."));
    }
    let config = args.server_config.as_deref();
    let mut reached = args
        .reach
        .service_or_own(parts, EngineUse::Run, config)
        .await?;
    let own = reached.own.take();
    if args.detach && own.is_some() {
        stop(own, console).await;
        return Err(
            Failure::new("no service runs that would go on with the release")
                .hint("start one with `coalmine serve`, or leave `--detach` out")
                .so("Nothing was started."),
        );
    }
    let ended = own
        .as_ref()
        .map(|it| (it.ended.clone(), it.data_dir.clone()));
    let done = started_and_followed(args, &ready.request, &reached, ended, console).await;
    stop(own, console).await;
    done
}

/// Whether there is somebody to ask.
fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

async fn started_and_followed(
    args: &Args,
    request: &Value,
    reached: &Reached,
    ended: Option<(CancellationToken, PathBuf)>,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let client = &reached.client;
    let plan = ask(client, request).await?;
    if args.format == Format::Text {
        let style = style(console, client, &reached.flags);
        console.tell(&plan_text::write(&plan, &style))?;
    }
    if !args.yes && !agreed(console).await? {
        console.note("nothing was started");
        return Ok(Exit::NotAllowed);
    }
    let id = start(client, &plan, &who(args.by.as_deref())).await?;
    if args.detach {
        let told = match args.format {
            Format::Json => super::json(&json!({ "id": id }))?,
            Format::Text => {
                let (id, flags) = (short_id(&id), &reached.flags);
                format!(
                    "Started as {id}.\n`coalmine release status {id} --wait{flags}` follows it.\n"
                )
            }
        };
        console.print(&told)?;
        return Ok(Exit::Pass);
    }
    let show = match args.format {
        Format::Json => Show::Nothing,
        Format::Text => Show::fitting(console),
    };
    let mut follower = Follower::new(client, &reached.flags, &id, show, args.timeout)?;
    if let Some((ended, data_dir)) = &ended {
        follower = follower.beside(ended, data_dir.clone());
    }
    let own = ended.is_some();
    let (mut called_off, mut too_late) = (false, false);
    loop {
        match follower.follow(console).await? {
            Left::Over(status) => {
                if args.format == Format::Json {
                    follow::print_json(&status, console)?;
                }
                follow::last_word(&status, show, client, &reached.flags, console)?;
                return Ok(if too_late {
                    Exit::Undecided
                } else {
                    follow::exit(&status)
                });
            }
            Left::Interrupted if own && !called_off => {
                called_off = true;
                call_off(
                    client,
                    &id,
                    (args.by.as_deref(), "interrupted at the terminal"),
                    console,
                )
                .await;
            }
            Left::TimeOver if own => {
                // Taking it back has the time that it needs.
                follower.take_your_time();
                if !called_off {
                    called_off = true;
                    too_late = call_off(
                        client,
                        &id,
                        (args.by.as_deref(), "its time was over"),
                        console,
                    )
                    .await;
                }
            }
            Left::Interrupted if own => {
                return Ok(left_behind(&follower, console));
            }
            Left::Stuck(status) => {
                if args.format == Format::Json {
                    follow::print_json(&status, console)?;
                }
                if own {
                    left_behind(&follower, console);
                }
                return Err(follow::stuck(&status, &reached.flags));
            }
            Left::EngineEnded => return Err(follow::engine_ended()),
            Left::TimeOver if follower.last().is_none() => {
                console.note("nothing is known of it: the service did not answer any more");
                return Ok(Exit::OutOfReach);
            }
            Left::Interrupted | Left::TimeOver => {
                let (id, flags) = (short_id(&id), &reached.flags);
                console.note(&format!(
                    "the release goes on; `coalmine release status {id} --wait{flags}` follows it, `coalmine release abort {id}{flags}` calls it off"
                ));
                return Ok(Exit::Undecided);
            }
        }
    }
}

/// Nobody would go on with a release whose engine ends: it is taken back first. Whether it is; not where it was decided before.
async fn call_off(
    client: &Client,
    id: &str,
    (by, reason): (Option<&str>, &str),
    console: &mut Console,
) -> bool {
    console.note(
        "called off: what was done is taken back; a second Ctrl-C leaves at once, with what is left then",
    );
    let body = json!({ "by": who(by), "reason": reason });
    let path = format!("/releases/{id}/abort");
    let mut pause = Duration::from_millis(250);
    for again in (0..STARTS).rev() {
        match client.post(&path, &body, None).await {
            Ok(_) => return true,
            // It is decided already, and cleans up.
            Err(Trouble::Refused { message, .. }) => {
                console.note(&message);
                return false;
            }
            Err(Trouble::Away(_) | Trouble::Nobody(_)) if again > 0 => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(trouble) => console.fail(&trouble.told(client)),
        }
    }
    false
}

fn left_behind(follower: &Follower<'_>, console: &mut Console) -> Exit {
    let Some(status) = follower.last() else {
        console.note("left; what the release did is not known");
        return Exit::OutOfReach;
    };
    console.note(
        "left before it was cleaned up; `coalmine serve` on the same data folder goes on with it",
    );
    for target in &status.targets {
        for group in &target.groups {
            if group.role == "production" {
                continue;
            }
            console.note(&format!(
                "{} in {}: {} with {}% of the traffic",
                group.name,
                target.name,
                group.instances.ready.map_or_else(
                    || "instances not known".to_owned(),
                    |ready| format!("{ready} instances up")
                ),
                group.traffic.confirmed.unwrap_or(group.traffic.asked)
            ));
        }
    }
    Exit::NotAllowed
}

/// Asks on the terminal; anything but a yes is a no.
async fn agreed(console: &mut Console) -> Result<bool, Failure> {
    console.ask("  Start? [y/N] ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await;
    let answer = answer
        .map_err(io::Error::other)
        .and_then(|line| line)
        .map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
    let answer = answer.trim();
    Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}

/// Starts exactly the plan that was shown; its id.
pub(super) async fn start(client: &Client, plan: &PlanStatus, by: &str) -> Result<String, Failure> {
    let key = format!(
        "{:032x}",
        u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..))
    );
    let body = json!({ "planHash": plan.hash, "by": by });
    let mut pause = Duration::from_millis(250);
    let mut tries = 0;
    loop {
        tries += 1;
        match client.post("/releases", &body, Some(&key)).await {
            Ok(answer) => {
                let id = answer.get("id").and_then(Value::as_str).map(str::to_owned);
                return id.ok_or_else(|| {
                    Failure::new("the service started it, and did not say as what").passing()
                });
            }
            Err(Trouble::Away(_) | Trouble::Nobody(_)) if tries < STARTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(trouble) => return Err(trouble.told(client)),
        }
    }
}
