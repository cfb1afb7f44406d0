//! A line on standard error that says what takes so long.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const REDRAW: Duration = Duration::from_millis(100);

/// A spinner that appears after a second and is gone without a trace when it is dropped.
pub(super) struct Progress {
    line: Option<Line>,
}

struct Line {
    bar: ProgressBar,
    stop: Sender<()>,
    drawing: JoinHandle<()>,
}

impl Progress {
    /// Starts waiting; `shown` is whether a line may be drawn at all.
    pub(super) fn start(shown: bool, doing: impl Into<String>) -> Self {
        if !shown {
            return Self { line: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(doing.into());
        let (stop, stopped) = mpsc::channel();
        let drawn = bar.clone();
        let drawing = thread::spawn(move || {
            let goes_on = |wait| stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
            if !goes_on(PATIENCE) {
                return;
            }
            drawn.set_draw_target(ProgressDrawTarget::stderr());
            while goes_on(REDRAW) {
                drawn.tick();
            }
            drawn.finish_and_clear();
        });
        Self {
            line: Some(Line { bar, stop, drawing }),
        }
    }

    /// Says what is done now.
    pub(super) fn doing(&self, doing: impl Into<String>) {
        if let Some(line) = &self.line {
            line.bar.set_message(doing.into());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Line { stop, drawing, .. }) = self.line.take() {
            drop(stop);
            // A thread that panicked has drawn its last line; there is nothing to add.
            let _ = drawing.join();
        }
    }
}
