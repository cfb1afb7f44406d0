//! What is said while series are fetched: a line that is redrawn on a terminal, a line now and then elsewhere.

use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use crate::analysis::collect::{Heard, Listener};
use crate::model::clean::clean;

/// Work shorter than this says nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const REDRAW: Duration = Duration::from_millis(100);
/// Lines of a log.
const REPEAT: Duration = Duration::from_secs(30);
/// As drawn in the design.
const BAR: usize = 31;
/// A shorter one says nothing.
const LEAST_BAR: usize = 5;

/// Says how reading goes on until it is dropped. On a terminal nothing is left of it.
pub(super) struct Reading {
    state: Arc<Mutex<State>>,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Clone, Default)]
struct State {
    account: String,
    done: usize,
    of: usize,
    trouble: Option<String>,
}

impl State {
    fn words(&self) -> String {
        let noun = if self.of == 1 { "metric" } else { "metrics" };
        format!(
            "Reading {} of {} {noun} from {}",
            self.done, self.of, self.account
        )
    }

    fn troubled(&self) -> String {
        match &self.trouble {
            Some(trouble) => format!("{}, asking again: {trouble}", self.words()),
            None => self.words(),
        }
    }
}

impl Reading {
    /// Begins to read `metrics` metrics from `account`.
    pub(super) fn start(console: &Console, account: &str, metrics: usize) -> Self {
        let state = Arc::new(Mutex::new(State {
            account: clean(account),
            of: metrics,
            ..State::default()
        }));
        if console.quiet() {
            return Self {
                state,
                drawing: None,
            };
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let (shared, redraws, ascii) = (
            Arc::clone(&state),
            console.shows_progress(),
            console.ascii(),
        );
        let drawing = thread::spawn(move || {
            let goes_on = |wait| stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
            if !goes_on(PATIENCE) {
                return;
            }
            if redraws {
                draw(&shared, ascii, &goes_on);
            } else {
                log(&shared, &goes_on);
            }
        });
        Self {
            state,
            drawing: Some((stop, drawing)),
        }
    }

    /// Whom the collector tells.
    pub(super) fn listener(&self) -> Listener {
        let state = Arc::clone(&self.state);
        Listener::new(move |heard| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match heard {
                Heard::Metrics { done, of } => {
                    (state.done, state.of) = (*done, *of);
                    state.trouble = None;
                }
                Heard::AskedAgain { error, pause: _ } => {
                    // The account is named already.
                    let about = format!("account `{}`: ", state.account);
                    let message = clean(&error.message);
                    let short = message.strip_prefix(&about).unwrap_or(&message);
                    state.trouble = Some(short.to_owned());
                }
            }
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some((stop, drawing)) = self.drawing.take() {
            drop(stop);
            // A thread that panicked has drawn its last line; there is nothing to add.
            let _ = drawing.join();
        }
    }
}

fn now(state: &Mutex<State>) -> State {
    state.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn draw(state: &Mutex<State>, ascii: bool, goes_on: &dyn Fn(Duration) -> bool) {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
    let template = |template: &str| ProgressStyle::with_template(template).ok();
    let chars = if ascii { "==-" } else { "━━─" };
    let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0);
    // The words, the time, and blanks around; a line that breaks is redrawn badly.
    let taken = now(state).words().chars().count() + 16;
    let length = usize::from(width).saturating_sub(taken).min(BAR);
    let smooth = match length {
        0..LEAST_BAR => template("  {wide_msg}  {prefix}"),
        length => template(&format!("  {{msg}}  {{bar:{length}}}  {{prefix}}")),
    };
    let smooth = smooth.map(|style| style.progress_chars(chars));
    let rough = template("  {wide_msg}  {prefix}");
    let since = Instant::now();
    while goes_on(REDRAW) {
        let state = now(state);
        let style = if state.trouble.is_some() {
            &rough
        } else {
            &smooth
        };
        if let Some(style) = style {
            bar.set_style(style.clone());
        }
        bar.set_length(state.of as u64);
        bar.set_position(state.done as u64);
        bar.set_message(state.troubled());
        bar.set_prefix(format!("{} s", (since.elapsed() + PATIENCE).as_secs()));
        bar.tick();
    }
    bar.finish_and_clear();
}

/// Standard error that is gone has nobody left to tell.
fn log(state: &Mutex<State>, goes_on: &dyn Fn(Duration) -> bool) {
    let since = Instant::now();
    let say = |state: &State| {
        let seconds = (since.elapsed() + PATIENCE).as_secs();
        let _ = writeln!(io::stderr(), "{}, {seconds} s", state.troubled());
    };
    let first = now(state);
    say(&first);
    let (mut said, mut troubled) = (Instant::now(), first.trouble.is_some());
    while goes_on(REDRAW) {
        let state = now(state);
        // The first trouble is told at once, so that nobody waits without knowing why.
        let news = state.trouble.is_some() && !troubled;
        if news || said.elapsed() >= REPEAT {
            troubled |= state.trouble.is_some();
            said = Instant::now();
            say(&state);
        }
    }
}
