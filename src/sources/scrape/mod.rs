//! A metric store that is none: reads `/metrics` of instances itself, so that a canary can run where no Prometheus is.
//!
//! A page tells only the present. So the source must be told beforehand ([`MetricSource::watch`]) what will be asked; from then on
//! it samples the instances at the question's step until the window ends, and keeps the samples in memory, bounded. What was
//! not sampled (before the service knew, while it was down, while an instance was) is missing, never zero.
//!
//! Queries are those of Prometheus, a small part of PromQL ([`expression`]): `metricName` with `labelBindings` is an average
//! over all series; `PromQL:` templates may ask for sums, rates and quantiles. The scope names a list of instances of the account;
//! the conditions of a Prometheus config that pick a scope's instances by labels must be left out.

mod budget;
mod evaluate;
pub mod exposition;
pub mod expression;
mod plan;
mod sampler;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{Fetched, MetricSource, Question, Remedy, SourceError};
use crate::clock::Clock;
use crate::config::canary::wire::Query;
use crate::model::metric_set::MetricSet;
use budget::Budget;
use evaluate::{Ring, Times};
use plan::Plan;
use sampler::Sampler;

pub use crate::model::scope::INSTANCES;

/// Most lists of instances that are sampled at a time.
const MOST_SAMPLERS: usize = 200;

/// Most points of all samples of an account together, 128 MB; then the oldest samples are forgotten.
const MOST_POINTS: usize = 4_000_000;

/// How long samples are kept after the last one was wanted.
const KEPT_MS: i64 = 3_600_000;

/// How long after a window's end its last sample may still be on its way.
const LATE_MS: i64 = 15_000;

/// Most points of one answer.
const MOST_ANSWER: i64 = 1_000_000;

/// The settings of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrapeAccount {
    /// Addresses of pages by scope, or by `location/scope`, which goes first: `http://10.0.0.7:9100/metrics`, or `host:port` for
    /// the page `/metrics` there.
    pub instances: BTreeMap<String, Vec<String>>,
    /// Whether a request may list instances itself, as the parameter [`INSTANCES`] of a scope. Whoever may post a canary can then
    /// make the service read any address that it reaches.
    pub instances_from_requests: bool,
}

/// What of a sampler's samples concerns one question.
struct Seen {
    is_to_come: bool,
    /// The number of the question's selector; `None` where nobody looks for it.
    number: Option<u32>,
    ring: Ring,
    began_ms: Option<i64>,
    missed: Vec<(usize, usize, String)>,
}

/// What is sampled, by instances and step in milliseconds.
type Samplers = BTreeMap<(Vec<String>, i64), Arc<Sampler>>;

/// Reads pages of instances.
#[derive(Debug)]
pub struct ScrapeSource {
    account: ScrapeAccount,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    samplers: Mutex<Samplers>,
    budget: Arc<Budget>,
}

