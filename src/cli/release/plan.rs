//! `coalmine release plan SPEC`.

use super::client::Client;
use super::reach::Reach;
use super::spec::SpecArgs;
use super::{Format, json, style};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Parts, RunningEngine};
use crate::config::server::EngineUse;
use crate::ui::release::plan::PlanStatus;
use crate::ui::release::plan_text;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    spec: SpecArgs,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Server config for an engine of its own, where no service runs [default: $COALMINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    server_config: Option<std::path::PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    let ready = args.spec.ready()?;
    console.warn(&ready.warnings);
    let config = args.server_config.as_deref();
    let reached = args
        .reach
        .service_or_own(parts, EngineUse::Plan, config)
        .await?;
    let planned = ask(&reached.client, &ready.request).await;
    stop(reached.own, console).await;
    let plan = planned?;
    match args.format {
        Format::Json => console.print(&json(&plan)?)?,
        Format::Text => {
            let style = style(console, &reached.client, &reached.flags);
            console.tell(&plan_text::write(&plan, &style))?;
        }
    }
    Ok(Exit::Pass)
}

/// The service's plan.
pub(super) async fn ask(
    client: &Client,
    request: &serde_json::Value,
) -> Result<PlanStatus, Failure> {
    let answer = client.post("/releases/plan", request, None).await;
    let answer = answer.map_err(|trouble| trouble.told(client).so("Nothing was started."))?;
    serde_json::from_value(answer)
        .map_err(|error| Failure::new(format!("the plan cannot be read: {error}")).passing())
}

/// Ends an engine of our own, and tells what it left undone.
pub(super) async fn stop(own: Option<RunningEngine>, console: &mut Console) {
    let Some(own) = own else {
        return;
    };
    match (own.stop)().await {
        Ok(undone) => undone.iter().for_each(|it| console.note(it)),
        Err(error) => console.note(&format!("the engine broke off: {}", error.message)),
    }
}
