//! `coalmine release list`.

use std::path::PathBuf;

use serde_json::Value;

use super::client::Client;
use super::plan::stop;
use super::reach::Reach;
use super::{Format, json, style};
use crate::cli::Parts;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::ui::release::At;
use crate::ui::release::list_text::{self, Row};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of this application
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
    /// Only with one of these, parted by commas: not_started, running, suspended, succeeded, terminal, canceled
    #[arg(long, value_name = "WORDS")]
    status: Option<String>,
    /// How many at most, 1 to 200
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u16,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Server config for reading the data folder where no service runs [default: $COALMINE_CONFIG]
    #[arg(long, value_name = "FILE")]
    server_config: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(args: &Args, parts: Parts, console: &mut Console) -> Result<Exit, Failure> {
    let config = args.server_config.as_deref();
    let mut reached = args.reach.service_or_kept(parts, config).await?;
    let own = reached.own.take();
    let done = listed(args, &reached.client, console).await;
    stop(own, console).await;
    done
}

async fn listed(args: &Args, client: &Client, console: &mut Console) -> Result<Exit, Failure> {
    let mut path = format!("/releases?limit={}", args.limit);
    for (name, value) in [("application", &args.application), ("status", &args.status)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    let answer: Value = client
        .get(&path)
        .await
        .map_err(|trouble| trouble.told(client))?;
    if args.format == Format::Json {
        console.print(&json(&answer)?)?;
        return Ok(Exit::Pass);
    }
    let rows = answer.get("releases").cloned().unwrap_or_default();
    let rows: Vec<Row> = serde_json::from_value(rows)
        .map_err(|error| Failure::new(format!("the answer cannot be read: {error}")).passing())?;
    let style = style(console, client, "");
    console.tell(&list_text::write(&rows, At(console.now_ms()), &style))?;
    Ok(Exit::Pass)
}

/// A value as a part of an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
