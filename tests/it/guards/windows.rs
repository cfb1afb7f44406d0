//! Deployment windows: whether it is open, until when, and when it opens next.

use coalmine::guards::windows::{Opening, opening};
use coalmine::model::release::window::{Blackout, Moment, Weekday, WindowRule, Windows};
use jiff::Timestamp;

fn minute(clock: &str) -> u16 {
    let (hour, minute) = clock.split_once(':').unwrap();
    hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
}

fn rule(days: &[Weekday], from: &str, to: &str, zone: &str) -> WindowRule {
    WindowRule {
        days: days.to_vec(),
        from_minute: minute(from),
        to_minute: minute(to),
        zone: zone.to_owned(),
        moments: vec![Moment::Start, Moment::Promote],
    }
}

fn windows(rules: &[WindowRule]) -> Windows {
    Windows {
        rules: rules.to_vec(),
        blackouts: Vec::new(),
    }
}

fn dark(from: &str, to: &str, zone: &str) -> Blackout {
    Blackout {
        from: from.to_owned(),
        to: to.to_owned(),
        zone: zone.to_owned(),
        reason: "holidays".to_owned(),
    }
}

/// `open until …`, `closed until …`, with times in UTC.
fn at(windows: &Windows, now: &str) -> String {
    said(windows, Moment::Start, now)
}

fn said(windows: &Windows, moment: Moment, now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    let written = |ms: Option<i64>| {
        ms.map_or("never".to_owned(), |ms| {
            Timestamp::from_millisecond(ms).unwrap().to_string()
        })
    };
    match opening(windows, moment, now.as_millisecond()).unwrap() {
        Opening::Open { closes_ms } => format!("open until {}", written(closes_ms)),
        Opening::Closed { opens_ms, .. } => format!("closed until {}", written(opens_ms)),
    }
}

use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
const WEEKDAYS: [Weekday; 5] = [Mon, Tue, Wed, Thu, Fri];

#[test]
fn without_rules_it_is_always_open() {
    assert_eq!(
        at(&windows(&[]), "2026-03-12T03:00:00Z"),
        "open until never"
    );
}

#[test]
fn a_rule_for_one_moment_holds_no_other() {
    let mut only = rule(&WEEKDAYS, "09:00", "16:00", "UTC");
    only.moments = vec![Moment::Promote];
    let windows = windows(&[only]);
    let night = "2026-03-12T03:00:00Z";
    assert_eq!(said(&windows, Moment::Start, night), "open until never");
    assert_eq!(
        said(&windows, Moment::Promote, night),
        "closed until 2026-03-12T09:00:00Z"
    );
}

#[test]
fn the_last_minute_belongs_to_the_window() {
    let day = windows(&[rule(&[], "09:00", "17:00", "UTC")]);
    assert_eq!(
        at(&day, "2026-03-12T08:59:59.999Z"),
        "closed until 2026-03-12T09:00:00Z"
    );
    assert_eq!(
        at(&day, "2026-03-12T09:00:00Z"),
        "open until 2026-03-12T17:01:00Z"
    );
    assert_eq!(
        at(&day, "2026-03-12T17:00:59.999Z"),
        "open until 2026-03-12T17:01:00Z"
    );
    assert_eq!(
        at(&day, "2026-03-12T17:01:00Z"),
        "closed until 2026-03-13T09:00:00Z"
    );
}

#[test]
fn a_window_past_midnight_belongs_to_the_day_on_which_it_starts() {
    // Friday night: 13 March 2026 is a Friday.
    let night = windows(&[rule(&[Fri], "22:00", "02:00", "UTC")]);
    assert_eq!(
        at(&night, "2026-03-13T01:00:00Z"),
        "closed until 2026-03-13T22:00:00Z"
    );
    assert_eq!(
        at(&night, "2026-03-13T23:00:00Z"),
        "open until 2026-03-14T02:01:00Z"
    );
    assert_eq!(
        at(&night, "2026-03-14T02:00:30Z"),
        "open until 2026-03-14T02:01:00Z"
    );
    assert_eq!(
        at(&night, "2026-03-14T03:00:00Z"),
        "closed until 2026-03-20T22:00:00Z"
    );
}

