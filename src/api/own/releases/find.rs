//! Which release somebody means: by its id, or by the beginning or the end of it.

use crate::api::own::OwnState;
use crate::api::refusal::Refusal;
use crate::executions::release::desk::DeskError;
use crate::executions::request::Kind;
use crate::model::ids::ExecutionId;
use crate::store::HeadFilter;

/// Fewest characters that stand for an id: fewer would soon be ambiguous.
const LEAST: usize = 6;
/// Heads that are read at once.
const PAGE: u64 = 500;
/// Releases that are looked through, the newest first.
const MOST: u64 = 20_000;

/// The release that `text` names. A part of an id names the one release that has it.
pub(super) async fn find(own: &OwnState, text: &str) -> Result<ExecutionId, Refusal> {
    let text = text.trim();
    let whole = ExecutionId::new(text);
    if own.api.executions.find(&whole).await?.is_some() {
        return Ok(whole);
    }
    let part = text.to_ascii_uppercase();
    if part.len() < LEAST {
        return Err(DeskError::NotFound(whole).into());
    }
    let mut found: Vec<ExecutionId> = Vec::new();
    let mut skip = 0;
    while skip < MOST {
        let filter = HeadFilter {
            kinds: vec![Kind::Release.word().to_owned()],
            skip,
            most: PAGE,
            ..HeadFilter::default()
        };
        let heads = own.api.executions.list(&filter).await?;
        let ids = heads.iter().map(|head| &head.id);
        let fits = |id: &&ExecutionId| {
            let id = id.as_str().to_ascii_uppercase();
            id.ends_with(&part) || id.starts_with(&part)
        };
        found.extend(ids.filter(fits).cloned());
        if (heads.len() as u64) < PAGE {
            break;
        }
        skip += PAGE;
    }
    match found.as_slice() {
        [] => Err(DeskError::NotFound(whole).into()),
        [one] => Ok(one.clone()),
        several => {
            let ids: Vec<String> = several.iter().take(5).map(|id| format!("`{id}`")).collect();
            Err(Refusal::bad(format!(
                "{} releases have `{text}` in their ids; expected one of {}",
                several.len(),
                ids.join(", ")
            )))
        }
    }
}
