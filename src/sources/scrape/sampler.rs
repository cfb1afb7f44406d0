//! Reads the pages of a list of instances at equal distances, and keeps what is asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;

use super::KEPT_MS;
use super::budget::Budget;
use super::evaluate::{Page, Point, Ring};
use super::exposition::{self, Sample};
use super::expression::Selector;
use crate::clock::Clock;

/// Largest page that is read, in bytes.
const MOST_PAGE_BYTES: usize = 16 << 20;

/// Longest time that one instance may take, and never more than half of the step: the others' next sample waits for it.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// Most samples; then the oldest ones are forgotten.
const MOST_TICKS: usize = 20_000;

/// Most different series; a page with more is refused.
const MOST_SERIES: usize = 50_000;

/// How many known series are not worth the look for those that are gone.
const FEW_SERIES: usize = 1_000;

/// Samples one list of instances.
#[derive(Debug)]
pub(super) struct Sampler {
    budget: Arc<Budget>,
    http: reqwest::Client,
    instances: Vec<Url>,
    step_ms: i64,
    state: Mutex<State>,
}

/// What was sampled.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What is looked for, by number; a page has its points by the same numbers, and none is given twice.
    selectors: BTreeMap<u32, Watched>,
    next_selector: u32,
    pub(super) ring: Ring,
    /// The first sample that was due.
    pub(super) began_ms: Option<i64>,
    /// The last one that was taken.
    pub(super) last_ms: Option<i64>,
    /// Until when samples are taken.
    pub(super) until_ms: i64,
    /// How often each instance did not answer, and why the last time.
    down: HashMap<usize, (Vec<i64>, String)>,
    series: HashMap<String, u32>,
    next_series: u32,
    /// At how many known series those that are in no sample any more are looked for.
    look_at: usize,
    points: usize,
    running: bool,
}

/// A selector, and until when it is sampled.
#[derive(Debug)]
struct Watched {
    selector: Selector,
    until_ms: i64,
}

impl Sampler {
    pub(super) fn new(
        http: reqwest::Client,
        budget: &Arc<Budget>,
        instances: Vec<Url>,
        step_ms: i64,
    ) -> Self {
        budget.enter();
        Self {
            budget: Arc::clone(budget),
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
        state.forget(clock.now_ms(), &self.budget);
        state.want(selector, until_ms);
        state.until_ms = state.until_ms.max(until_ms);
        if !state.running {
            state.running = true;
            tokio::spawn(run(Arc::downgrade(self), Arc::clone(clock), self.step_ms));
        }
    }

    /// What `look` finds, which is given the number of `selector` and until when it is sampled. Others wait meanwhile.
    pub(super) fn seen<T>(
        &self,
        selector: &Selector,
        look: impl FnOnce(&State, Option<(u32, i64)>) -> T,
    ) -> T {
        let state = self.state();
        let mut known = state.selectors.iter();
        let found = known.find(|(_, watched)| watched.selector == *selector);
        let found = found.map(|(number, watched)| (*number, watched.until_ms));
        look(&state, found)
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
            state.forget(time_ms, &self.budget);
            state.wanted(time_ms)
        };
        let names: BTreeSet<&str> = selectors
            .iter()
            .map(|(_, selector)| selector.name.as_str())
            .collect();
        let wait = Duration::from_millis(self.step_ms.unsigned_abs() / 2).min(MOST_WAIT);
        let read = self.instances.iter().map(async |instance| {
            let page = page(&self.http, instance, wait).await?;
            exposition::parse(&page, |name| names.contains(name)).map_err(|error| error.to_string())
        });
        let read = join_all(read).await;
        let mut state = self.state();
        let mut count = 0;
        let pages: Vec<Page> = read
            .into_iter()
            .enumerate()
            .map(|(index, read)| {
                let page = read.and_then(|samples| {
                    let page = state.page(&selectors, &samples)?;
                    let more: usize = page.values().map(Vec::len).sum();
                    self.budget.at_once(count + more)?;
                    count += more;
                    Ok(page)
                });
                page.map_err(|error| state.note_down(index, time_ms, error))
                    .ok()
            })
            .collect();
        state.keep(time_ms, pages, &self.budget);
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let held = self.state().points;
        self.budget.leave(held);
    }
}