#[test]
fn whether_it_wraps_is_told_by_minutes_too() {
    // The same hour on both sides: from half past ten to ten past ten of the next day.
    let long = windows(&[rule(&[Mon], "10:30", "10:10", "UTC")]);
    assert_eq!(
        at(&long, "2026-03-16T10:29:00Z"),
        "closed until 2026-03-16T10:30:00Z"
    );
    assert_eq!(
        at(&long, "2026-03-17T10:10:59Z"),
        "open until 2026-03-17T10:11:00Z"
    );
    // The same minute is a whole day.
    let day = windows(&[rule(&[Mon], "10:00", "10:00", "UTC")]);
    assert_eq!(
        at(&day, "2026-03-16T10:00:00Z"),
        "open until 2026-03-17T10:01:00Z"
    );
}

#[test]
fn windows_that_touch_are_one() {
    let all = windows(&[rule(&[], "00:00", "23:59", "UTC")]);
    assert_eq!(at(&all, "2026-03-12T12:00:00Z"), "open until never");
    let two = windows(&[
        rule(&[Thu], "08:00", "11:59", "UTC"),
        rule(&[Thu], "12:00", "15:59", "UTC"),
    ]);
    assert_eq!(
        at(&two, "2026-03-12T09:00:00Z"),
        "open until 2026-03-12T16:00:00Z"
    );
}

#[test]
fn the_weekend_is_passed_over() {
    let work = windows(&[rule(&WEEKDAYS, "08:00", "15:59", "Europe/Berlin")]);
    // Friday, 16:00 in Berlin, winter time; the next opening is Monday.
    assert_eq!(
        at(&work, "2026-03-13T15:00:00Z"),
        "closed until 2026-03-16T07:00:00Z"
    );
    let weekend = windows(&[rule(&[Sat, Sun], "08:00", "15:59", "Europe/Berlin")]);
    assert_eq!(
        at(&weekend, "2026-03-13T15:00:00Z"),
        "closed until 2026-03-14T07:00:00Z"
    );
}

#[test]
fn days_are_those_of_the_zone_and_not_of_utc() {
    // Monday 08:00 in Auckland (UTC+13) is Sunday 19:00 UTC.
    let monday = windows(&[rule(&[Mon], "08:00", "08:59", "Pacific/Auckland")]);
    assert_eq!(
        at(&monday, "2026-03-08T18:59:00Z"),
        "closed until 2026-03-08T19:00:00Z"
    );
    assert_eq!(
        at(&monday, "2026-03-08T19:30:00Z"),
        "open until 2026-03-08T20:00:00Z"
    );
    // Sunday 22:00 in Los Angeles (UTC-7) is Monday 05:00 UTC.
    let sunday = windows(&[rule(&[Sun], "22:00", "22:59", "America/Los_Angeles")]);
    assert_eq!(
        at(&sunday, "2026-03-15T12:00:00Z"),
        "closed until 2026-03-16T05:00:00Z"
    );
}

#[test]
fn local_times_that_do_not_exist_are_later() {
    // Forward by an hour, each at 02:00: Berlin 29 March, New York 8 March, Auckland 27 September 2026.
    for (zone, before, opens) in [
        (
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:30:00Z",
        ),
        (
            "America/New_York",
            "2026-03-08T06:00:00Z",
            "2026-03-08T07:30:00Z",
        ),
        (
            "Pacific/Auckland",
            "2026-09-26T13:00:00Z",
            "2026-09-26T14:30:00Z",
        ),
    ] {
        let gap = windows(&[rule(&[Sun], "02:30", "12:00", zone)]);
        assert_eq!(at(&gap, before), format!("closed until {opens}"), "{zone}");
    }
}

#[test]
fn of_local_times_that_come_twice_the_first_counts() {
    // Back by an hour at 03:00 or 02:00: Berlin 25 October, New York 1 November, Auckland 5 April 2026.
    for (zone, clock, before, opens, closes) in [
        (
            "Europe/Berlin",
            ("02:30", "02:45"),
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T00:46:00Z",
        ),
        (
            "America/New_York",
            ("01:30", "01:45"),
            "2026-11-01T05:00:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-01T05:46:00Z",
        ),
        (
            "Pacific/Auckland",
            ("02:30", "02:45"),
            "2026-04-04T13:00:00Z",
            "2026-04-04T13:30:00Z",
            "2026-04-04T13:46:00Z",
        ),
    ] {
        let twice = windows(&[rule(&[Sun], clock.0, clock.1, zone)]);
        assert_eq!(
            at(&twice, before),
            format!("closed until {opens}"),
            "{zone}"
        );
        assert_eq!(at(&twice, opens), format!("open until {closes}"), "{zone}");
    }
}

