//! Follows a release: as a screen that changes, as one line for each change, or silently; through lost connections and restarts
//! of the service.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Trouble};
use super::screen::Screen;
use super::{json, style};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::ui::release::status::{ReleaseState, ReleaseStatus};
use crate::ui::release::{At, line, text};

/// Never asked more often than this, however much happens.
const LEAST: Duration = Duration::from_millis(200);
/// How often traffic and instances are looked at, which no event tells of.
const LIVE: Duration = Duration::from_secs(2);
/// The same where nobody watches a screen.
const QUIET: Duration = Duration::from_secs(10);
/// A clock on a screen goes on every second.
const TICK: Duration = Duration::from_secs(1);
/// Pauses after a lost connection: doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// A screen that changes.
    Screen,
    /// One line for each change.
    Lines,
    /// One line of JSON for each change.
    Json,
    /// Not at all.
    Nothing,
}

impl Show {
    /// A screen on a terminal, else lines.
    pub(super) fn fitting(console: &Console) -> Self {
        if console.quiet() {
            Self::Nothing
        } else if io::stdout().is_terminal() {
            Self::Screen
        } else {
            Self::Lines
        }
    }
}

/// Why it is not followed any more.
pub(super) enum Left {
    /// Nothing more will happen.
    Over(Box<ReleaseStatus>),
    /// The time is over.
    TimeOver,
    /// Somebody pressed Ctrl-C, or the process is to end.
    Interrupted,
    /// It cannot go on without a person, and nobody is there who would be shown that.
    Stuck(Box<ReleaseStatus>),
    /// The engine of our own ended, and nobody goes on with the release.
    EngineEnded,
}

/// Follows one release.
pub(super) struct Follower<'a> {
    client: &'a Client,
    flags: &'a str,
    id: String,
    show: Show,
    screen: Screen,
    last: Option<ReleaseStatus>,
    ends: Ends,
    leaves_stuck: bool,
    news: Option<News>,
}

/// What ends the following, whatever the release does.
struct Ends {
    deadline: Option<Instant>,
    interrupt: Signal,
    terminate: Signal,
    engine: Option<CancellationToken>,
}

impl Ends {
    async fn next(&mut self) -> Left {
        let time = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let engine = async {
            match &self.engine {
                Some(engine) => engine.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Left::Interrupted,
            _ = self.terminate.recv() => Left::Interrupted,
            () = engine => Left::EngineEnded,
            () = time => Left::TimeOver,
        }
    }
}

/// A task that hears of events.
struct News {
    heard: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for News {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        client: &'a Client,
        flags: &'a str,
        id: &str,
        show: Show,
        timeout: Option<Duration>,
    ) -> Result<Self, Failure> {
        let no_signals = |error| Failure::new(format!("cannot listen for signals: {error}"));
        Ok(Self {
            client,
            flags,
            id: id.to_owned(),
            show,
            screen: Screen::default(),
            last: None,
            ends: Ends {
                deadline: timeout.map(|it| Instant::now() + it),
                interrupt: signal(SignalKind::interrupt()).map_err(no_signals)?,
                terminate: signal(SignalKind::terminate()).map_err(no_signals)?,
                engine: None,
            },
            // Who watches a screen sees it, and can do something about it elsewhere.
            leaves_stuck: show != Show::Screen,
            news: None,
        })
    }

    /// Also ends with an engine of our own.
    pub(super) fn beside(mut self, ended: &CancellationToken) -> Self {
        self.ends.engine = Some(ended.clone());
        self
    }

    /// Whether it is left when it is stuck; by default where nobody watches a screen.
    pub(super) fn leaves_stuck(mut self, leaves: bool) -> Self {
        self.leaves_stuck = leaves;
        self
    }

    /// From now on there is time.
    pub(super) fn take_your_time(&mut self) {
        self.ends.deadline = None;
    }

    /// The last status that was seen.
    pub(super) fn last(&self) -> Option<&ReleaseStatus> {
        self.last.as_ref()
    }

    /// Follows until something ends it; may be called again after that.
    pub(super) async fn follow(&mut self, console: &mut Console) -> Result<Left, Failure> {
        let left = self.go_on(console).await;
        // Whatever ended it, the terminal is given back.
        let ended = self.screen.end(console);
        let left = left?;
        ended?;
        Ok(left)
    }

