//! Stages that a spec lists itself.

use super::{Rules, SECOND_MS};
use crate::config::path::Path;
use crate::config::problems::Problem;
use crate::config::release::spec::{Promotion, StageSpec, Strategy};
use crate::config::release::wire::StageWire;

impl Rules {
    pub(super) fn stages(
        &mut self,
        mut stages: Vec<StageWire>,
        promotion: &Promotion,
    ) -> Vec<StageSpec> {
        self.few(&mut stages, Path::root().key("stages"), 200);
        let last = stages.len().saturating_sub(1);
        let mut deployed = false;
        let mut read = Vec::with_capacity(stages.len());
        for (index, stage) in stages.into_iter().enumerate() {
            let path = Path::root().key("stages").index(index);
            read.push(match stage {
                StageWire::Deploy { share, size } => {
                    deployed = true;
                    StageSpec::Deploy {
                        share: self.half(share.as_ref(), &path.key("share")),
                        size: size.unwrap_or(1),
                    }
                }
                StageWire::Wait { time } => StageSpec::Wait {
                    for_ms: self.time(time.as_ref(), path.key("for"), SECOND_MS, 0),
                },
                StageWire::Analyze { judgements } => {
                    if !deployed {
                        let found = "`analyze` before any `deploy`";
                        let expected = "a baseline and a canary that can be compared";
                        self.problem(
                            Problem::new(path, found, expected)
                                .hint("put `{type: deploy, share: 5%, size: 1}` before it"),
                        );
                    }
                    StageSpec::Analyze {
                        judgements: judgements.unwrap_or(1),
                    }
                }
                StageWire::Approve { instructions } => StageSpec::Approve {
                    instructions: instructions.unwrap_or_default(),
                },
                StageWire::Promote {} => {
                    if index != last {
                        let found = format!("`promote` as stage {} of {}", index + 1, last + 1);
                        self.problem(
                            Problem::new(path, found, "it as the last stage, and only there")
                                .hint("how the new version takes over step by step, and is judged meanwhile, is said under `promotion`"),
                        );
                    } else if promotion.strategy == Strategy::Judge {
                        let found = "`promote` with the strategy `judge`, which promotes nothing";
                        let expected = "another strategy, or no such stage";
                        self.problem(Problem::new(path, found, expected));
                    }
                    StageSpec::Promote
                }
            });
        }
        read
    }
}