#[test]
fn windows_follow_the_clock_of_their_zone_through_the_year() {
    let work = windows(&[rule(&WEEKDAYS, "08:00", "15:59", "Europe/Berlin")]);
    assert_eq!(
        at(&work, "2026-03-27T05:00:00Z"),
        "closed until 2026-03-27T07:00:00Z"
    );
    assert_eq!(
        at(&work, "2026-03-30T05:00:00Z"),
        "closed until 2026-03-30T06:00:00Z"
    );
    assert_eq!(
        at(&work, "2026-10-26T05:00:00Z"),
        "closed until 2026-10-26T07:00:00Z"
    );
}

#[test]
fn days_on_which_nothing_is_done_close_windows_and_what_has_none() {
    let mut closed = windows(&[rule(&[], "08:00", "15:59", "Europe/Berlin")]);
    closed.blackouts = vec![dark("2026-12-24", "2026-12-26", "Europe/Berlin")];
    assert_eq!(
        at(&closed, "2026-12-23T10:00:00Z"),
        "open until 2026-12-23T15:00:00Z"
    );
    assert_eq!(
        at(&closed, "2026-12-24T10:00:00Z"),
        "closed until 2026-12-27T07:00:00Z"
    );
    closed.rules.clear();
    assert_eq!(
        at(&closed, "2026-12-23T10:00:00Z"),
        "open until 2026-12-23T23:00:00Z"
    );
    assert_eq!(
        at(&closed, "2026-12-25T10:00:00Z"),
        "closed until 2026-12-26T23:00:00Z"
    );
    // The other side of the world has the same day at another time.
    closed.blackouts = vec![dark("2026-12-24", "2026-12-24", "Pacific/Auckland")];
    assert_eq!(
        at(&closed, "2026-12-23T10:59:00Z"),
        "open until 2026-12-23T11:00:00Z"
    );
    assert_eq!(
        at(&closed, "2026-12-23T11:00:00Z"),
        "closed until 2026-12-24T11:00:00Z"
    );
}

#[test]
fn what_never_opens_says_so() {
    let mut never = windows(&[rule(&[], "08:00", "15:59", "UTC")]);
    never.blackouts = vec![dark("2026-01-01", "2099-12-31", "UTC")];
    assert_eq!(at(&never, "2026-12-24T10:00:00Z"), "closed until never");
}

#[test]
fn why_it_is_closed_is_said() {
    let mut work = windows(&[rule(&WEEKDAYS, "08:00", "16:00", "Europe/Berlin")]);
    work.blackouts = vec![dark("2026-12-24", "2026-12-26", "Europe/Berlin")];
    let why = |now: &str| {
        let now: Timestamp = now.parse().unwrap();
        match opening(&work, Moment::Start, now.as_millisecond()).unwrap() {
            Opening::Closed { why, .. } => why,
            Opening::Open { .. } => panic!("it is open"),
        }
    };
    assert_eq!(
        why("2026-12-23T20:00:00Z"),
        "it is outside of mon to fri 08:00 to 16:00, Europe/Berlin"
    );
    assert_eq!(
        why("2026-12-24T10:00:00Z"),
        "nothing is deployed from 2026-12-24 to 2026-12-26: holidays"
    );
}

#[test]
fn rules_that_cannot_be_read_are_errors_and_not_open() {
    let bad = |windows: &Windows| opening(windows, Moment::Start, 0).unwrap_err().to_string();
    assert_eq!(
        bad(&windows(&[rule(&[], "08:00", "16:00", "Europe/Atlantis")])),
        "`Europe/Atlantis` is no time zone that is known; expected an IANA name such as `Europe/Berlin`"
    );
    assert_eq!(
        bad(&windows(&[rule(&[], "08:00", "24:00", "UTC")])),
        "`1440` is no minute of a day; expected 0 to 1439"
    );
    let dark = |from: &str, to: &str| Windows {
        rules: Vec::new(),
        blackouts: vec![dark(from, to, "UTC")],
    };
    assert_eq!(
        bad(&dark("2026-13-01", "2026-12-24")),
        "`2026-13-01` is no day; expected one such as `2026-12-24`"
    );
    assert_eq!(
        bad(&dark("2026-12-26", "2026-12-24")),
        "the blackout from `2026-12-26` to `2026-12-24` ends before it begins"
    );
}
