//! What a schema cannot say of the accounts of drivers.

use std::collections::HashSet;
use std::path::Path as FilePath;

use super::super::deployments::{Deployment, DeploymentKind, DeploymentWire};
use super::Rules;
use crate::config::node::shorten;
use crate::config::path::Path;
use crate::config::problems::Problem;

/// Longest name of an account: it is the name of a folder too.
const MOST_NAME_BYTES: usize = 64;

impl Rules {
    pub(super) fn deployments(
        &mut self,
        wire: Option<Vec<DeploymentWire>>,
        folder: &FilePath,
    ) -> Vec<Deployment> {
        let Some(wire) = wire else {
            return vec![Deployment::local()];
        };
        let (mut names, mut dirs) = (HashSet::new(), HashSet::new());
        let mut read = Vec::with_capacity(wire.len());
        for (index, deployment) in wire.into_iter().enumerate() {
            let path = Path::root().key("deployments").index(index);
            let DeploymentWire::Local { name, dir } = deployment;
            // What is absent is told by the shape.
            let Some(name) = name else { continue };
            self.deployment_name(&name, path.key("name"), &mut names);
            let dir = dir.map(|dir| folder.join(dir));
            if let Some(dir) = &dir
                && !dirs.insert(dir.clone())
            {
                let found = format!(
                    "the folder `{}` a second time",
                    shorten(&dir.display().to_string(), 60)
                );
                let expected = "a folder of its own for each account";
                self.problems
                    .push(Problem::new(path.key("dir"), found, expected));
            }
            if dir.as_deref() == Some(folder) {
                let problem = Problem::new(path.key("dir"), "an empty text", "a folder");
                self.problems.push(problem);
            }
            read.push(Deployment {
                name,
                kind: DeploymentKind::Local { dir },
            });
        }
        read
    }

    fn deployment_name(&mut self, name: &str, path: Path, seen: &mut HashSet<String>) {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > MOST_NAME_BYTES || !name.chars().all(fits) {
            let expected =
                format!("a name of at most {MOST_NAME_BYTES} letters, digits, `-` and `_`");
            self.wrong(path, name, &expected);
        } else if !seen.insert(name.to_owned()) {
            let found = format!("the name `{name}` a second time");
            let expected = "a name of its own for each account";
            self.problems.push(Problem::new(path, found, expected));
        }
    }
}