    async fn go_on(&mut self, console: &mut Console) -> Result<Left, Failure> {
        let mut pause = FIRST_PAUSE;
        let mut told_away = false;
        loop {
            let asked = Instant::now();
            let path = format!("/releases/{}", self.id);
            let answer = tokio::select! {
                answer = self.client.get::<ReleaseStatus>(&path) => answer,
                left = self.ends.next() => return Ok(left),
            };
            match answer {
                Ok(status) => {
                    if told_away {
                        console.note("the service answers again");
                    }
                    (pause, told_away) = (FIRST_PAUSE, false);
                    self.id.clone_from(&status.id);
                    self.tell(&status, console)?;
                    let over = status.state.is_over();
                    self.last = Some(status.clone());
                    if over {
                        return Ok(Left::Over(Box::new(status)));
                    }
                    if self.leaves_stuck && status.state == ReleaseState::Stuck {
                        return Ok(Left::Stuck(Box::new(status)));
                    }
                    self.listen(status.last_event);
                    if let Some(left) = self.wait(status, asked, console).await? {
                        return Ok(left);
                    }
                }
                Err(Trouble::Away(why) | Trouble::Nobody(why)) => {
                    if !told_away {
                        let base = self.client.base();
                        console.note(&format!(
                            "no answer from `{base}`: {why}; asking again until there is one"
                        ));
                        told_away = true;
                    }
                    self.news = None;
                    tokio::select! {
                        () = sleep(pause) => {}
                        left = self.ends.next() => return Ok(left),
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(trouble) => return Err(trouble.told(self.client)),
            }
        }
    }

    /// Waits until it is worth asking again; meanwhile the clock on a screen goes on.
    async fn wait(
        &mut self,
        status: ReleaseStatus,
        asked: Instant,
        console: &mut Console,
    ) -> Result<Option<Left>, Failure> {
        let every = match self.show {
            Show::Screen => LIVE,
            Show::Lines | Show::Json | Show::Nothing => QUIET,
        };
        let heard = self.news.as_ref().map(|news| Arc::clone(&news.heard));
        let again = asked + every;
        loop {
            let news = async {
                match &heard {
                    Some(heard) => {
                        heard.notified().await;
                        sleep_until(asked + LEAST).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = news => return Ok(None),
                () = sleep_until(again) => return Ok(None),
                () = sleep(TICK), if self.show == Show::Screen => {
                    let mut later = status.clone();
                    let passed = i64::try_from(asked.elapsed().as_millis()).unwrap_or(0);
                    later.now = At(status.now.0.saturating_add(passed));
                    self.draw(&later, console)?;
                }
                left = self.ends.next() => return Ok(Some(left)),
            }
        }
    }

    fn draw(&mut self, status: &ReleaseStatus, console: &mut Console) -> Result<(), Failure> {
        let style = style(console, self.client, self.flags);
        self.screen.show(&text::write(status, &style), console)
    }

    fn tell(&mut self, status: &ReleaseStatus, console: &mut Console) -> Result<(), Failure> {
        match self.show {
            Show::Screen => self.draw(status, console),
            Show::Lines => {
                let lines = line::lines(self.last.as_ref(), status);
                lines
                    .iter()
                    .try_for_each(|line| console.print(&format!("{line}\n")))
            }
            Show::Json => {
                let changed = self.last.as_ref().is_none_or(|last| {
                    last.last_event != status.last_event || last.state != status.state
                });
                if !changed {
                    return Ok(());
                }
                let text = serde_json::to_string(status)
                    .map_err(|error| Failure::new(format!("cannot write the status: {error}")))?;
                console.print(&format!("{text}\n"))
            }
            Show::Nothing => Ok(()),
        }
    }

    /// Hears of events after number `last`, unless it does already.
    fn listen(&mut self, last: u64) {
        if self.news.as_ref().is_some_and(|it| !it.task.is_finished()) {
            return;
        }
        let heard = Arc::new(Notify::new());
        let (client, id, notify) = (self.client.clone(), self.id.clone(), Arc::clone(&heard));
        let task = tokio::spawn(async move {
            let Ok(mut response) = client.events(&id, last).await else {
                // It is asked regularly all the same.
                sleep(LONGEST_PAUSE).await;
                return;
            };
            while let Ok(Some(chunk)) = response.chunk().await {
                // A heartbeat is a comment; everything else is an event.
                if !chunk.starts_with(b":") {
                    notify.notify_one();
                }
            }
            // The service ends the stream when it stops, or when all is told: then there is something to see.
            notify.notify_one();
            sleep(FIRST_PAUSE).await;
        });
        self.news = Some(News { heard, task });
    }
}

/// For the person who called, of a release that cannot go on by itself.
pub(super) fn stuck(status: &ReleaseStatus, flags: &str) -> Failure {
    let (id, headline) = (&status.short_id, &status.headline);
    let what = headline.text.strip_prefix("Stuck: ");
    let what = what.unwrap_or(&headline.text);
    Failure::new(format!("the release is stuck: {what}"))
        .hint(format!(
            "when its cause is mended, `coalmine release resume {id}{flags}` lets it try again; `coalmine release abort {id}{flags}` calls it off"
        ))
        .passing()
}

/// For the person who called, of an engine of our own that ended before the release.
pub(super) fn engine_ended() -> Failure {
    Failure::new("the engine of this command ended before the release was over")
        .hint("`coalmine serve` on the same data folder goes on with it")
        .passing()
}

/// How the program ends after a release that is over.
pub(super) fn exit(status: &ReleaseStatus) -> Exit {
    match status.outcome.as_ref().map(|it| it.exit_code) {
        Some(0) => Exit::Pass,
        Some(1) => Exit::Fail,
        Some(4) => Exit::OutOfReach,
        Some(5) => Exit::NotAllowed,
        // Could not tell; so is what a newer service says.
        Some(_) | None => Exit::Undecided,
    }
}

/// The last word on a release that is over, where it was not on a screen.
pub(super) fn last_word(
    status: &ReleaseStatus,
    show: Show,
    client: &Client,
    flags: &str,
    console: &mut Console,
) -> Result<(), Failure> {
    match show {
        Show::Screen | Show::Json | Show::Nothing => Ok(()),
        Show::Lines => {
            let style = style(console, client, flags);
            console.tell(&format!("\n{}", text::write(status, &style)))
        }
    }
}

/// The status as JSON.
pub(super) fn print_json(status: &ReleaseStatus, console: &mut Console) -> Result<(), Failure> {
    console.print(&json(status)?)
}
