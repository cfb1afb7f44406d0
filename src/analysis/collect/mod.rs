//! Asks a metric store for everything that one judgement needs, and makes the bundle.
//!
//! Both sides of all metrics are asked for at once, as far as the account's limits allow. A store that is out of reach or busy
//! is asked again with growing pauses until the deadline; equal questions are asked once. Nothing here judges, and no
//! failure becomes a missing point: a metric that could not be fetched means that there is no bundle.

mod answers;
mod asks;
mod assemble;
mod attempts;
mod budget;
mod coverage;
mod gate;
mod gathered;
mod listener;
mod patience;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use coalmine_judges::judges::netflix_aca;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};

pub use answers::Keep;
pub use gate::AccountLimits;
pub use gathered::{Answered, Gathered};
pub use listener::{Heard, Listener};
pub use patience::Patience;

use super::pairing::MOST_POINTS;
use super::task::{Collected, Failure, Task};
use crate::clock::Clock;
use crate::config::canary::{self, wire};
use crate::sources::{Manner, MetricSource, Remedy, Sources};
use answers::{Answers, Key};
use asks::{Ask, Purpose};
use attempts::{Deadline, Lost, Outcome, Tries, too_slow};
use budget::Budget;
use gate::Gates;

/// Collects what is judged.
#[derive(Debug)]
pub struct Collector {
    sources: Arc<Sources>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    gates: Gates,
    answers: Answers,
    most_points: u64,
    jitter: Mutex<fastrand::Rng>,
    listener: Listener,
}

impl Collector {
    /// Asks `sources`, with all defaults. The clock only tells which windows are over.
    #[must_use]
    pub fn new(sources: Arc<Sources>, clock: Arc<dyn Clock>) -> Self {
        Self {
            sources,
            clock,
            patience: Patience::default(),
            gates: Gates::default(),
            answers: Answers::new(Keep::default()),
            most_points: MOST_POINTS,
            jitter: Mutex::new(fastrand::Rng::new()),
            listener: Listener::default(),
        }
    }

