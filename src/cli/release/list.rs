//! `coalmine release list`.

use coalmine_reports::terminal::{Line, Role, ascii, cut};
use serde::Deserialize;
use serde_json::Value;

use super::reach::Reach;
use super::{Format, json};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::model::clean::clean;
use crate::ui::release::status::short_id;

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
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    application: String,
    status: String,
    sentence: String,
    created_at: String,
}

pub(super) async fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let reached = args.reach.service().await?;
    let client = &reached.client;
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
    console.tell(&table(&rows, console))?;
    Ok(Exit::Pass)
}

fn table(rows: &[Row], console: &Console) -> String {
    if rows.is_empty() {
        return "There are no releases.\n".to_owned();
    }
    let style = console.text_style();
    let widest = rows.iter().map(|row| row.application.chars().count()).max();
    let names = widest.unwrap_or(0).clamp(11, 24);
    let head = Line::new()
        .add(Role::Faint, "Release")
        .to(10)
        .add(Role::Faint, "Application")
        .to(10 + names + 2)
        .add(Role::Faint, "Started, UTC")
        .to(10 + names + 2 + 18)
        .add(Role::Faint, "What happens");
    let mut text = head.finish(style.color) + "\n";
    for row in rows {
        let at = row.created_at.get(..16).unwrap_or(&row.created_at);
        let under_way = matches!(row.status.as_str(), "not_started" | "running" | "suspended");
        let role = if under_way { Role::Strong } else { Role::Plain };
        let line = Line::new()
            .add(role, short_id(&row.id))
            .to(10)
            .add(Role::Plain, cut(&clean(&row.application), names))
            .to(10 + names + 2)
            .add(Role::Faint, at.replace('T', " "))
            .to(10 + names + 2 + 18);
        let room = style.width.saturating_sub(line.width()).max(20);
        let line = line.add(Role::Plain, cut(&clean(&row.sentence), room));
        text.push_str(&line.finish(style.color));
        text.push('\n');
    }
    if style.ascii { ascii(&text) } else { text }
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
