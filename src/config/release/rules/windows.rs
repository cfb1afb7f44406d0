//! When things may be done.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Rules;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::release::wire::{BlackoutWire, MomentWire, WeekdayWire, WindowWire};
use crate::model::release::window::{Blackout, Moment, Weekday, WindowRule, Windows};

impl Rules {
    pub(super) fn windows(
        &mut self,
        mut windows: Vec<WindowWire>,
        mut blackouts: Vec<BlackoutWire>,
    ) -> Windows {
        self.few(&mut windows, Path::root().key("windows"), 100);
        self.few(&mut blackouts, Path::root().key("blackouts"), 366);
        let at = |key: &str, index: usize| Path::root().key(key).index(index);
        Windows {
            rules: windows
                .into_iter()
                .enumerate()
                .map(|(index, window)| self.window(window, &at("windows", index)))
                .collect(),
            blackouts: blackouts
                .into_iter()
                .enumerate()
                .map(|(index, blackout)| self.blackout(blackout, &at("blackouts", index)))
                .collect(),
        }
    }

    fn window(&mut self, wire: WindowWire, path: &Path) -> WindowRule {
        let mut days: Vec<Weekday> = wire
            .days
            .iter()
            .flatten()
            .map(|day| weekday(*day))
            .collect();
        days.sort_unstable();
        days.dedup();
        let moments = wire
            .moments
            .unwrap_or_else(|| vec![MomentWire::Start, MomentWire::Promote]);
        let mut moments: Vec<Moment> = moments
            .into_iter()
            .map(|moment| match moment {
                MomentWire::Start => Moment::Start,
                MomentWire::Promote => Moment::Promote,
            })
            .collect();
        moments.sort_unstable();
        moments.dedup();
        WindowRule {
            days,
            from_minute: self.minute(wire.from.as_deref(), path.key("from")),
            to_minute: self.minute(wire.to.as_deref(), path.key("to")),
            zone: self.zone(wire.zone.as_deref(), path.key("zone")),
            moments,
        }
    }

    /// A minute of the day. What is absent is told by the shape.
    fn minute(&mut self, text: Option<&str>, path: Path) -> u16 {
        let Some(text) = text else { return 0 };
        let read = minute(text);
        if read.is_none() {
            let expected = "hours and minutes from `00:00` to `23:59`";
            let problem = Problem::new(path, format!("text `{}`", shorten(text, 40)), expected);
            self.problem(if text == "24:00" {
                problem.hint("write `23:59`; the last minute belongs to the window")
            } else {
                problem
            });
        }
        read.unwrap_or(0)
    }

    /// The zone by its own name, whose case may differ from what is written.
    fn zone(&mut self, text: Option<&str>, path: Path) -> String {
        let Some(text) = text else {
            return String::new();
        };
        if let Ok(zone) = TimeZone::get(text)
            && let Some(name) = zone.iana_name()
        {
            return name.to_owned();
        }
        let found = format!("unknown time zone `{}`", shorten(text, 40));
        let problem = Problem::new(path, found, "an IANA name such as `Europe/Berlin` or `UTC`");
        let known: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.as_str().to_owned())
            .collect();
        self.problem(problem.did_you_mean(text, known.iter().map(String::as_str)));
        String::new()
    }

    fn blackout(&mut self, wire: BlackoutWire, path: &Path) -> Blackout {
        let from = self.date(wire.from.as_deref(), path.key("from"));
        let to = match &wire.to {
            Some(to) => self.date(Some(to), path.key("to")),
            None => from,
        };
        if let (Some(first), Some(last)) = (from, to)
            && last < first
        {
            let expected = format!("{first} or later");
            self.problem(Problem::new(path.key("to"), format!("{last}"), expected));
        }
        let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        Blackout {
            from: text(from),
            to: text(to),
            zone: self.zone(wire.zone.as_deref(), path.key("zone")),
            reason: wire.reason.unwrap_or_default(),
        }
    }

    fn date(&mut self, text: Option<&str>, path: Path) -> Option<Date> {
        let text = text?;
        // Other ways to write a day, and times of it, are read by the library but not meant here.
        let date = text
            .parse::<Date>()
            .ok()
            .filter(|date| date.to_string() == text);
        if date.is_none() {
            self.wrong(path, text, "a day such as `2026-12-24`");
        }
        date
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str, most: u16| {
        let fits = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_digit());
        let number = fits.then(|| digits.parse::<u16>().ok()).flatten()?;
        (number <= most).then_some(number)
    };
    Some(two(hour, 23)? * 60 + two(minute, 59)?)
}

fn weekday(wire: WeekdayWire) -> Weekday {
    match wire {
        WeekdayWire::Mon => Weekday::Mon,
        WeekdayWire::Tue => Weekday::Tue,
        WeekdayWire::Wed => Weekday::Wed,
        WeekdayWire::Thu => Weekday::Thu,
        WeekdayWire::Fri => Weekday::Fri,
        WeekdayWire::Sat => Weekday::Sat,
        WeekdayWire::Sun => Weekday::Sun,
    }
}
