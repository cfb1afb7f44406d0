//! Reading of expressions.

use thiserror::Error;

use super::{Aggregate, Expression, Matcher, Range, Selector};

/// Text that asks for something else.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("found `{found}` at character {at}; expected {expected}")]
pub struct Unreadable {
    /// What stands there, shortened.
    pub found: String,
    /// Where, from 1.
    pub at: usize,
    /// What should stand there.
    pub expected: String,
}

impl Unreadable {
    /// What can be asked.
    pub const HINT: &'static str = "a scrape understands `avg(name{label=\"value\"})`, `avg(rate(name[1m]))`, `sum` in place of `avg`, and `histogram_quantile(0.99, sum by (le) (rate(name_bucket[1m])))`";
}

/// Reads an expression.
///
/// # Errors
/// The first place where it is none of those above.
pub fn parse(text: &str) -> Result<Expression, Unreadable> {
    let mut cursor = Cursor { text, rest: text };
    let expression = cursor.expression()?;
    cursor.blanks();
    if cursor.rest.is_empty() {
        Ok(expression)
    } else {
        cursor.wrong("the end")
    }
}

struct Cursor<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn wrong<T>(&self, expected: impl Into<String>) -> Result<T, Unreadable> {
        let before = self.text.len() - self.rest.len();
        let mut found: String = self.rest.chars().take(30).collect();
        if found.is_empty() {
            found.push_str("the end");
        }
        Err(Unreadable {
            found,
            at: self.text[..before].chars().count() + 1,
            expected: expected.into(),
        })
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, token: &str) -> Result<(), Unreadable> {
        if self.eat(token) {
            Ok(())
        } else {
            self.wrong(format!("`{token}`"))
        }
    }

    fn word(&mut self) -> &'t str {
        self.blanks();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '.'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// The word that comes next; nothing is taken.
    fn next_word(&self) -> &'t str {
        Cursor {
            text: self.text,
            rest: self.rest,
        }
        .word()
    }

    fn expression(&mut self) -> Result<Expression, Unreadable> {
        let aggregate = match self.next_word() {
            "avg" => Aggregate::Avg,
            "sum" => Aggregate::Sum,
            "histogram_quantile" => return self.quantile(),
            _ => return self.wrong("`avg`, `sum` or `histogram_quantile`"),
        };
        self.word();
        self.need("(")?;
        let expression = if self.next_word() == "rate" {
            let (selector, range) = self.rate()?;
            Expression::Rate(aggregate, selector, range)
        } else {
            Expression::Gauge(aggregate, self.selector()?)
        };
        self.need(")")?;
        Ok(expression)
    }

    fn quantile(&mut self) -> Result<Expression, Unreadable> {
        self.word();
        self.need("(")?;
        self.blanks();
        let before = self.rest;
        let quantile = match self.word().parse::<f64>() {
            Ok(quantile) if (0.0..=1.0).contains(&quantile) => quantile,
            Ok(_) | Err(_) => {
                self.rest = before;
                return self.wrong("a number of 0 to 1");
            }
        };
        self.need(",")?;
        self.need("sum")?;
        let by_first = self.next_word() == "by";
        if by_first {
            self.by_le()?;
        }
        self.need("(")?;
        let (selector, range) = self.rate()?;
        self.need(")")?;
        if !by_first {
            self.by_le()?;
        }
        self.need(")")?;
        Ok(Expression::Quantile(quantile, selector, range))
    }

    fn by_le(&mut self) -> Result<(), Unreadable> {
        for token in ["by", "(", "le", ")"] {
            self.need(token)?;
        }
        Ok(())
    }

    fn rate(&mut self) -> Result<(Selector, Range), Unreadable> {
        self.need("rate")?;
        self.need("(")?;
        let selector = self.selector()?;
        self.need("[")?;
        let range = self.duration()?;
        self.need("]")?;
        self.need(")")?;
        Ok((selector, range))
    }

    fn selector(&mut self) -> Result<Selector, Unreadable> {
        self.blanks();
        let digit = self.rest.starts_with(|c: char| c.is_ascii_digit());
        let name = if digit { "" } else { self.word() };
        if name.is_empty() || name.contains('.') {
            return self.wrong("the name of a metric");
        }
        let mut matchers = Vec::new();
        if self.eat("{") {
            while !self.eat("}") {
                matchers.push(self.matcher()?);
                if !self.eat(",") {
                    self.need("}")?;
                    break;
                }
            }
        }
        Ok(Selector {
            name: name.to_owned(),
            matchers,
        })
    }

    fn matcher(&mut self) -> Result<Matcher, Unreadable> {
        let label = self.word().to_owned();
        if label.is_empty() {
            return self.wrong("a label");
        }
        self.blanks();
        if self.rest.starts_with("=~") || self.rest.starts_with("!~") {
            return self.wrong("`=` or `!=`, because a scrape knows no patterns");
        }
        let equal = if self.eat("!=") {
            false
        } else {
            self.need("=")?;
            true
        };
        let value = self.text()?;
        Ok(Matcher {
            label,
            equal,
            value,
        })
    }

    fn text(&mut self) -> Result<String, Unreadable> {
        self.blanks();
        let Some(quote) = self.rest.chars().next().filter(|c| ['"', '\''].contains(c)) else {
            return self.wrong("a text in quotes");
        };
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, escaped @ ('"' | '\'' | '\\'))) => text.push(escaped),
                    Some(_) | None => return self.wrong("a text without unknown escapes"),
                },
                end if end == quote => {
                    self.rest = &self.rest[at + 2..];
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        self.wrong("a text that ends in a quote")
    }

    /// Whole numbers with units: `90s`, `1m30s`.
    fn duration(&mut self) -> Result<Range, Unreadable> {
        self.blanks();
        let before = self.rest;
        let word = self.word();
        match milliseconds(word) {
            Some(range) if range > 0 => Ok(range),
            Some(_) | None => {
                self.rest = before;
                self.wrong("a time like `30s` or `5m`")
            }
        }
    }
}

