//! From a saved judgement to text in every format.

use std::io;
use std::path::Path;

use coalmine_judges::judges::netflix_aca;
pub use coalmine_reports::headline;
use coalmine_reports::{Context, DATA_LIMIT, Links, Report, SentQuery, TextStyle};
use thiserror::Error;

use crate::archive::bundle::{Bundle, Saved};
use crate::config::{Strictness, load};
use crate::model::kayenta::CanaryJudgeResult;

/// What a judgement can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, in a terminal or a log.
    #[default]
    Text,
    /// One self-contained HTML file.
    Html,
    /// Kayenta's `CanaryJudgeResult`, or our own judgement where another judge judged.
    Json,
    /// For a pull request.
    Markdown,
    /// For a CI system.
    Junit,
}

/// Why a judgement cannot be drawn.
#[derive(Debug, Error)]
pub enum DrawError {
    /// The template cannot be filled.
    #[error("cannot draw the report: {0}")]
    Html(String),
    /// The data cannot be written.
    #[error("cannot write the data of the report: {0}")]
    Data(io::Error),
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Json(serde_json::Error),
}

/// What reports show beside judgement and series.
#[must_use]
pub fn context(saved: &Saved) -> Context {
    let bundle = &saved.bundle;
    Context {
        application: saved.sides.application.clone(),
        baseline: saved.sides.baseline.clone(),
        canary: saved.sides.canary.clone(),
        origin: saved.origin.clone(),
        judged_at_ms: Some(saved.judged_at_ms),
        config_name: config_name(bundle),
        config_text: config_text(bundle),
        notes: saved.notes.clone(),
        queries: bundle
            .queries
            .iter()
            .map(|sent| SentQuery {
                baseline: sent.baseline.clone(),
                canary: sent.canary.clone(),
            })
            .collect(),
        bundle_id: Some(saved.bundle_id.clone()),
        data_json: None,
        version: saved.coalmine.clone(),
    }
}

fn config_name(bundle: &Bundle) -> Option<String> {
    let name = bundle.config.as_ref()?.get("name")?.as_str()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The config in the order in which people write it, where it can be read; else as it was kept.
fn config_text(bundle: &Bundle) -> String {
    let Some(config) = &bundle.config else {
        return String::new();
    };
    match load(&config.to_string(), Strictness::Lenient) {
        Ok(config) => config.to_json(),
        Err(_) => format!("{config:#}"),
    }
}

/// The HTML report, with the data inside.
///
/// # Errors
/// `Html`, `Data`.
pub fn html(saved: &Saved) -> Result<String, DrawError> {
    let context = Context {
        data_json: data(saved)?,
        ..context(saved)
    };
    coalmine_reports::html(&report(saved, &context))
        .map_err(|error| DrawError::Html(error.to_string()))
}

/// The data that the report offers; `None` where they are too large. Counted first: most of what is too large would fill
/// the memory ten times over.
fn data(saved: &Saved) -> Result<Option<String>, DrawError> {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            if self.0 > DATA_LIMIT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match saved.write(&mut counter) {
        Err(_) if counter.0 > DATA_LIMIT => return Ok(None),
        counted => counted.map_err(DrawError::Data)?,
    }
    let mut data = Vec::with_capacity(counter.0);
    saved.write(&mut data).map_err(DrawError::Data)?;
    Ok(String::from_utf8(data).ok())
}

/// Any of the formats; ends with a line break.
///
/// # Errors
/// All.
pub fn write(
    saved: &Saved,
    format: Format,
    style: &TextStyle,
    data_path: Option<String>,
) -> Result<String, DrawError> {
    let context = context(saved);
    let report = report(saved, &context);
    Ok(match format {
        Format::Text => coalmine_reports::text(&report, style),
        Format::Html => html(saved)?,
        Format::Json => json(saved)?,
        Format::Markdown => coalmine_reports::markdown(
            &report,
            &Links {
                report: style.report_path.clone().filter(|path| is_relative(path)),
                data: data_path.filter(|path| is_relative(path)),
            },
        ),
        Format::Junit => coalmine_reports::junit(&report),
    })
}

/// A link leads somewhere for other people, too, only where its path is relative; a whole one tells of the machine besides.
fn is_relative(path: &str) -> bool {
    Path::new(path).is_relative()
}

fn report<'a>(saved: &'a Saved, context: &'a Context) -> Report<'a> {
    Report {
        judgement: &saved.judgement,
        sets: &saved.bundle.sets,
        context,
    }
}

fn json(saved: &Saved) -> Result<String, DrawError> {
    let judgement = &saved.judgement;
    let written = if judgement.judge == netflix_aca::NAME {
        serde_json::to_string_pretty(&CanaryJudgeResult::from(judgement))
    } else {
        serde_json::to_string_pretty(judgement)
    };
    let mut text = written.map_err(DrawError::Json)?;
    text.push('\n');
    Ok(text)
}
