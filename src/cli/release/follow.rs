//! Follows a release: as a screen that changes, as one line for each change, or silently; through lost connections and restarts
//! of the service.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Trouble};
use super::screen::Screen;
use super::{journal, json, report_file, style};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::ui::release::line::Log;
use crate::ui::release::status::{ReleaseState, ReleaseStatus};
use crate::ui::release::{At, text};

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
/// How often what is left of a journal is asked for at the end.
const LAST_READS: u32 = 5;

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// A screen that changes.
    Screen,
    /// One line for each event of its journal.
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
    /// What was written of the journal; `None` before it is known which release it is.
    log: Option<Log>,
    /// Where reports are written, where the engine is our own: nobody else can ask it for one.
    data_dir: Option<PathBuf>,
    /// The page of the report that was written there, and its file.
    written: Option<(String, String)>,
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
            log: None,
            data_dir: None,
            written: None,
        })
    }

    /// Also ends with an engine of our own, and keeps its reports in the data folder.
    pub(super) fn beside(mut self, ended: &CancellationToken, data_dir: PathBuf) -> Self {
        self.ends.engine = Some(ended.clone());
        self.data_dir = Some(data_dir);
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
                Ok(mut status) => {
                    if told_away {
                        console.note("the service answers again");
                    }
                    (pause, told_away) = (FIRST_PAUSE, false);
                    self.id.clone_from(&status.id);
                    self.keep_report(&mut status, console).await;
                    self.tell(&status, console).await?;
                    let over = status.state.is_over();
                    self.last = Some(status.clone());
                    let is_left = self.leaves_stuck && status.state == ReleaseState::Stuck;
                    if over || is_left {
                        self.tell_the_rest(status.last_event, console).await?;
                        let status = Box::new(status);
                        return Ok(if over {
                            Left::Over(status)
                        } else {
                            Left::Stuck(status)
                        });
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

    /// Has the report of an engine of our own as a file, and names that.
    async fn keep_report(&mut self, status: &mut ReleaseStatus, console: &mut Console) {
        let (Some(folder), Some(page)) = (&self.data_dir, status.report.clone()) else {
            return;
        };
        if let Some((_, file)) = self.written.as_ref().filter(|(of, _)| *of == page) {
            status.report = Some(file.clone());
            return;
        }
        match report_file::put(status, self.client, folder).await {
            Ok(()) => {
                let file = status.report.clone().unwrap_or_default();
                self.written = Some((page, file));
            }
            // The release does not depend on it.
            Err(failure) => {
                console.fail(&failure);
                self.written = Some((page, String::new()));
            }
        }
    }

    /// Writes what the journal has up to event `last`; what cannot be read now is written the next time.
    async fn tell_journal(&mut self, last: u64, console: &mut Console) -> Result<bool, Failure> {
        let log = self.log.get_or_insert_with(|| Log::new(&self.id));
        let told = journal::read(self.client, &self.id, log.last(), last).await;
        for told in told.unwrap_or_default() {
            let line = log.tell(&told);
            if let Some(line) = line {
                console.print(&format!("{line}\n"))?;
            }
        }
        Ok(log.last() >= last)
    }

    /// Leaves no line out that belongs into a log.
    async fn tell_the_rest(&mut self, last: u64, console: &mut Console) -> Result<(), Failure> {
        if self.show != Show::Lines {
            return Ok(());
        }
        let mut pause = FIRST_PAUSE;
        for _ in 0..LAST_READS {
            if self.tell_journal(last, console).await? {
                return Ok(());
            }
            sleep(pause).await;
            pause *= 2;
        }
        console.note("the journal could not be read to its end: lines are missing");
        Ok(())
    }

    async fn tell(&mut self, status: &ReleaseStatus, console: &mut Console) -> Result<(), Failure> {
        match self.show {
            Show::Screen => self.draw(status, console),
            Show::Lines => self
                .tell_journal(status.last_event, console)
                .await
                .map(drop),
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
