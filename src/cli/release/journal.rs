//! Reads the journal of a release from a service, to write it into a log.

use std::time::Duration;

use super::client::{Client, Trouble};
use crate::ui::release::line::Told;

/// Longest time without a word: the service says at least that it is there.
const SILENCE: Duration = Duration::from_secs(40);

/// The events of execution `id` after number `after`, up to number `last`; fewer where the service breaks off.
pub(super) async fn read(
    client: &Client,
    id: &str,
    after: u64,
    last: u64,
) -> Result<Vec<Told>, Trouble> {
    let mut events = Vec::new();
    if after >= last {
        return Ok(events);
    }
    let mut response = client.events(id, after).await?;
    let mut bytes: Vec<u8> = Vec::new();
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(SILENCE, response.chunk()).await {
        bytes.extend_from_slice(&chunk);
        while let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
            let message: Vec<u8> = bytes.drain(..end + 2).collect();
            if let Some(told) = parsed(&String::from_utf8_lossy(&message)) {
                let is_last = told.seq >= last;
                events.push(told);
                if is_last {
                    return Ok(events);
                }
            }
        }
    }
    Ok(events)
}

/// One message of the stream; `None` for a comment.
fn parsed(message: &str) -> Option<Told> {
    let field = |name: &str| {
        let mut lines = message.lines();
        lines.find_map(|line| line.strip_prefix(name).map(str::trim_start))
    };
    Told::read(field("event:").unwrap_or("unknown"), field("data:")?)
}
