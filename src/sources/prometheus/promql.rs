//! As much of PromQL as is needed to see where a query reads series: a scanner, not a parser.
//!
//! A selector (`name{…}`) that is read bare gives, at each moment, its last sample of the past 5 minutes. A target that died, or
//! is scraped rarely, so becomes a row of equal points that nobody measured. [`guard`] bounds that to one step. What the scanner
//! does not understand stays as it is; Prometheus itself refuses what is wrong.

/// Where a query reads series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector {
    /// The metric's name, where it stands before the braces.
    pub(super) name: Option<String>,
    /// Name and braces, as written.
    pub(super) text: String,
    /// From where.
    start: usize,
    /// To where, `offset` and `@` included.
    end: usize,
    /// How it is read.
    pub(super) reading: Reading,
    /// Whether it is the argument of a function such as `last_over_time`, for which one sample is enough.
    pub(super) is_over_time: bool,
}

/// How a selector is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// One sample for each moment, which may be up to 5 minutes old.
    Bare,
    /// Bare, but where another reading would change the meaning: in `timestamp`, `absent`, or a function that wants a range.
    BareAsMeant,
    /// All samples of a time, in milliseconds where that is plain: `[5m]`.
    Range(Option<u64>),
    /// `[1h:5m]`.
    Subquery,
}

/// What a query looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// Its selectors, in order.
    pub(super) selectors: Vec<Selector>,
    /// Whether it names labels to keep apart: `by` or `without`.
    pub(super) groups: bool,
    /// Whether it adds up or counts series: `sum` or `count`.
    pub(super) adds_up: bool,
    /// Whether something that was opened is never closed, or the other way round. Prometheus refuses such a query.
    pub(super) is_broken: bool,
}

const AGGREGATORS: [&str; 14] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
];

/// Words that are never a metric's name where one is looked for.
const WORDS: [&str; 13] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "inf",
    "nan",
    "offset",
    // MetricsQL's own.
    "default",
    "if",
    "ifnot",
    "keep_metric_names",
    "limit",
];

/// Words after which a list of labels stands in parentheses.
const LABEL_LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// `query` with each bare selector read over the last `step_secs` only: `x` becomes `last_over_time(x[60s])`.
///
/// Steps of 5 minutes and more need no guard: two moments never see the same sample.
pub(super) fn guard(query: &str, step_secs: u64) -> String {
    if step_secs >= 300 {
        return query.to_owned();
    }
    let outline = outline(query);
    if outline.is_broken {
        return query.to_owned();
    }
    let mut guarded = String::with_capacity(query.len() + 32);
    let mut done = 0;
    for selector in outline.selectors {
        if selector.reading != Reading::Bare {
            continue;
        }
        let name_end = selector.start + selector.text.len();
        guarded.push_str(&query[done..selector.start]);
        guarded.push_str(&format!("last_over_time({}[{step_secs}s]", selector.text));
        guarded.push_str(&query[name_end..selector.end]);
        guarded.push(')');
        done = selector.end;
    }
    guarded.push_str(&query[done..]);
    guarded
}

/// Finds selectors and grouping in `query`. MetricsQL's `WITH (name = …)` gives names of its own, so nothing is found there.
pub(super) fn outline(query: &str) -> Outline {
    let first: String = query
        .trim_start()
        .chars()
        .take_while(|c| is_name(*c))
        .collect();
    if first.eq_ignore_ascii_case("with") {
        return Outline::default();
    }
    let mut scan = Scan {
        text: query,
        at: 0,
        calls: Vec::new(),
        outline: Outline::default(),
    };
    while scan.next() {}
    scan.outline.is_broken |= !scan.calls.is_empty();
    scan.outline
}

struct Scan<'q> {
    text: &'q str,
    at: usize,
    /// The word before each open parenthesis, empty where there was none.
    calls: Vec<&'q str>,
    outline: Outline,
}

impl<'q> Scan<'q> {
    fn rest(&self) -> &'q str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips white space and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// Takes as many characters as fulfil `wanted`.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'q str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// One token, or one selector with all that belongs to it.
    fn next(&mut self) -> bool {
        self.blank();
        let Some(first) = self.peek() else {
            return false;
        };
        match first {
            '"' | '\'' | '`' => self.string(),
            '{' => self.selector(None, self.at),
            '(' => {
                self.calls.push("");
                self.at += 1;
            }
            ')' => {
                self.outline.is_broken |= self.calls.pop().is_none();
                self.at += 1;
            }
            ']' | '}' => {
                self.outline.is_broken = true;
                self.at += 1;
            }
            '[' => self.brackets(),
            '@' => self.modifier_at(),
            c if c.is_ascii_digit() || c == '.' => self.number(),
            c if is_name_start(c) => self.word(),
            other => self.at += other.len_utf8(),
        }
        true
    }