impl State {
    /// Looks for `selector` until `until_ms` at least.
    fn want(&mut self, selector: &Selector, until_ms: i64) {
        let mut known = self.selectors.values_mut();
        if let Some(known) = known.find(|known| known.selector == *selector) {
            known.until_ms = known.until_ms.max(until_ms);
            return;
        }
        let watched = Watched {
            selector: selector.clone(),
            until_ms,
        };
        self.selectors.insert(self.next_selector, watched);
        self.next_selector = self.next_selector.wrapping_add(1);
    }

    /// What is looked for at `time_ms`.
    fn wanted(&self, time_ms: i64) -> Vec<(u32, Selector)> {
        let wanted = self.selectors.iter();
        wanted
            .filter(|(_, watched)| watched.until_ms >= time_ms)
            .map(|(number, watched)| (*number, watched.selector.clone()))
            .collect()
    }

    /// Forgets the selectors that nobody can be waiting for any more, with their points, and series that are gone.
    fn forget(&mut self, now_ms: i64, budget: &Budget) {
        let before = self.selectors.len();
        self.selectors
            .retain(|_, watched| watched.until_ms.saturating_add(KEPT_MS) >= now_ms);
        if self.selectors.len() < before {
            for pages in self.ring.values_mut() {
                for page in Arc::make_mut(pages).iter_mut().flatten() {
                    page.retain(|number, _| self.selectors.contains_key(number));
                }
            }
            let held: usize = self.ring.values().map(|pages| points(pages)).sum();
            budget.change(self.points, held);
            self.points = held;
            self.look_at = 0;
        }
        if self.series.len() > self.look_at.max(FEW_SERIES) {
            let pages = self.ring.values().flat_map(|pages| pages.iter().flatten());
            let there: HashSet<u32> = pages
                .flat_map(|page| page.values().flatten())
                .map(|point| point.series)
                .collect();
            self.series.retain(|_, series| there.contains(series));
            self.look_at = (self.series.len() * 2).min(MOST_SERIES - 1);
        }
    }

    /// The points of a page by selector.
    fn page(
        &mut self,
        selectors: &[(u32, Selector)],
        samples: &[Sample],
    ) -> Result<BTreeMap<u32, Vec<Point>>, String> {
        let mut page: BTreeMap<u32, Vec<Point>> = selectors
            .iter()
            .map(|(number, _)| (*number, Vec::new()))
            .collect();
        for sample in samples {
            for ((_, selector), points) in selectors.iter().zip(page.values_mut()) {
                if selector.name != sample.name || !selector.matches(&sample.labels) {
                    continue;
                }
                let key = format!("{} {:?}", sample.name, sample.labels);
                let series = match self.series.get(&key) {
                    Some(series) => *series,
                    None if self.series.len() >= MOST_SERIES => {
                        return Err(format!("more than {MOST_SERIES} series"));
                    }
                    None => {
                        self.next_series = self.next_series.wrapping_add(1);
                        *self.series.entry(key).or_insert(self.next_series)
                    }
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

    /// Which instances did not answer at `times`, how often, and why the last time of all.
    pub(super) fn missed(&self, times: RangeInclusive<i64>) -> Vec<(usize, usize, String)> {
        let missed = self.down.iter().map(|(instance, (at, error))| {
            let count = at.iter().filter(|time| times.contains(time)).count();
            (*instance, count, error)
        });
        missed
            .filter(|(_, count, _)| *count > 0)
            .map(|(instance, count, error)| (instance, count, error.clone()))
            .collect()
    }

    fn note_down(&mut self, instance: usize, time_ms: i64, error: String) {
        let (times, last) = self.down.entry(instance).or_default();
        times.push(time_ms);
        *last = error;
    }

    fn keep(&mut self, time_ms: i64, pages: Vec<Page>, budget: &Budget) {
        let mut held = self.points + points(&pages);
        self.last_ms = self.last_ms.max(Some(time_ms));
        if let Some(before) = self.ring.insert(time_ms, Arc::new(pages)) {
            held -= points(&before);
        }
        budget.change(self.points, held);
        self.points = held;
        while (budget.is_over(self.points) || self.ring.len() > MOST_TICKS) && self.ring.len() > 1 {
            if let Some((time_ms, oldest)) = self.ring.pop_first() {
                let held = self.points - points(&oldest);
                budget.change(self.points, held);
                self.points = held;
                for (times, _) in self.down.values_mut() {
                    times.retain(|time| *time > time_ms);
                }
            }
        }
    }
}

fn points(pages: &[Page]) -> usize {
    let pages = pages.iter().flatten();
    pages.flat_map(BTreeMap::values).map(Vec::len).sum()
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
