//! A small metric store that does what a test says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use coalmine::model::metric_set::MetricSet;
use coalmine::sources::{Fetched, MetricSource, Question, Remedy, SourceError, Sources};
use tokio::time::{Instant, sleep};

/// What the store answers.
pub(super) enum Reply {
    Values(Vec<f64>),
    /// So many series with these values.
    Series(usize, Vec<f64>),
    Fails(Remedy, &'static str),
    After(Duration, Box<Reply>),
}

pub(super) const RETRY: Remedy = Remedy::Retry { after: None };

pub(super) fn retry_after(seconds: u64) -> Remedy {
    Remedy::Retry {
        after: Some(Duration::from_secs(seconds)),
    }
}

type Script = dyn Fn(&Question, usize) -> Reply + Send + Sync;

/// The store. The script gets the question and how many times this question was asked before.
pub(super) struct Fake {
    script: Box<Script>,
    asked: Mutex<Vec<(String, Instant)>>,
    watched: Mutex<Vec<String>>,
    cuts: Mutex<Vec<Option<i64>>>,
    believed_until_ms: AtomicI64,
    busy: AtomicUsize,
    pub(super) busiest: AtomicUsize,
    pub(super) finished: AtomicUsize,
}

impl fmt::Debug for Fake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fake")
    }
}

impl Fake {
    pub(super) fn new(
        script: impl Fn(&Question, usize) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            asked: Mutex::default(),
            watched: Mutex::default(),
            cuts: Mutex::default(),
            believed_until_ms: AtomicI64::new(i64::MAX),
            busy: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        })
    }

    /// As the only account, called `prom`.
    pub(super) fn sources(self: &Arc<Self>) -> Arc<Sources> {
        let source: Arc<dyn MetricSource> = Arc::clone(self) as _;
        Arc::new(Sources::new(vec![("prom".to_owned(), source)]))
    }

    /// The texts of all questions in the order in which they came.
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(text, _)| text.clone()).collect()
    }

    pub(super) fn watched(&self) -> Vec<String> {
        self.watched.lock().unwrap().clone()
    }

    /// The latest moment that is believed; half a minute later with each question.
    pub(super) fn believed_until(&self, ms: i64) {
        self.believed_until_ms.store(ms, Ordering::SeqCst);
    }

    /// Where the windows of all questions are to be cut.
    pub(super) fn cuts(&self) -> Vec<Option<i64>> {
        self.cuts.lock().unwrap().clone()
    }

    /// When the questions came.
    pub(super) fn times(&self) -> Vec<Instant> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, at)| *at).collect()
    }
}

fn expression(question: &Question) -> &str {
    let template = question.query.inline_template().unwrap_or_default();
    template.trim_start_matches("PromQL:")
}

fn text(question: &Question) -> String {
    format!("{}@{}", expression(question), question.scope.scope)
}

fn fetched(question: &Question, series: usize, values: &[f64]) -> Fetched {
    let window = question.scope.window;
    let set = |number: usize| MetricSet {
        name: question.metric.clone(),
        tags: match series {
            1 => BTreeMap::new(),
            _ => BTreeMap::from([("pod".to_owned(), number.to_string())]),
        },
        start_ms: window.start_ms(),
        end_ms: window.end_ms(),
        step_ms: question.scope.step_secs * 1000,
        values: values.iter().copied().map(Some).collect(),
        attributes: BTreeMap::new(),
    };
    Fetched {
        sets: (0..series).map(set).collect(),
        query: text(question),
        points: (series * values.len()) as u64,
        expected_points: series as u64 * question.scope.expected_points(),
        warnings: Vec::new(),
        build: Some("Fake 1.0".to_owned()),
    }
}

#[async_trait]
impl MetricSource for Fake {
    fn kind(&self) -> &'static str {
        "prometheus"
    }

    fn believed_until_ms(&self) -> Option<i64> {
        Some(self.believed_until_ms.load(Ordering::SeqCst)).filter(|ms| *ms < i64::MAX)
    }

    fn render(&self, question: &Question) -> Result<String, SourceError> {
        match expression(question) {
            "broken" => Err(SourceError::new(Remedy::Mend, "the template is broken")),
            _ => Ok(text(question)),
        }
    }

    async fn watch(&self, question: &Question) {
        self.watched.lock().unwrap().push(text(question));
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError> {
        let text = text(question);
        self.cuts.lock().unwrap().push(question.settled_ms);
        let believed = self.believed_until_ms.load(Ordering::SeqCst);
        self.believed_until(believed.saturating_add(30_000));
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push((text.clone(), Instant::now()));
            asked.iter().filter(|(known, _)| *known == text).count() - 1
        };
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.busiest.fetch_max(busy, Ordering::SeqCst);
        let mut reply = (self.script)(question, before);
        while let Reply::After(delay, then) = reply {
            sleep(delay).await;
            reply = *then;
        }
        self.busy.fetch_sub(1, Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::SeqCst);
        match reply {
            Reply::Values(values) => Ok(fetched(question, 1, &values)),
            Reply::Series(series, values) => Ok(fetched(question, series, &values)),
            Reply::Fails(remedy, message) => Err(SourceError {
                query: Some(text),
                hint: Some("look at the store".to_owned()),
                ..SourceError::new(remedy, message)
            }),
            Reply::After(..) => unreachable!("waited for above"),
        }
    }

    async fn metric_names(&self, _filter: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }
}
