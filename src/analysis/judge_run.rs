//! From a bundle to its judgement, and both steps together.

use std::sync::Arc;

use async_trait::async_trait;
use coalmine_judges::judge::Judge;
use coalmine_judges::judgement::Judgement;
use coalmine_judges::judges;

use super::collect::{Collector, judge_name};
use super::task::{Analyst, Collected, Failure, Task};
use crate::archive::bundle::Bundle;

/// Judges a bundle by the judge that it names.
///
/// # Errors
/// A judge that this version does not have, in Kayenta's words; pairs that no metric of the config names.
pub fn judge(bundle: &Bundle) -> Result<Judgement, Failure> {
    let judge = judge_called(&bundle.judge)?;
    let input = bundle.judge_input();
    let input = input.map_err(|refusal| failure(refusal.to_string(), None))?;
    Ok(judge.judge(&input))
}

fn judge_called(name: &str) -> Result<Box<dyn Judge>, Failure> {
    judges::by_name(name).ok_or_else(|| {
        let known: Vec<String> = judges::NAMES
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let hint = format!("this version has {}", known.join(" and "));
        failure(
            format!("Unable to resolve canary judge '{name}'."),
            Some(hint),
        )
    })
}

fn failure(message: String, hint: Option<String>) -> Failure {
    Failure {
        metric: None,
        side: None,
        message,
        query: None,
        hint,
        passing: false,
    }
}

/// Collects and judges: the [`Analyst`] of the service.
#[derive(Debug)]
pub struct Analysis {
    collector: Arc<Collector>,
}

impl Analysis {
    /// Judges what `collector` collects.
    #[must_use]
    pub fn new(collector: Arc<Collector>) -> Self {
        Self { collector }
    }
}

#[async_trait]
impl Analyst for Analysis {
    async fn collect(&self, task: &Task) -> Result<Collected, Vec<Failure>> {
        // Nothing is asked of a store for a judge that is not there.
        judge_called(judge_name(&task.config)).map_err(|failure| vec![failure])?;
        self.collector.collect(task).await
    }

    fn judge(&self, bundle: &Bundle) -> Result<Judgement, Failure> {
        judge(bundle)
    }

    async fn watch(&self, task: &Task) {
        // What is wrong with the task is told when it is collected.
        let _ = self.collector.watch(task).await;
    }
}
