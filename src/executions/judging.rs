//! The steps that judge, with their effects: collect and keep the bundle, judge it, keep the judgement.

use std::future::Future;
use std::sync::Arc;

use tracing::{info, warn};

use super::engine::{Engine, MOST_TRIES, Turn, TurnError, pause, with_causes};
use super::event::Event;
use super::state::State;
use crate::analysis::task::{Collected, Failure};
use crate::archive::bundle::{Bundle, Told};
use crate::archive::{ArchiveError, JudgementRecord};
use crate::stages::analyze::{Analyze, Outcome};
use crate::stages::{Stage, StageState};
use crate::store::Lease;

impl Engine {
    pub(super) async fn collect(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
    ) -> Result<Turn, TurnError> {
        let state = self
            .append(Some(lease), state, Event::CollectionStarted { stage })
            .await?;
        let task = analyze(&state, stage).map(|analyze| {
            let opened = match state.stages.get(stage) {
                Some(StageState::Analyze(at)) => at.opened().map(|scopes| &**scopes),
                Some(StageState::Wait(_) | StageState::Approve(_) | StageState::Operate(_))
                | None => None,
            };
            state.request.task(analyze, opened)
        });
        let analyst = self.ports().analyst_of(&state.request);
        let Some(task) = task else {
            return Err(TurnError::Invariant(format!(
                "stage {stage} is no analysis"
            )));
        };
        let collected = self
            .unless_overtaken(&state, analyst.collect(&task))
            .await?;
        let event = match collected {
            Err(failures) => Event::CollectionFailed {
                stage,
                failures: explained(failures),
            },
            Ok(Collected { bundle, told }) => {
                let kept = self.retried(|| self.ports().archive.put_bundle(&bundle));
                match self.unless_overtaken(&state, kept).await? {
                    Ok(bundle_id) => Event::Collected {
                        stage,
                        bundle_id,
                        told,
                    },
                    Err(error) => stuck(stage, &error),
                }
            }
        };
        self.record(lease, state, event).await
    }

    pub(super) async fn judge(
        &self,
        lease: &Lease,
        state: State,
        stage: usize,
        bundle_id: String,
        told: Told,
    ) -> Result<Turn, TurnError> {
        let read = self.retried(|| self.ports().archive.bundle(&bundle_id));
        let bundle = match self.unless_overtaken(&state, read).await? {
            Ok(bundle) => bundle,
            Err(error) => return self.record(lease, state, stuck(stage, &error)).await,
        };
        let (judgement, headline) = match self.judged(bundle).await {
            Ok(judged) => judged,
            Err(failure) => {
                return self
                    .record(lease, state, Event::JudgingFailed { stage, failure })
                    .await;
            }
        };
        let Some(analyze) = analyze(&state, stage) else {
            return Err(TurnError::Invariant(format!(
                "stage {stage} is no analysis"
            )));
        };
        let outcome = Outcome {
            headline,
            ..Outcome::of(&judgement, state.request.follows_verdict)
        };
        let now_ms = self.ports().clock.now_ms();
        let record = JudgementRecord::new(bundle_id, judgement, now_ms, told);
        let name = state.judgement_name(analyze);
        let kept = self.retried(|| self.ports().archive.put_judgement(&name, &record));
        let event = match self.unless_overtaken(&state, kept).await? {
            Ok(()) => {
                let (number, verdict) = (analyze.number, outcome.verdict.word());
                info!(
                    execution.id = %state.id, number, verdict, score = outcome.score,
                    "judged: judgement {number} of execution `{}` is {verdict}", state.id
                );
                metrics::counter!("coalmine_judgements_total", "verdict" => verdict).increment(1);
                Event::Judged { stage, outcome }
            }
            Err(error) => stuck(stage, &error),
        };
        self.record(lease, state, event).await
    }

    /// Judging can take a while and, in a defect, panic: neither may stop other executions.
    async fn judged(
        &self,
        bundle: Bundle,
    ) -> Result<(coalmine_judges::judgement::Judgement, String), Failure> {
        let (analyst, headline) = (Arc::clone(&self.ports().analyst), self.ports().headline);
        let judging = tokio::task::spawn_blocking(move || {
            let judgement = analyst.judge(&bundle)?;
            let headline = headline(&judgement, &bundle.sets);
            Ok((judgement, headline))
        });
        judging.await.unwrap_or_else(|error| {
            Err(Failure {
                hint: Some("this is a defect of Coalmine; please report it".to_owned()),
                ..Failure::general(format!("the judge ended without an answer: {error}"))
            })
        })
    }

    /// Asks the archive again for as long as it is out of reach.
    async fn retried<T, F>(&self, ask: impl Fn() -> F) -> Result<T, ArchiveError>
    where
        F: Future<Output = Result<T, ArchiveError>>,
    {
        let mut tries = 1;
        loop {
            match ask().await {
                Err(error @ ArchiveError::Unavailable { .. }) if tries < MOST_TRIES => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        tries, "the archive is out of reach"
                    );
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }
}

fn analyze(state: &State, stage: usize) -> Option<&Analyze> {
    match state.request.stages.get(stage)? {
        Stage::Analyze(analyze) => Some(analyze),
        Stage::Wait(_) | Stage::Approve(_) | Stage::Operate(_) => None,
    }
}

/// An analyst that breaks its promise and gives no reason must not keep an execution from ending.
fn explained(mut failures: Vec<Failure>) -> Vec<Failure> {
    if failures.is_empty() {
        failures.push(Failure::general(
            "the series could not be collected, and no reason was given",
        ));
    }
    failures
}

fn stuck(stage: usize, error: &ArchiveError) -> Event {
    Event::GotStuck {
        stage,
        error: with_causes(error),
    }
}
