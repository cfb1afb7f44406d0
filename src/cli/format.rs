//! The formats of a judgement as words of the command line.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::failure::Failure;
use crate::ui::report::{DrawError, Format};

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Text,
            Self::Html,
            Self::Json,
            Self::Markdown,
            Self::Junit,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, help) = match self {
            Self::Text => ("text", "For people, in a terminal or a log"),
            Self::Html => ("html", "One self-contained HTML file"),
            Self::Json => (
                "json",
                "Kayenta's `CanaryJudgeResult`, or our own judgement where another judge judged",
            ),
            Self::Markdown => ("markdown", "For a pull request"),
            Self::Junit => ("junit", "For a CI system"),
        };
        Some(PossibleValue::new(word).help(help))
    }
}

impl From<DrawError> for Failure {
    fn from(error: DrawError) -> Self {
        Self::new(error.to_string())
    }
}
