//! From what is known of a release to where it stands. Pure.

use super::At;
use super::status::{Check, MetricStatus, ReleaseStatus, ThresholdsStatus, VERSION, short_id};
use super::{commands, headline, next, phases, targets};
use crate::executions::release::desk::Look;
use crate::executions::request::Kind;
use crate::stages::plan::Release;

/// How many metrics are named.
const WORST: usize = 3;
impl ReleaseStatus {
    /// The version that served before; `None` at a first deployment.
    pub(super) fn from_version(release: &Release) -> Option<String> {
        let from = release.targets.iter().find_map(|it| it.previous.first());
        from.map(|group| group.artifact.version.clone())
    }

    /// Where the release of `look` stands at `now_ms`; `None` where the execution is no release.
    #[must_use]
    pub fn of(look: &Look, now_ms: i64) -> Option<Self> {
        let state = &look.state;
        let rests_on = state.request.release.as_deref()?;
        let release = state.release.as_ref()?;
        if state.request.kind != Kind::Release {
            return None;
        }
        let now = At(now_ms);
        let spec = &rests_on.spec;
        let worst = look.judgement.as_ref();
        Some(Self {
            version: VERSION,
            id: state.id.to_string(),
            short_id: short_id(state.id.as_str()).to_owned(),
            last_event: state.seq,
            now,
            application: spec.application.clone(),
            from_version: Self::from_version(rests_on),
            to_version: spec.artifact.version.clone(),
            user: state.request.user.clone(),
            created_at: At(state.created_ms),
            ended_at: state.end.as_ref().map(|end| At(end.at_ms)),
            state: headline::state(state),
            headline: headline::headline(state, rests_on, now),
            outcome: headline::outcome(state),
            next: next::next(state),
            question: next::question(state),
            held_by: next::held_by(release),
            operation: next::operation(state),
            phases: phases::phases(state, rests_on),
            thresholds: spec.analysis.as_ref().map(|it| ThresholdsStatus {
                pass: it.thresholds.pass,
                marginal: it.thresholds.marginal,
            }),
            worst_of: worst.map(|(number, _)| *number),
            worst: worst
                .map(|(_, judgement)| coalmine_reports::worst(judgement, WORST))
                .unwrap_or_default()
                .into_iter()
                .map(MetricStatus::from)
                .collect(),
            targets: targets::targets(state, rests_on, look),
            checks: look
                .notes
                .iter()
                .map(|note| Check {
                    what: note.what.clone(),
                    holds: note.holds,
                    sentence: note.sentence.clone(),
                })
                .collect(),
            rollback: commands::rollback(state, look),
            commands: commands::commands(state, rests_on, look),
            report: state
                .last_outcome()
                .map(|(analyze, _)| format!("/reports/{}", state.judgement_name(analyze))),
        })
    }
}

impl From<coalmine_reports::MetricLine> for MetricStatus {
    fn from(line: coalmine_reports::MetricLine) -> Self {
        Self {
            name: line.name,
            result: line.result.to_owned(),
            effect: line.effect,
            interval: line.interval,
            tolerance: line.tolerance,
            points: line.points,
            why: line.why,
            critical: line.critical,
        }
    }
}
