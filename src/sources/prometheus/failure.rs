//! What an answer means: data, or which error, and what can be done about it.
//!
//! The status of HTTP decides first, because what stands between us and the store answers in HTML as well as in JSON; then the
//! `status` in the JSON, because some proxies answer errors with 200.

use super::account::OnWarning;
use super::http::Answer;
use super::reply::{self, Misfit, Reply};
use crate::sources::{Remedy, SourceError};

/// Most of a body that is shown, in characters.
const MAX_SHOWN: usize = 300;

/// An error, and whether a shorter range may avoid it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: SourceError,
    pub(super) kind: Kind,
}

/// Which of the errors that a shorter range may avoid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The query loads more samples than `--query.max-samples`.
    TooManySamples,
    /// Its evaluation took longer than allowed.
    TimedOut,
    /// None of them.
    Other,
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Self {
            error,
            kind: Kind::Other,
        }
    }
}

/// Whether the same request may succeed later, by its status alone: 408, 429 and all of 5xx, as for Kayenta.
pub(super) fn is_retryable(status: u16) -> bool {
    status == 408 || status == 429 || (500..600).contains(&status)
}

/// The reply in `answer`, or what it refuses. `shown` takes secrets out of a text of the server.
pub(super) fn understood<'a>(
    account: &str,
    answer: &'a Answer,
    shown: &dyn Fn(&str) -> String,
) -> Result<Reply<'a>, Refusal> {
    let status = answer.status.as_u16();
    let retry = Remedy::Retry {
        after: answer.retry_after,
    };
    let error = |remedy, what: String| {
        SourceError::new(
            remedy,
            format!("account `{account}`: {what}; expected data"),
        )
    };
    let excerpt = || excerpt(&answer.body, shown);
    let parsed = reply::read(&answer.body);
    if answer.status.is_success() {
        return match parsed {
            Ok(reply) if reply.status == "success" && reply.data.is_some() => Ok(reply),
            Ok(reply) if reply.status == "success" => {
                Err(error(retry, "found status `success` without data".to_owned()).into())
            }
            Ok(reply) if reply.status == "error" => {
                let remedy = by_type(reply.error_type.as_deref(), retry);
                Err(refusal(account, status, &reply, remedy, shown))
            }
            Ok(reply) => {
                let status = short(&reply.status, shown);
                let found = format!("found the status `{status}` in the answer");
                Err(error(retry, found).into())
            }
            Err(_) if answer.is_html => {
                let mut error = error(Remedy::Mend, format!("found a page of HTML: {}", excerpt()));
                error.hint = Some(
                    "is `baseUrl` the API's address, and is there a page to log in before it?"
                        .to_owned(),
                );
                Err(error.into())
            }
            Err(why) => {
                // The reader's messages quote what they stumbled over.
                let why = short(&why, shown);
                let found = format!("found no whole JSON ({why}): {}", excerpt());
                Err(error(retry, found).into())
            }
        };
    }
    let remedy = if is_retryable(status) {
        retry
    } else {
        Remedy::Mend
    };
    match parsed {
        Ok(reply) if reply.error.is_some() => Err(refusal(account, status, &reply, remedy, shown)),
        Ok(_) | Err(_) => {
            let mut error = error(remedy, format!("found status {status}: {}", excerpt()));
            error.hint = by_status(status).map(str::to_owned);
            Err(error.into())
        }
    }
}

/// An error that the store itself explains.
fn refusal(
    account: &str,
    status: u16,
    reply: &Reply<'_>,
    remedy: Remedy,
    shown: &dyn Fn(&str) -> String,
) -> Refusal {
    let kind = short(reply.error_type.as_deref().unwrap_or("no type"), shown);
    let text = short(reply.error.as_deref().unwrap_or("no text"), shown);
    let mut error = SourceError::new(
        remedy,
        format!("account `{account}`: the query is refused with {status} ({kind}): {text}"),
    );
    error.hint = mimir_id(&text)
        .map(|id| format!("`{id}` is explained in Mimir's runbooks"))
        .or_else(|| by_text(&text).or(by_status(status)).map(str::to_owned));
    let kind = if text.contains("too many samples") {
        Kind::TooManySamples
    } else if kind == "timeout" {
        Kind::TimedOut
    } else {
        Kind::Other
    };
    Refusal { error, kind }
}

fn by_type(error_type: Option<&str>, retry: Remedy) -> Remedy {
    match error_type {
        Some("bad_data" | "execution" | "not_found" | "not_acceptable") => Remedy::Mend,
        // `timeout`, `canceled`, `internal`, `unavailable`, `too_many_requests`, and those of other stores.
        Some(_) | None => retry,
    }
}

