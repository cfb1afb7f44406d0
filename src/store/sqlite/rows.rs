//! Rows and what they mean.

use coalmine_judges::judgement::Verdict;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use crate::model::ids::ExecutionId;
use crate::store::{Entry, Head};

/// A query for what [`head`] reads, from here on.
macro_rules! select_heads {
    ($from:literal) => {
        concat!(
            "SELECT execution.id, execution.kind, execution.application, execution.status, execution.seq, ",
            "execution.created_ms, execution.updated_ms, execution.ended_ms, execution.due_ms, ",
            "execution.verdict, execution.score, execution.config_name, execution.sentence ",
            $from
        )
    };
}
pub(super) use select_heads;

/// A number for a column. Counters never come near the end of its range; a limit beyond it is no limit.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn not_kept_by_us(found: String) -> Error {
    Error::Decode(found.into())
}

pub(super) fn counter(row: &SqliteRow, name: &str) -> Result<u64, Error> {
    let number: i64 = row.try_get(name)?;
    u64::try_from(number).map_err(|_| {
        not_kept_by_us(format!(
            "found `{number}` in `{name}`; expected no negative number"
        ))
    })
}

pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Marginal => "marginal",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn verdict(word: &str) -> Result<Verdict, Error> {
    match word {
        "pass" => Ok(Verdict::Pass),
        "marginal" => Ok(Verdict::Marginal),
        "fail" => Ok(Verdict::Fail),
        "inconclusive" => Ok(Verdict::Inconclusive),
        other => Err(not_kept_by_us(format!("found the verdict `{other}`"))),
    }
}

pub(super) fn head(row: &SqliteRow) -> Result<Head, Error> {
    let word: Option<String> = row.try_get("verdict")?;
    Ok(Head {
        id: ExecutionId::new(row.try_get::<String, _>("id")?),
        kind: row.try_get("kind")?,
        application: row.try_get("application")?,
        status: row.try_get("status")?,
        seq: counter(row, "seq")?,
        created_ms: row.try_get("created_ms")?,
        updated_ms: row.try_get("updated_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        due_ms: row.try_get("due_ms")?,
        verdict: word.as_deref().map(verdict).transpose()?,
        score: row.try_get("score")?,
        config_name: row.try_get("config_name")?,
        sentence: row.try_get("sentence")?,
    })
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry, Error> {
    Ok(Entry {
        seq: counter(row, "seq")?,
        at_ms: row.try_get("at_ms")?,
        body: row.try_get("body")?,
    })
}
