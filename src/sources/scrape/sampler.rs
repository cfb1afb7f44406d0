//! Reads the pages of a list of instances at equal distances, and keeps what is asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;

use super::evaluate::{Page, Point, Ring};
use super::exposition::{self, Sample};
use super::expression::Selector;
use crate::clock::Clock;

/// Largest page that is read, in bytes.
const MOST_PAGE_BYTES: usize = 16 << 20;

/// Longest time that one instance may take, and never more than half of the step: the others' next sample waits for it.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// Most points of all samples together (32 bytes each); then the oldest samples are forgotten.
const MOST_POINTS: usize = 2_000_000;

/// Most samples, likewise.
const MOST_TICKS: usize = 20_000;

/// Most different series; a page with more is refused.
const MOST_SERIES: usize = 50_000;

/// Samples one list of instances.
#[derive(Debug)]
pub(super) struct Sampler {
    http: reqwest::Client,
    instances: Vec<Url>,
    step_ms: i64,
    state: Mutex<State>,
}

/// What was sampled.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What is looked for; a page has its points by their places here.
    pub(super) selectors: Vec<Selector>,
    pub(super) ring: Ring,
    /// The first sample that was due.
    pub(super) began_ms: Option<i64>,
    /// The last one that was taken.
    pub(super) last_ms: Option<i64>,
    /// Until when samples are taken.
    pub(super) until_ms: i64,
    /// How often each instance did not answer, and why the last time.
    pub(super) down: HashMap<usize, (Vec<i64>, String)>,
    series: HashMap<String, u32>,
    points: usize,
    running: bool,
}

impl Sampler {
    pub(super) fn new(http: reqwest::Client, instances: Vec<Url>, step_ms: i64) -> Self {
        Self {
            http,
            instances,
            step_ms,
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance of this number, as messages name it.
    pub(super) fn instance(&self, index: usize) -> &str {
        self.instances.get(index).map_or("", Url::as_str)
    }

    /// Looks for `selector` until `until_ms`, beside what it looks for already.
    pub(super) fn watch(
        self: &Arc<Self>,
        selector: &Selector,
        until_ms: i64,
        clock: &Arc<dyn Clock>,
    ) {
        let mut state = self.state();
        if !state.selectors.contains(selector) {
            state.selectors.push(selector.clone());
        }
        state.until_ms = state.until_ms.max(until_ms);
        if !state.running {
            state.running = true;
            tokio::spawn(run(Arc::downgrade(self), Arc::clone(clock), self.step_ms));
        }
    }

    /// Whether a sample at `time_ms` is wanted; after a `false` nobody runs any more.
    fn is_wanted(&self, time_ms: i64) -> bool {
        let mut state = self.state();
        state.running = time_ms <= state.until_ms;
        state.running
    }

    /// Takes the sample of `time_ms`.
    pub(super) async fn sample(&self, time_ms: i64) {
        let selectors = {
            let mut state = self.state();
            state.began_ms.get_or_insert(time_ms);
            state.selectors.clone()
        };
        let names: BTreeSet<&str> = selectors.iter().map(|found| found.name.as_str()).collect();
        let wait = Duration::from_millis(self.step_ms.unsigned_abs() / 2).min(MOST_WAIT);
        let read = self.instances.iter().map(async |instance| {
            let page = page(&self.http, instance, wait).await?;
            exposition::parse(&page, |name| names.contains(name)).map_err(|error| error.to_string())
        });
        let read = join_all(read).await;
        let mut state = self.state();
        let pages: Vec<Page> = read
            .into_iter()
            .enumerate()
            .map(|(index, read)| {
                let page = read.and_then(|samples| state.page(&selectors, &samples));
                page.map_err(|error| state.note_down(index, time_ms, error))
                    .ok()
            })
            .collect();
        state.keep(time_ms, pages);
    }
}

impl State {
    /// The points of a page by selector.
    fn page(
        &mut self,
        selectors: &[Selector],
        samples: &[Sample],
    ) -> Result<Vec<Vec<Point>>, String> {
        let mut page = vec![Vec::new(); selectors.len()];
        for sample in samples {
            for (selector, points) in selectors.iter().zip(&mut page) {
                if selector.name != sample.name || !selector.matches(&sample.labels) {
                    continue;
                }
                let key = format!("{} {:?}", sample.name, sample.labels);
                let next = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
                let series = match self.series.get(&key) {
                    Some(series) => *series,
                    None if self.series.len() >= MOST_SERIES => {
                        return Err(format!("more than {MOST_SERIES} series"));
                    }
                    None => *self.series.entry(key).or_insert(next),
                };
                points.push(Point {
                    series,
                    le: sample.labels.get("le").and_then(|le| le.parse().ok()),
                    value: sample.value,
                });
            }
        }
        Ok(page)
    }

    fn note_down(&mut self, instance: usize, time_ms: i64, error: String) {
        let (times, last) = self.down.entry(instance).or_default();
        times.push(time_ms);
        *last = error;
    }

    fn keep(&mut self, time_ms: i64, pages: Vec<Page>) {
        self.points += points(&pages);
        self.last_ms = self.last_ms.max(Some(time_ms));
        if let Some(before) = self.ring.insert(time_ms, pages) {
            self.points -= points(&before);
        }
        while (self.points > MOST_POINTS || self.ring.len() > MOST_TICKS) && self.ring.len() > 1 {
            if let Some((time_ms, oldest)) = self.ring.pop_first() {
                self.points -= points(&oldest);
                for (times, _) in self.down.values_mut() {
                    times.retain(|time| *time > time_ms);
                }
            }
        }
    }
}

fn points(pages: &[Page]) -> usize {
    pages.iter().flatten().flatten().map(Vec::len).sum()
}

/// Samples at whole multiples of the step until nobody wants more, or the source is gone.
async fn run(sampler: Weak<Sampler>, clock: Arc<dyn Clock>, step_ms: i64) {
    loop {
        let now_ms = clock.now_ms();
        let next_ms = (now_ms.div_euclid(step_ms) + 1) * step_ms;
        tokio::time::sleep(Duration::from_millis(next_ms.abs_diff(now_ms))).await;
        match sampler.upgrade() {
            Some(sampler) if sampler.is_wanted(next_ms) => sampler.sample(next_ms).await,
            Some(_) | None => return,
        }
    }
}

/// Reads one page.
///
/// # Errors
/// Why there is none, in words.
pub(super) async fn page(
    http: &reqwest::Client,
    instance: &Url,
    wait: Duration,
) -> Result<String, String> {
    let request = http
        .get(instance.clone())
        .header("Accept", "text/plain;version=0.0.4")
        .timeout(wait);
    let mut response = request.send().await.map_err(|error| told(&error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("status {}", status.as_u16()));
    }
    let mut page = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
        if page.len() + chunk.len() > MOST_PAGE_BYTES {
            return Err(format!("a page of more than {} MiB", MOST_PAGE_BYTES >> 20));
        }
        page.extend_from_slice(&chunk);
    }
    String::from_utf8(page).map_err(|_| "a page that is not UTF-8".to_owned())
}

/// An error with what lies beneath, without the address, which stands beside it.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}