fn by_status(status: u16) -> Option<&'static str> {
    match status {
        400 => Some("the query or its times are wrong"),
        401 | 403 => Some("see `auth` and `headers` of the account"),
        404 => Some("is `baseUrl` the address before `/api/v1`?"),
        414 | 431 => Some("the query is too long for GET, and POST is refused"),
        _ => None,
    }
}

fn by_text(text: &str) -> Option<&'static str> {
    if text.contains("duplicate series") || text.contains("many-to-many") {
        return Some(
            "several series have the same labels; aggregate with `sum by (…)` or the like",
        );
    }
    if text.contains("same labelset") {
        return Some("two series end with the same labels; keep one more label apart");
    }
    if text.contains("too many samples") {
        return Some("select fewer series, or a shorter range inside the query");
    }
    text.contains("no org id")
        .then_some("name the tenant by the header `X-Scope-OrgID` in the account's `headers`")
}

/// The id by which Mimir explains an error: `err-mimir-max-query-length`.
fn mimir_id(text: &str) -> Option<String> {
    let start = text.find("err-mimir-")?;
    let id = text.get(start..)?.chars();
    Some(
        id.take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect(),
    )
}

fn excerpt(body: &[u8], shown: &dyn Fn(&str) -> String) -> String {
    let start = body.get(..MAX_SHOWN * 40).unwrap_or(body);
    let text = short(&String::from_utf8_lossy(start), shown);
    match text.is_empty() {
        true => "an empty body".to_owned(),
        false => format!("`{text}`"),
    }
}

/// A text of the server as it may be shown: without secrets, and short. Secrets go first: a cut through the middle of one would
/// hide it.
pub(super) fn short(text: &str, shown: &dyn Fn(&str) -> String) -> String {
    shorten(&shown(text))
}

/// The first characters of `text` on one line.
pub(super) fn shorten(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut short: String = line.chars().take(MAX_SHOWN).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

/// Warnings that stand beside the data, as far as the account wants to know; or the refusal of data that may be partial.
pub(super) fn warnings(
    account: &str,
    reply: &Reply<'_>,
    on_warning: OnWarning,
    shown: &dyn Fn(&str) -> String,
) -> Result<Vec<String>, SourceError> {
    let said = reply.warnings.iter().flatten();
    let (remarks, mut partial): (Vec<&String>, Vec<&String>) =
        said.partition(|text| text.starts_with("PromQL "));
    let is_partial = "the answer is marked as partial (`isPartial`)".to_owned();
    if reply.is_partial == Some(true) {
        partial.push(&is_partial);
    }
    let remarks = remarks.into_iter().chain(reply.infos.iter().flatten());
    match on_warning {
        OnWarning::Fail if !partial.is_empty() => {
            let texts: Vec<String> = partial.iter().map(|text| short(text, shown)).collect();
            let mut error = SourceError::new(
                Remedy::Retry { after: None },
                format!(
                    "account `{account}`: data may be missing: {}; expected no warning",
                    texts.join("; ")
                ),
            );
            error.hint = Some("`onWarning: warn` takes such answers".to_owned());
            Err(error)
        }
        OnWarning::Fail | OnWarning::Warn => Ok(partial
            .into_iter()
            .chain(remarks)
            .map(|text| short(text, shown))
            .collect()),
        OnWarning::Ignore => Ok(Vec::new()),
    }
}

/// The error for data that cannot be used.
pub(super) fn misfit(
    account: &str,
    misfit: Misfit,
    max_series: usize,
    shown: &dyn Fn(&str) -> String,
) -> SourceError {
    let (remedy, what, hint) = match misfit {
        Misfit::Type(found) => (
            Remedy::Mend,
            format!(
                "found {} as result; expected a matrix",
                short(&found, shown)
            ),
            None,
        ),
        Misfit::TooManySeries => (
            Remedy::Mend,
            format!("found more than {max_series} series (`maxSeries`)"),
            Some("aggregate the query; a canary compares a few series, not all instances"),
        ),
        Misfit::Histograms => (
            Remedy::Mend,
            "found native histograms; expected numbers".to_owned(),
            Some("use `histogram_quantile`, `histogram_avg` or the like"),
        ),
        Misfit::Shape(why) => (
            Remedy::GiveUp,
            format!(
                "found data of another shape than Prometheus gives: {}",
                short(&why, shown)
            ),
            Some("is `baseUrl` the address of a store that speaks Prometheus' API?"),
        ),
    };
    let mut error = SourceError::new(remedy, format!("account `{account}`: {what}"));
    error.hint = hint.map(str::to_owned);
    error
}
