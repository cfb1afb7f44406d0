//! A range query in as many requests as it needs.

use std::time::Duration;

use tokio::time;

use super::failure::{self, Kind, Refusal};
use super::http::{Http, Parameters};
use super::range::{MAX_POINTS, Range};
use super::reply::{self, RawSeries};
use super::series::Joined;
use crate::sources::{Remedy, SourceError};

/// Most further cuts: enough for 16 equal parts.
const MAX_HALVINGS: u32 = 15;

/// How long to wait after an evaluation that took too long, before the one further try.
const AFTER_TIME_OUT: Duration = Duration::from_millis(500);

/// All series of `query` over `range`, with the warnings that came along.
pub(super) async fn range(
    http: &Http,
    query: &str,
    range: Range,
) -> Result<(Joined, Vec<String>), SourceError> {
    let mut joined = Joined::default();
    let mut warnings = Vec::new();
    // The pieces that are left, the last one first.
    let mut left: Vec<Range> = range.chunks(MAX_POINTS).collect();
    left.reverse();
    let mut halvings = 0;
    let mut timed_out = false;
    while let Some(piece) = left.pop() {
        let refusal = match one(http, query, piece).await {
            Ok((series, said)) => {
                joined.add(series);
                for warning in said {
                    if !warnings.contains(&warning) {
                        warnings.push(warning);
                    }
                }
                let most = http.account().max_series.get();
                if joined.len() > most {
                    let misfit = reply::Misfit::TooManySeries;
                    let error = failure::misfit(name(http), misfit, most, &str::to_owned);
                    return Err(with_query(error, query));
                }
                continue;
            }
            Err(refusal) => refusal,
        };
        match refusal.kind {
            Kind::TooManySamples if halvings < MAX_HALVINGS => {
                let Some([first, second]) = piece.halves() else {
                    return Err(with_query(refusal.error, query));
                };
                halvings += 1;
                left.extend([second, first]);
            }
            // A store that suffers is asked once more, for less, and then left alone.
            Kind::TimedOut if timed_out => {
                let error = SourceError {
                    remedy: Remedy::Later,
                    ..refusal.error
                };
                return Err(with_query(error, query));
            }
            // One that names a time to come back is not asked before.
            Kind::TimedOut if refusal.error.remedy == Remedy::Retry { after: None } => {
                timed_out = true;
                time::sleep(AFTER_TIME_OUT).await;
                match piece.halves() {
                    Some([first, second]) => left.extend([second, first]),
                    None => left.push(piece),
                }
            }
            Kind::TooManySamples | Kind::TimedOut | Kind::Other => {
                return Err(with_query(refusal.error, query));
            }
        }
    }
    Ok((joined, warnings))
}

async fn one(
    http: &Http,
    query: &str,
    range: Range,
) -> Result<(Vec<RawSeries>, Vec<String>), Refusal> {
    let mut parameters = vec![
        ("query", query.to_owned()),
        ("start", instant(range.start_ms)),
        ("end", instant(range.end_ms)),
        ("step", (range.step_ms / 1000).to_string()),
    ];
    parameters.extend(for_all_stores(http));
    let answer = http.post("/api/v1/query_range", &parameters).await?;
    let headers = http.secrets().await;
    let shown = |text: &str| headers.without_secrets(text);
    let account = http.account();
    let reply = failure::understood(&account.name, &answer, &shown)?;
    let warnings = failure::warnings(&account.name, &reply, account.on_warning, &shown)?;
    let most = account.max_series.get();
    let series = match reply.data {
        Some(data) => reply::matrix(data, most),
        None => Ok(Vec::new()),
    };
    let series = series.map_err(|misfit| failure::misfit(&account.name, misfit, most, &shown))?;
    Ok((series, warnings))
}

/// The values of `query` at one moment, one for each series; for questions about the store, not for judging.
pub(super) async fn instant_values(
    http: &Http,
    query: &str,
    at_ms: i64,
) -> Result<Vec<f64>, SourceError> {
    let mut parameters = vec![("query", query.to_owned()), ("time", instant(at_ms))];
    parameters.extend(for_all_stores(http));
    let answer = http.post("/api/v1/query", &parameters).await?;
    let headers = http.secrets().await;
    let shown = |text: &str| headers.without_secrets(text);
    let reply = failure::understood(name(http), &answer, &shown)
        .map_err(|refusal| with_query(refusal.error, query))?;
    let Some(data) = reply.data else {
        return Ok(Vec::new());
    };
    reply::vector(data)
        .map_err(|misfit| with_query(failure::misfit(name(http), misfit, 0, &shown), query))
}

/// What each kind of store needs to hear to give raw and whole data; those that do not know a parameter ignore it.
fn for_all_stores(http: &Http) -> Parameters {
    let timeout_ms = u64::from(http.account().timeout_secs.get()) * 1000;
    let fixed = [
        // Thanos: nothing partial, replicas as one, no downsampled points.
        ("partial_response", "false"),
        ("dedup", "true"),
        ("max_source_resolution", "0s"),
        // VictoriaMetrics: no answers from its cache, which may lack late points.
        ("nocache", "1"),
    ];
    let mut parameters: Parameters = fixed.map(|(name, value)| (name, value.to_owned())).into();
    // A little less than our own patience, so that the store tells what took so long.
    parameters.push(("timeout", format!("{}ms", timeout_ms * 9 / 10)));
    parameters
}

/// A moment as RFC 3339, to the millisecond where it has one.
fn instant(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.to_string(),
        // Beyond the year 9999; the store says what it thinks of it.
        Err(_) => (ms / 1000).to_string(),
    }
}

fn name(http: &Http) -> &str {
    &http.account().name
}

fn with_query(mut error: SourceError, query: &str) -> SourceError {
    error.query = Some(query.to_owned());
    error
}
