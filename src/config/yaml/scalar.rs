//! Scalars of YAML: the core schema and its tags.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Number;

use crate::config::json::{finite, not_finite};
use crate::config::node::{Value, shorten};
use crate::config::path::Path;
use crate::config::problems::{Position, Problem};

/// Where `!!` points to.
const CORE: &str = "tag:yaml.org,2002:";

/// Refuses every tag but the core schema's own for `kind`.
pub(super) fn check_tag(tag: Option<&Tag>, kind: &str, position: Position) -> Result<(), Problem> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.handle == CORE && tag.suffix == kind => Ok(()),
        Some(tag) => Err(unknown_tag(tag, position)),
    }
}

fn unknown_tag(tag: &Tag, position: Position) -> Problem {
    let name = match tag.handle.as_str() {
        CORE => format!("!!{}", tag.suffix),
        handle => format!("{handle}{}", tag.suffix),
    };
    Problem::new(Path::root(), format!("tag `{}`", shorten(&name, 60)), "")
        .at(position)
        .hint("remove the tag; a config holds plain values")
}

/// What a scalar stands for: its text, unless it is plain or tagged otherwise.
pub(super) fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    position: Position,
) -> Result<Value, Problem> {
    let as_text = || Value::Text(text.to_owned());
    match tag {
        None if style == ScalarStyle::Plain => plain(text, position),
        None => Ok(as_text()),
        Some(tag) if tag.handle == CORE && tag.suffix == "str" => Ok(as_text()),
        Some(tag)
            if tag.handle == CORE
                && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null") =>
        {
            plain(text, position)
        }
        Some(tag) => Err(unknown_tag(tag, position)),
    }
}

/// Resolves a plain scalar by the core schema of YAML 1.2.2, section 10.3.2.
fn plain(text: &str, position: Position) -> Result<Value, Problem> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.starts_with(['+', '-'])
            && let Ok(number) = u64::from_str_radix(digits, radix)
        {
            return Ok(Value::Number(Number::from(number)));
        }
    }
    if is_number(text) {
        let bare = text.strip_prefix('+').unwrap_or(text);
        return match finite(bare) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(not_finite(text, Path::root()).at(position)),
        };
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(not_finite(text, Path::root()).at(position));
    }
    Ok(Value::Text(text.to_owned()))
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_holds = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent_holds
}
