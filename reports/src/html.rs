//! The page.

use crate::format::Signs;
use crate::view::View;
use crate::{Report, ReportError};

/// Data larger than this, in bytes, stays out of the page.
pub const DATA_LIMIT: usize = 20 * 1024 * 1024;

pub(crate) fn write(report: &Report<'_>) -> Result<String, ReportError> {
    let view = View::new(report, Signs::PAGE);
    Ok(format!("{}", view.verdict.word))
}
