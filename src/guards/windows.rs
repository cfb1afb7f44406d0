//! Whether a moment lies in a deployment window, and when the next one opens.
//!
//! A window belongs to the day on which it starts, in its own zone. Local times that do not exist, because the clock is put
//! forward, are as much later as it was put forward; of local times that come twice, the first counts. The last minute belongs
//! to the window.

use jiff::civil::{Date, Weekday as Day};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

use crate::model::release::window::{Blackout, Moment, Weekday, WindowRule, Windows};

/// How many days ahead an opening is looked for: a year, and the days before `now` in which a window may have begun.
const DAYS_AHEAD: i32 = 367;
/// A window may have begun yesterday, and zones are up to a day apart.
const DAYS_BACK: i32 = 2;
const MINUTES: u16 = 1440;
const MINUTE_MS: i64 = 60_000;

/// A rule that cannot be read: a time zone that is not known, a day that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct BadZone {
    /// What is wrong, with the value.
    pub message: String,
}

/// Whether something may be done now. Times are in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Yes.
    Open {
        /// From when on it is closed again; `None` where that is not within a year.
        closes_ms: Option<i64>,
    },
    /// No.
    Closed {
        /// When it opens; `None` where it does not within a year.
        opens_ms: Option<i64>,
        /// Why it is closed, one sentence.
        why: String,
    },
}

/// Times from the first, which belongs to it, to the second, which does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from_ms: i64,
    to_ms: i64,
}

const ALWAYS: Span = Span {
    from_ms: i64::MIN,
    to_ms: i64::MAX,
};

/// Whether `moment` may come at `now_ms`, in milliseconds since 1970-01-01T00:00:00Z. A rollback asks nobody.
///
/// # Errors
/// A rule that cannot be read.
pub fn opening(windows: &Windows, moment: Moment, now_ms: i64) -> Result<Opening, BadZone> {
    let now = Timestamp::from_millisecond(now_ms).map_err(|error| bad(error.to_string()))?;
    let mut open = Vec::new();
    let mut rules = Vec::new();
    for rule in &windows.rules {
        let zone = zone(&rule.zone)?;
        check(rule)?;
        if rule.moments.contains(&moment) {
            rules.push(rule);
            open.extend(spans(rule, &zone, now)?);
        }
    }
    if rules.is_empty() {
        open.push(ALWAYS);
    }
    let mut blackouts = Vec::new();
    for blackout in &windows.blackouts {
        blackouts.push((blackout, dark(blackout)?));
    }
    let mut open = merged(open);
    for (_, dark) in &blackouts {
        open = without(&open, *dark);
    }
    let is_in = |span: &&Span| span.from_ms <= now_ms && now_ms < span.to_ms;
    if let Some(span) = open.iter().find(is_in) {
        let horizon_ms = now_ms.saturating_add(366 * i64::from(MINUTES) * MINUTE_MS);
        let closes_ms = (span.to_ms <= horizon_ms).then_some(span.to_ms);
        return Ok(Opening::Open { closes_ms });
    }
    let next = open
        .iter()
        .map(|span| span.from_ms)
        .filter(|from_ms| *from_ms > now_ms);
    let dark = blackouts.iter().find(|(_, span)| is_in(&span));
    let why = match dark {
        Some((blackout, _)) => closed_words(blackout),
        None => format!("it is outside of {}", rules_words(&rules)),
    };
    Ok(Opening::Closed {
        opens_ms: next.min(),
        why,
    })
}

fn bad(message: impl Into<String>) -> BadZone {
    BadZone {
        message: message.into(),
    }
}

fn zone(name: &str) -> Result<TimeZone, BadZone> {
    TimeZone::get(name).map_err(|_| {
        bad(format!(
            "`{name}` is no time zone that is known; expected an IANA name such as `Europe/Berlin`"
        ))
    })
}

fn check(rule: &WindowRule) -> Result<(), BadZone> {
    for minute in [rule.from_minute, rule.to_minute] {
        if minute >= MINUTES {
            return Err(bad(format!(
                "`{minute}` is no minute of a day; expected 0 to 1439"
            )));
        }
    }
    Ok(())
}

