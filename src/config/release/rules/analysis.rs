//! How the new version is judged, what follows, and how a person is asked.

use std::sync::Arc;

use coalmine_judges::config::Thresholds;

use super::{HOUR_MS, MINUTE_MS, Rules, SECOND_MS};
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::release::read::ReadConfig;
use crate::config::release::spec::{
    AnalysisSpec, AskSpec, Consequence, Consequences, WithoutAnswer,
};
use crate::config::release::wire::{
    AnalysisWire, AskWire, DoubtWire, OnVerdictWire, PassWire, ThresholdsWire, WithoutAnswerWire,
};

/// What follows from the verdicts; of a failure there is only one word.
pub(super) fn consequences(wire: OnVerdictWire) -> Consequences {
    let doubt = |wire: Option<DoubtWire>| match wire {
        None | Some(DoubtWire::Ask) => Consequence::Ask,
        Some(DoubtWire::RollBack) => Consequence::RollBack,
    };
    Consequences {
        pass: match wire.pass {
            None | Some(PassWire::Promote) => Consequence::Promote,
            Some(PassWire::Ask) => Consequence::Ask,
        },
        marginal: doubt(wire.marginal),
        inconclusive: doubt(wire.inconclusive),
    }
}

impl Rules {
    pub(super) fn analysis(
        &mut self,
        wire: &AnalysisWire,
        config: Option<ReadConfig>,
    ) -> AnalysisSpec {
        let path = Path::root().key("analysis");
        // Where it could not be read, that is told already.
        let config = config.unwrap_or_default();
        if let Some(source) = &wire.source {
            self.plain(source, path.key("source"), 128);
        }
        let step_path = path.key("step");
        let step_ms = self.time(wire.step.as_ref(), step_path.clone(), 10_000, SECOND_MS);
        if !step_ms.is_multiple_of(SECOND_MS) {
            let found = format!("`{}`", super::super::brief(step_ms));
            self.problem(Problem::new(step_path, found, "whole seconds"));
        }
        let limits = wire.limits.unwrap_or_default();
        let look_back_ms = wire.look_back.as_ref().map(|text| {
            let path = path.key("lookBack");
            self.time(Some(text), path, step_ms, step_ms)
        });
        AnalysisSpec {
            config: Arc::new(config.wire),
            source: wire.source.clone(),
            warm_up_ms: self.time(wire.warm_up.as_ref(), path.key("warmUp"), MINUTE_MS, 0),
            interval_ms: self.time(
                wire.interval.as_ref(),
                path.key("interval"),
                5 * MINUTE_MS,
                SECOND_MS,
            ),
            look_back_ms,
            step_secs: step_ms / SECOND_MS,
            thresholds: self.thresholds(
                wire.thresholds.unwrap_or_default(),
                config.thresholds.unwrap_or_default(),
                path.key("thresholds"),
            ),
            errors: limits.errors.unwrap_or(0),
            inconclusive: limits.inconclusive.unwrap_or(2),
        }
    }

    fn thresholds(&mut self, wire: ThresholdsWire, others: Thresholds, path: Path) -> Thresholds {
        let thresholds = Thresholds {
            pass: wire.pass.unwrap_or(others.pass),
            marginal: wire.marginal.unwrap_or(others.marginal),
        };
        if thresholds.marginal > thresholds.pass {
            let found = format!(
                "`marginal` {} above `pass` {}",
                thresholds.marginal, thresholds.pass
            );
            let problem = Problem::new(path, found, "at most that");
            self.problem(
                problem.hint("write both; the one that is absent comes from the canary config"),
            );
        }
        thresholds
    }

    pub(super) fn ask(&mut self, wire: AskWire) -> AskSpec {
        let path = Path::root().key("ask");
        let who = wire.who.unwrap_or_default();
        for (index, name) in who.iter().enumerate() {
            self.plain(name, path.key("who").index(index), 128);
        }
        AskSpec {
            deadline_ms: self.time(
                wire.deadline.as_ref(),
                path.key("deadline"),
                HOUR_MS,
                SECOND_MS,
            ),
            without_answer: match wire.without_answer {
                None | Some(WithoutAnswerWire::RollBack) => WithoutAnswer::RollBack,
                Some(WithoutAnswerWire::KeepWaiting) => WithoutAnswer::KeepWaiting,
            },
            instructions: wire.instructions.unwrap_or_default(),
            who,
        }
    }
}