fn milliseconds(mut text: &str) -> Option<u64> {
    let mut sum = 0_u64;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..digits].parse().ok()?;
        text = &text[digits..];
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| text.starts_with(unit))?;
        text = &text[unit.len()..];
        sum = sum.checked_add(number.checked_mul(factor)?)?;
    }
    (sum < 1 << 40).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads to the canonical text, which reads back to the same.
    fn check(text: &str, expect: &str) {
        let read = parse(text).map(|read| read.to_string());
        assert_eq!(read.as_deref(), Ok(expect), "`{text}`");
        assert_eq!(
            parse(expect).map(|read| read.to_string()).as_deref(),
            Ok(expect)
        );
    }

    fn refuse(text: &str, expect: &str) {
        let error = parse(text).map_err(|error| error.to_string());
        assert_eq!(
            error.map(|read| read.to_string()),
            Err(expect.to_owned()),
            "`{text}`"
        );
    }

    #[test]
    fn all_forms_are_read() {
        check("avg(up)", "avg(up)");
        check(
            " sum ( up { job = 'api' , code != \"5\\\"00\", } ) ",
            r#"sum(up{job="api",code!="5\"00"})"#,
        );
        check("avg(rate(x_total[1m30s]))", "avg(rate(x_total[90000ms]))");
        check(
            "histogram_quantile(0.99, sum by (le) (rate(d_bucket{a=\"b\"}[5m])))",
            "histogram_quantile(0.99, sum by (le) (rate(d_bucket{a=\"b\"}[300000ms])))",
        );
        check(
            "histogram_quantile(1,sum(rate(d_bucket[1h])) by(le))",
            "histogram_quantile(1, sum by (le) (rate(d_bucket[3600000ms])))",
        );
    }

    #[test]
    fn what_a_scrape_cannot_say_is_refused() {
        refuse(
            "up",
            "found `up` at character 1; expected `avg`, `sum` or `histogram_quantile`",
        );
        refuse(
            "avg(up) > 1",
            "found `> 1` at character 9; expected the end",
        );
        refuse(
            "avg(up{a=~\"b\"})",
            "found `=~\"b\"})` at character 9; expected `=` or `!=`, because a scrape knows no patterns",
        );
        refuse(
            "avg(rate(up[0s]))",
            "found `0s]))` at character 13; expected a time like `30s` or `5m`",
        );
        refuse(
            "avg(",
            "found `the end` at character 5; expected the name of a metric",
        );
        refuse(
            "histogram_quantile(2, sum(rate(x[1m])) by (le))",
            "found `2, sum(rate(x[1m])) by (le))` at character 20; expected a number of 0 to 1",
        );
        refuse(
            "avg(up{a=\"b)",
            "found `\"b)` at character 10; expected a text that ends in a quote",
        );
    }
}