    /// Waits as long as `patience` says.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Keeps answers as `keep` says.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.answers = Answers::new(keep);
        self
    }

    /// Takes at most `points` of all answers of one judgement together, 16 bytes each; never more than [`MOST_POINTS`].
    #[must_use]
    pub fn most_points(mut self, points: u64) -> Self {
        self.most_points = points.min(MOST_POINTS);
        self
    }

    /// Asks the account no more than `limits` says.
    #[must_use]
    pub fn limit(mut self, account: &str, limits: AccountLimits) -> Self {
        self.gates.limit(account, limits);
        self
    }

    /// Pauses of random length follow from `seed`: the same seed, the same pauses.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.jitter = Mutex::new(fastrand::Rng::with_seed(seed));
        self
    }

    /// Tells `listener` how the work goes on.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    /// Fetches both sides of all metrics, and history where the config asks for it.
    ///
    /// # Errors
    /// All failures at once, never an empty list, in the order of the metrics. A history that cannot be had is only noted.
    /// Answers that have too many points together stop everything: then this is the only failure.
    pub async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        self.gather(task).await?.collected().await
    }

    /// The same up to the answers, so that they can be looked at one by one.
    ///
    /// # Errors
    /// What is wrong before anything is asked, all at once; or answers that have too many points together.
    pub async fn gather(&self, task: &Task) -> Result<Gathered, Vec<Failure>> {
        let config = canary::of_wire((*task.config).clone()).map_err(|problems| {
            let failures = problems.iter().map(|problem| Failure {
                hint: problem.hint.clone(),
                ..general(problem.to_string())
            });
            failures.collect::<Vec<_>>()
        })?;
        let (account, source, asks, notes) = self.prepare(task)?;
        let answers = self.ask_all(&asks, source).await?;
        Ok(Gathered {
            task: task.clone(),
            config,
            account: account.to_owned(),
            asks,
            answers,
            notes,
        })
    }

    /// Tells the source what will be asked, so that one that sees only the present can begin to look.
    ///
    /// # Errors
    /// What [`collect`](Self::collect) would fail on before it asks.
    pub async fn watch(&self, task: &Task) -> Result<(), Vec<Failure>> {
        let (_, source, asks, _) = self.prepare(task)?;
        for ask in asks.iter().filter(|ask| ask.purpose != Purpose::History) {
            source.watch(&ask.question).await;
        }
        Ok(())
    }

    /// What would be asked: the query of each side of each metric by its name, without asking anything.
    ///
    /// # Errors
    /// What [`collect`](Self::collect) would fail on before it asks.
    pub fn queries(&self, task: &Task) -> Result<Vec<Asked>, Vec<Failure>> {
        let (account, _, asks, _) = self.prepare(task)?;
        let queries = asks.into_iter().map(|ask| Asked {
            metric: ask.question.metric,
            side: ask.purpose.side(),
            account: account.to_owned(),
            query: ask.key.query,
        });
        Ok(queries.collect())
    }

    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn prepare(
        &self,
        task: &Task,
    ) -> Result<(&str, &Arc<dyn MetricSource>, Vec<Ask>, Vec<String>), Vec<Failure>> {
        if task.config.metrics.is_empty() {
            let message = "The canary config must specify at least one metric. Otherwise we're not analyzing anything. :)";
            return Err(vec![general(message.to_owned())]);
        }
        let (account, source) = self
            .sources
            .resolve(task.account.as_deref())
            .map_err(|unknown| vec![general(unknown.to_string())])?;
        let manner = manner(&task.config);
        let (asks, notes) = asks::of(task, account, source.as_ref(), manner)?;
        Ok((account, source, asks, notes))
    }

    /// An outcome for each ask, in their order.
    ///
    /// # Errors
    /// The answers have too many points together; whatever was still on its way is dropped.
    async fn ask_all(
        &self,
        asks: &[Ask],
        source: &Arc<dyn MetricSource>,
    ) -> Result<Vec<Outcome>, Vec<Failure>> {
        let now = Instant::now();
        let mut first_of: HashMap<&Key, usize> = HashMap::new();
        let mut unique: Vec<(&Ask, u64)> = Vec::new();
        let mut place = Vec::with_capacity(asks.len());
        for ask in asks {
            let index = *first_of.entry(&ask.key).or_insert_with(|| {
                unique.push((ask, 0));
                unique.len() - 1
            });
            unique[index].1 += u64::from(ask.purpose != Purpose::History);
            place.push(index);
        }
        let tally = listener::Tally::new(&self.listener, asks, &place);
        let asked = unique.iter().enumerate().map(async |(index, (ask, uses))| {
            let (metric, all) = if *uses > 0 {
                (self.patience.metric, self.patience.judgement)
            } else {
                (self.patience.history, self.patience.history)
            };
            let deadline = Deadline::new(metric, now + all);
            (index, self.ask(ask, source, deadline).await)
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut budget = Budget::new(self.most_points);
        let mut outcomes: Vec<Option<Outcome>> = vec![None; unique.len()];
        while let Some((index, outcome)) = asked.next().await {
            tally.came(index);
            let (ask, uses) = unique[index];
            let admitted = budget.admit(ask, uses, outcome);
            outcomes[index] = Some(admitted.map_err(|full| vec![full])?);
        }
        // Each was asked, and has an outcome.
        Ok(place
            .into_iter()
            .filter_map(|index| outcomes[index].clone())
            .collect())
    }

    /// Asks until there is an answer, or no hope or time left.
    async fn ask(
        &self,
        ask: &Ask,
        source: &Arc<dyn MetricSource>,
        mut deadline: Deadline,
    ) -> Outcome {
        let mut tries = Tries::default();
        loop {
            if let Some(kept) = self.answers.kept(&ask.key) {
                return Ok(kept);
            }
            let Ok(answer) = self.attempt(ask, source, &mut deadline).await else {
                return Err(tries.out_of_time());
            };
            let error = match answer {
                Ok(fetched) => {
                    self.answers.keep(&ask.key, &fetched, self.clock.now_ms());
                    return Ok(fetched);
                }
                Err(error) => error,
            };
            let after = match error.remedy {
                Remedy::Retry { after } => after,
                Remedy::Later | Remedy::Mend | Remedy::GiveUp => return Err(Lost::now(error)),
            };
            tries.failed(Arc::clone(&error));
            let share = self.share();
            let pause = self.patience.pause(tries.count, share, after);
            if tries.count >= self.patience.attempts || pause >= deadline.left() {
                return Err(tries.given_up());
            }
            self.listener.tell(&Heard::AskedAgain {
                error: &error,
                pause,
            });
            sleep(pause).await;
        }
    }

    /// One attempt, shared with everyone who asks the same at the same time; an error means that the time is over.
    async fn attempt(
        &self,
        ask: &Ask,
        source: &Arc<dyn MetricSource>,
        deadline: &mut Deadline,
    ) -> Result<answers::Answer, tokio::time::error::Elapsed> {
        let flight = match self.answers.flight(&ask.key) {
            Some(flight) => flight,
            None => {
                let gate = self.gates.of(&ask.key.account);
                let permit = timeout_at(deadline.now(), gate.pass()).await?;
                let (source, question) = (Arc::clone(source), ask.question.clone());
                let limit = self.patience.attempt;
                self.answers.join(&ask.key, move || {
                    async move {
                        let answer = timeout(limit, source.fetch(&question)).await;
                        drop(permit);
                        match answer {
                            Ok(Ok(fetched)) => Ok(Arc::new(fetched)),
                            Ok(Err(error)) => Err(Arc::new(error)),
                            Err(_) => Err(Arc::new(too_slow(limit))),
                        }
                    }
                    .boxed()
                })
            }
        };
        deadline.begin();
        let answer = timeout_at(deadline.now(), flight.clone()).await;
        self.answers.landed(&ask.key, &flight);
        answer
    }

    fn share(&self) -> f64 {
        let mut jitter = self.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        jitter.f64()
    }
}

/// One question that would be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The metric's name.
    pub metric: String,
    /// The side; `None` for history.
    pub side: Option<crate::model::scope::Side>,
    /// The account.
    pub account: String,
    /// The text that would be sent.
    pub query: String,
}

/// The name of the judge that a config asks for; Kayenta's where it names none.
#[must_use]
pub fn judge_name(config: &wire::CanaryConfig) -> &str {
    let judge = config.judge.as_ref();
    let name = judge.and_then(|judge| judge.name.as_deref());
    name.filter(|name| !name.is_empty())
        .unwrap_or(netflix_aca::NAME)
}

/// How faithful to Kayenta a config's questions are put: its own judge gets its own points.
#[must_use]
pub fn manner(config: &wire::CanaryConfig) -> Manner {
    if judge_name(config) == netflix_aca::NAME {
        Manner::Kayenta
    } else {
        Manner::Aligned
    }
}

/// A failure that concerns all metrics, and stays.
fn general(message: String) -> Failure {
    Failure {
        metric: None,
        side: None,
        message,
        query: None,
        hint: None,
        passing: false,
    }
}