impl ScrapeSource {
    /// Reads the instances of `account`; the clock says when.
    ///
    /// # Errors
    /// Addresses that cannot be read, all at once; no HTTP client.
    pub fn new(account: ScrapeAccount, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let wrong: Vec<String> = account
            .instances
            .values()
            .flatten()
            .filter_map(|text| plan::address(text).err())
            .collect();
        if !wrong.is_empty() {
            return Err(SourceError::new(Remedy::Mend, wrong.join("; ")));
        }
        // Another one that was installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SourceError {
                cause: Some(Box::new(error)),
                ..SourceError::new(Remedy::GiveUp, "cannot make an HTTP client")
            })?;
        Ok(Self {
            account,
            clock,
            http,
            samplers: Mutex::default(),
            budget: Arc::new(Budget::new(MOST_POINTS)),
        })
    }

    /// Keeps at most `most` points, about, instead of 4 million.
    #[must_use]
    pub fn most_points(self, most: usize) -> Self {
        self.budget.limit(most);
        self
    }

    /// How many points are kept now, of all series of all instances.
    #[must_use]
    pub fn points(&self) -> usize {
        self.budget.held()
    }

    /// Takes the sample of `time_ms` of everything that is watched, beside those that are taken by themselves.
    pub async fn sample(&self, time_ms: i64) {
        let samplers: Vec<Arc<Sampler>> = self.samplers().values().cloned().collect();
        join_all(samplers.iter().map(|sampler| sampler.sample(time_ms))).await;
    }

    fn samplers(&self) -> MutexGuard<'_, Samplers> {
        self.samplers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MetricSource for ScrapeSource {
    fn kind(&self) -> &'static str {
        "scrape"
    }

    /// Those of Prometheus.
    fn accepts(&self, query: &Query) -> bool {
        query.kind() == "prometheus"
    }

    async fn watch(&self, question: &Question) {
        // What is wrong with a question is told when it is asked.
        let Ok(plan) = Plan::of(&self.account, question) else {
            return;
        };
        let end_ms = question.scope.window.end_ms();
        let now_ms = self.clock.now_ms();
        if end_ms < now_ms {
            return;
        }
        let sampler = {
            let mut samplers = self.samplers();
            samplers
                .retain(|_, sampler| sampler.state().until_ms.saturating_add(KEPT_MS) >= now_ms);
            let full = samplers.len() >= MOST_SAMPLERS;
            match samplers.entry(plan.key()) {
                std::collections::btree_map::Entry::Occupied(known) => Arc::clone(known.get()),
                std::collections::btree_map::Entry::Vacant(_) if full => {
                    tracing::warn!(
                        "sampling {MOST_SAMPLERS} lists of instances already; `{}` is not watched",
                        plan.text()
                    );
                    return;
                }
                std::collections::btree_map::Entry::Vacant(place) => {
                    let (http, instances) = (self.http.clone(), plan.instances.clone());
                    let sampler = Sampler::new(http, &self.budget, instances, plan.step_ms);
                    Arc::clone(place.insert(Arc::new(sampler)))
                }
            }
        };
        sampler.watch(plan.expression.selector(), end_ms, &self.clock);
    }

    fn render(&self, question: &Question) -> Result<String, SourceError> {
        Plan::of(&self.account, question).map(|plan| plan.text())
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError> {
        let plan = Plan::of(&self.account, question)?;
        let sampler = self.samplers().get(&plan.key()).cloned();
        let (first_ms, last_ms) = plan.times(&question.scope);
        let failure = |remedy: Remedy, message: String| {
            SourceError {
            query: Some(plan.text()),
            hint: Some("a scrape sees only the present: it must watch before the window begins, and the service must run all the while".to_owned()),
            ..SourceError::new(remedy, message)
        }
        };
        let nothing = || {
            let shown = |ms: i64| {
                jiff::Timestamp::from_millisecond(ms)
                    .map_or_else(|_| ms.to_string(), |time| time.to_string())
            };
            let (from, to) = (shown(first_ms), shown(last_ms));
            failure(
                Remedy::GiveUp,
                format!("nothing was sampled from {from} to {to}"),
            )
        };
        let Some(sampler) = sampler else {
            return Err(nothing());
        };
        if (last_ms - first_ms) / plan.step_ms >= MOST_ANSWER {
            return Err(failure(
                Remedy::Mend,
                format!("the window has room for more than {MOST_ANSWER} points"),
            ));
        }
        let now_ms = self.clock.now_ms();
        let seen = sampler.seen(plan.expression.selector(), |state, watched| {
            let is_to_come = state.last_ms < Some(last_ms)
                && watched.is_some_and(|(_, until_ms)| until_ms >= last_ms)
                && now_ms < last_ms.saturating_add(LATE_MS);
            let back = plan.expression.range_ms().unwrap_or(0);
            let back_ms = i64::try_from(back).unwrap_or(i64::MAX);
            let from_ms = first_ms.saturating_sub(back_ms);
            Seen {
                is_to_come,
                number: watched.map(|(number, _)| number),
                // Only the list is copied here; the pages are shared.
                ring: match last_ms >= first_ms {
                    true => state
                        .ring
                        .range(from_ms..=last_ms)
                        .map(|(time_ms, pages)| (*time_ms, Arc::clone(pages)))
                        .collect(),
                    false => Ring::new(),
                },
                began_ms: state.began_ms,
                missed: state.missed(first_ms..=last_ms),
            }
        });
        if seen.is_to_come {
            let wait = u64::try_from(last_ms.saturating_sub(now_ms))
                .unwrap_or(0)
                .saturating_add(500);
            let after = Some(Duration::from_millis(wait));
            return Err(failure(
                Remedy::Retry { after },
                "the window's last sample is still to come".to_owned(),
            ));
        }
        let sampled = last_ms >= first_ms && seen.ring.range(first_ms..=last_ms).next().is_some();
        let Some(number) = seen.number.filter(|_| sampled) else {
            return Err(nothing());
        };
        let (ring, expression) = (seen.ring, plan.expression.clone());
        let times = Times {
            first_ms,
            last_ms,
            step_ms: plan.step_ms,
        };
        // May take a second for millions of points, and others share this thread.
        let evaluated =
            tokio::task::spawn_blocking(move || evaluate::all(&ring, number, &expression, times));
        let values = evaluated.await.map_err(|error| {
            let remedy = Remedy::Retry { after: None };
            failure(remedy, format!("the evaluation ended early: {error}"))
        })?;
        let mut warnings = Vec::new();
        if let Some(began_ms) = seen.began_ms.filter(|began_ms| *began_ms > first_ms) {
            let late = (began_ms - first_ms) / 1000;
            warnings.push(format!(
                "sampling began {late} s after the window; what was before is missing"
            ));
        }
        for (index, times, error) in &seen.missed {
            let instance = sampler.instance(*index);
            warnings.push(format!(
                "`{instance}` was missed {times} times, the last time because of {error}"
            ));
        }
        warnings.sort();
        let points = values.iter().flatten().count() as u64;
        let set = MetricSet {
            name: question.metric.clone(),
            tags: BTreeMap::new(),
            start_ms: first_ms,
            end_ms: question.scope.window.end_ms(),
            step_ms: plan.step_ms.unsigned_abs(),
            values,
            attributes: BTreeMap::new(),
        };
        Ok(Fetched {
            query: plan.text(),
            points,
            expected_points: set.values.len() as u64,
            sets: vec![set],
            warnings,
            build: None,
        })
    }

    async fn metric_names(&self, filter: &str) -> Result<Vec<String>, SourceError> {
        let filter = filter.to_lowercase();
        let pages = self.pages().await;
        let mut names = BTreeSet::new();
        for page in pages.into_iter().flatten() {
            let samples = exposition::parse(&page, |_| true).unwrap_or_default();
            let of_page = samples.into_iter().map(|sample| sample.name);
            names.extend(of_page.filter(|name| name.to_lowercase().contains(&filter)));
        }
        Ok(names.into_iter().collect())
    }

    /// An account without instances of its own has nothing that could fail; of others at least one must answer.
    async fn check(&self) -> Result<(), SourceError> {
        let pages = self.pages().await;
        let answer = pages.iter().any(Result::is_ok);
        match pages.into_iter().find_map(Result::err) {
            Some(error) if !answer => {
                let message = format!("no instance answers: {error}");
                Err(SourceError::new(Remedy::Retry { after: None }, message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl ScrapeSource {
    /// The pages of all instances of the account.
    async fn pages(&self) -> Vec<Result<String, String>> {
        let texts: BTreeSet<&String> = self.account.instances.values().flatten().collect();
        let pages = texts.into_iter().map(async |text| {
            let address = plan::address(text)?;
            sampler::page(&self.http, &address, Duration::from_secs(5)).await
        });
        join_all(pages).await
    }
}