    fn number(&mut self) {
        self.take(|c| c.is_alphanumeric() || c == '.' || c == '_');
    }

    /// A string in any of the three quotes; an open one reaches to the end.
    fn string(&mut self) {
        let Some(quote) = self.peek() else {
            return;
        };
        let mut escaped = false;
        for (index, c) in self.rest().char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if c == '\\' && quote != '`' {
                escaped = true;
            } else if c == quote {
                self.at += index + quote.len_utf8();
                return;
            }
        }
        self.at = self.text.len();
        self.outline.is_broken = true;
    }

    /// From an opening sign to its closing one; strings between count as strings.
    fn group(&mut self, close: char) {
        self.at += 1;
        while let Some(c) = self.peek() {
            match c {
                '"' | '\'' | '`' => self.string(),
                c => self.at += c.len_utf8(),
            }
            if c == close {
                return;
            }
        }
        self.outline.is_broken = true;
    }

    /// `[…]` after something that is no selector: a subquery.
    fn brackets(&mut self) {
        self.group(']');
    }

    fn word(&mut self) {
        let start = self.at;
        let word = self.take(is_name);
        let small = word.to_ascii_lowercase();
        let small = small.as_str();
        self.blank();
        let next = self.peek();
        if LABEL_LISTS.contains(&small) {
            self.outline.groups |= ["by", "without"].contains(&small);
            if next == Some('(') {
                self.group(')');
            }
        } else if AGGREGATORS.contains(&small) && next != Some('{') && next != Some('[') {
            self.outline.adds_up |= ["sum", "count"].contains(&small);
            if next == Some('(') {
                self.calls.push(word);
                self.at += 1;
            }
        } else if next == Some('(') {
            self.calls.push(word);
            self.at += 1;
        } else if small == "offset" {
            self.duration();
        } else if !WORDS.contains(&small) {
            self.selector(Some(word), start);
        }
    }

    fn duration(&mut self) {
        self.blank();
        self.take(|c| c == '-' || c == '+');
        self.blank();
        self.number();
    }

    /// `@ 1234`, `@ start()`, `@ end()`.
    fn modifier_at(&mut self) {
        self.at += 1;
        self.blank();
        if !self.peek().is_some_and(is_name_start) {
            return self.duration();
        }
        self.take(is_name);
        self.blank();
        if self.peek() == Some('(') {
            self.group(')');
        }
    }

    /// The rest of a selector whose name, if any, was just taken.
    fn selector(&mut self, name: Option<&str>, start: usize) {
        let mut end = start + name.map_or(0, str::len);
        if self.peek() == Some('{') {
            self.group('}');
            end = self.at;
        }
        let text = self.text[start..end].to_owned();
        self.blank();
        let reading = if self.peek() == Some('[') {
            let open = self.at;
            self.group(']');
            end = self.at;
            let inside = &self.text[open..self.at];
            let inside = inside.trim_matches(|c| c == '[' || c == ']').trim();
            match inside.contains(':') {
                true => Reading::Subquery,
                false => Reading::Range(millis(inside)),
            }
        } else if self.calls.last().is_some_and(|call| wants_more(call)) {
            Reading::BareAsMeant
        } else {
            Reading::Bare
        };
        self.blank();
        while self.modifier() {
            end = self.at;
            self.blank();
        }
        self.outline.selectors.push(Selector {
            name: name.map(str::to_owned),
            text,
            start,
            end,
            reading,
            is_over_time: self
                .calls
                .last()
                .is_some_and(|call| call.ends_with("_over_time")),
        });
    }

    /// Takes one `offset` or `@`, if one comes next.
    fn modifier(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with('@') {
            self.modifier_at();
            return true;
        }
        let word: String = rest.chars().take_while(|c| is_name(*c)).collect();
        if !word.eq_ignore_ascii_case("offset") {
            return false;
        }
        self.at += word.len();
        self.duration();
        true
    }
}

pub(super) fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Functions whose argument must stay a bare selector: those that look at the sample's own time or absence, and those that
/// need a range, which MetricsQL adds by itself.
fn wants_more(function: &str) -> bool {
    let function = function.to_ascii_lowercase();
    function.ends_with("_over_time")
        || function.starts_with("rollup")
        || [
            "timestamp",
            "absent",
            "rate",
            "irate",
            "increase",
            "increase_pure",
            "delta",
            "idelta",
            "deriv",
            "changes",
            "resets",
            "predict_linear",
            "holt_winters",
            "double_exponential_smoothing",
            "info",
        ]
        .contains(&function.as_str())
}

/// A duration of PromQL in milliseconds: `1h30m`, `90s`, or seconds without a unit.
fn millis(duration: &str) -> Option<u64> {
    if let Ok(secs) = duration.parse::<u64>() {
        return secs.checked_mul(1000);
    }
    let mut total: u64 = 0;
    let mut rest = duration;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (total > 0).then_some(total)
}