/// The windows of a rule around `now`, in the order of their days.
fn spans(rule: &WindowRule, zone: &TimeZone, now: Timestamp) -> Result<Vec<Span>, BadZone> {
    let today = zone.to_datetime(now).date();
    let mut spans = Vec::new();
    for distance in -DAYS_BACK..=DAYS_AHEAD {
        let day = later(today, distance)?;
        let starts = |weekday: &Weekday| of(*weekday) == day.weekday();
        if !rule.days.is_empty() && !rule.days.iter().any(starts) {
            continue;
        }
        let last_day = if rule.to_minute <= rule.from_minute {
            later(day, 1)?
        } else {
            day
        };
        let from_ms = at(day, rule.from_minute, zone)?;
        let to_ms = at(last_day, rule.to_minute, zone)?.saturating_add(MINUTE_MS);
        if from_ms < to_ms {
            spans.push(Span { from_ms, to_ms });
        }
    }
    Ok(spans)
}

fn later(day: Date, days: i32) -> Result<Date, BadZone> {
    day.checked_add(days.days())
        .map_err(|error| bad(error.to_string()))
}

/// A local time; jiff's rule for gaps and for times that come twice is the one of this module.
fn at(day: Date, minute: u16, zone: &TimeZone) -> Result<i64, BadZone> {
    let (hour, minute) = (minute / 60, minute % 60);
    let (hour, minute) = (i8::try_from(hour), i8::try_from(minute));
    let (Ok(hour), Ok(minute)) = (hour, minute) else {
        return Err(bad("no minute of a day".to_owned()));
    };
    zone.to_timestamp(day.at(hour, minute, 0, 0))
        .map(Timestamp::as_millisecond)
        .map_err(|error| bad(error.to_string()))
}

fn of(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Mon => Day::Monday,
        Weekday::Tue => Day::Tuesday,
        Weekday::Wed => Day::Wednesday,
        Weekday::Thu => Day::Thursday,
        Weekday::Fri => Day::Friday,
        Weekday::Sat => Day::Saturday,
        Weekday::Sun => Day::Sunday,
    }
}

/// All of the days of a blackout, from midnight to midnight in its zone.
fn dark(blackout: &Blackout) -> Result<Span, BadZone> {
    let zone = zone(&blackout.zone)?;
    let day = |text: &str| -> Result<Date, BadZone> {
        text.parse().map_err(|_| {
            bad(format!(
                "`{text}` is no day; expected one such as `2026-12-24`"
            ))
        })
    };
    let (from, to) = (day(&blackout.from)?, day(&blackout.to)?);
    if to < from {
        return Err(bad(format!(
            "the blackout from `{from}` to `{to}` ends before it begins"
        )));
    }
    Ok(Span {
        from_ms: at(from, 0, &zone)?,
        to_ms: at(later(to, 1)?, 0, &zone)?,
    })
}

/// The same times as spans in their order, with gaps between them.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| (span.from_ms, span.to_ms));
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from_ms <= last.to_ms => last.to_ms = last.to_ms.max(span.to_ms),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

fn without(spans: &[Span], dark: Span) -> Vec<Span> {
    let before = |span: &Span| Span {
        to_ms: span.to_ms.min(dark.from_ms),
        ..*span
    };
    let after = |span: &Span| Span {
        from_ms: span.from_ms.max(dark.to_ms),
        ..*span
    };
    spans
        .iter()
        .flat_map(|span| [before(span), after(span)])
        .filter(|span| span.from_ms < span.to_ms)
        .collect()
}

fn closed_words(blackout: &Blackout) -> String {
    let days = if blackout.from == blackout.to {
        format!("on {}", blackout.from)
    } else {
        format!("from {} to {}", blackout.from, blackout.to)
    };
    match blackout.reason.as_str() {
        "" => format!("nothing is deployed {days}"),
        reason => format!("nothing is deployed {days}: {reason}"),
    }
}

fn rules_words(rules: &[&WindowRule]) -> String {
    let words: Vec<String> = rules.iter().map(|rule| rule_words(rule)).collect();
    words.join(" and ")
}

/// `mon, tue 08:00 to 16:00, Europe/Berlin`.
fn rule_words(rule: &WindowRule) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let word = |day: &Weekday| match day {
        Weekday::Mon => "mon",
        Weekday::Tue => "tue",
        Weekday::Wed => "wed",
        Weekday::Thu => "thu",
        Weekday::Fri => "fri",
        Weekday::Sat => "sat",
        Weekday::Sun => "sun",
    };
    let days: Vec<&str> = rule.days.iter().map(word).collect();
    let days = match days.as_slice() {
        [] => "every day".to_owned(),
        ["mon", "tue", "wed", "thu", "fri"] => "mon to fri".to_owned(),
        days => days.join(", "),
    };
    let (from, to) = (clock(rule.from_minute), clock(rule.to_minute));
    format!("{days} {from} to {to}, {}", rule.zone)
}
