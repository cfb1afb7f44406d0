//! Shares of traffic as people write them: `5%`, `2.5%`, `0.25%`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::release::cluster::Share;

/// A share that was not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("examples" = ["5%"]))]
pub struct ShareText(#[schemars(regex(pattern = r"^[0-9]{1,3}(\.[0-9]{1,2})?%$"))] pub String);

/// What [`parse`] takes, for errors.
pub const EXPECTED: &str = "a share from `0%` to `100%`, such as `5%` or `2.5%`";

/// A number with up to two decimals and `%`, at most 100; `None` for any other text.
#[must_use]
pub fn parse(text: &str) -> Option<Share> {
    let digits = |part: &str, most: usize| {
        let fits = (1..=most).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
        fits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let number = text.strip_suffix('%')?;
    let (whole, part) = match number.split_once('.') {
        Some((whole, part)) => {
            let tenth = if part.len() == 1 { 10 } else { 1 };
            (whole, digits(part, 2)? * tenth)
        }
        None => (number, 0),
    };
    Share::new(digits(whole, 3)? * 100 + part)
}
