//! A page that says why there is nothing to show.

use askama::Template;

use super::list::PageError;
use super::style::Frame;

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    /// What is so, in a few words.
    pub title: String,
    /// What follows from it, and what to do.
    pub sentences: Vec<String>,
    /// What went wrong, one by one.
    pub failures: Vec<NoticeFailure>,
    /// Whether it is worth asking again.
    pub passing: bool,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeFailure {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The query that it happened to.
    pub query: Option<String>,
}

#[derive(Template)]
#[template(path = "notice.html", config = "src/ui/askama.toml")]
struct Page<'a> {
    frame: Frame,
    title: &'a str,
    sentences: &'a [String],
    failures: &'a [NoticeFailure],
}

impl Notice {
    /// A notice of title and one sentence.
    #[must_use]
    pub fn new(title: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            sentences: vec![sentence.into()],
            ..Self::default()
        }
    }

    /// The notice as a page.
    ///
    /// # Errors
    /// A template that cannot be filled; none is known.
    pub fn html(&self, now_ms: i64) -> Result<String, PageError> {
        let page = Page {
            frame: Frame {
                refresh: self.passing,
                ..Frame::new(format!("Coalmine, {}", self.title), now_ms)
            },
            title: &self.title,
            sentences: &self.sentences,
            failures: &self.failures,
        };
        page.render().map_err(PageError)
    }

    /// The notice as plain text, one line for each thing.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![self.title.clone()];
        lines.extend(self.sentences.iter().cloned());
        for failure in &self.failures {
            lines.push(format!("- {}", failure.message));
            lines.extend(
                failure
                    .query
                    .iter()
                    .map(|query| format!("  query: {query}")),
            );
            lines.extend(failure.hint.iter().map(|hint| format!("  hint: {hint}")));
        }
        lines.join("\n") + "\n"
    }
}
