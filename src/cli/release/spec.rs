//! Release specs from files, and what of them goes to a service: the text, and the texts of the files that it names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::specs::{beside, refusal};
use crate::config::node;
use crate::config::release::{self, Overrides};
use crate::sources::files::open;

/// What is released.
#[derive(Debug, clap::Args)]
pub(super) struct SpecArgs {
    /// Release spec, YAML or JSON
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// The version, in place of the spec's
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// What is started (a path, an image), in place of the spec's
    #[arg(long, value_name = "REFERENCE")]
    artifact: Option<String>,
}

/// A spec that a service can plan, and what is surely not meant in it.
pub(super) struct Ready {
    pub(super) request: Value,
    pub(super) warnings: Vec<String>,
}

impl SpecArgs {
    /// Reads and checks the spec here, where its lines can be shown; the service checks it again.
    pub(super) fn ready(&self) -> Result<Ready, Failure> {
        let text = open::read_text(&self.spec, node::MAX_BYTES as u64)?;
        let folder = std::path::absolute(&self.spec)
            .ok()
            .and_then(|path| path.parent().map(Path::to_path_buf));
        let overrides = Overrides {
            version: self.version.clone(),
            artifact: self.artifact.clone(),
            folder: folder.clone(),
        };
        let files: RefCell<BTreeMap<String, String>> = RefCell::default();
        let reader = |file: &str| {
            let text = beside(&self.spec, file)?;
            files.borrow_mut().insert(file.to_owned(), text.clone());
            Ok(text)
        };
        let loaded = release::load(&text, &reader, &overrides)
            .map_err(|refused| refusal(&self.spec, *refused).so("Nothing was started."))?;
        let request = json!({
            "spec": text,
            "files": files.into_inner(),
            "version": self.version,
            "artifact": self.artifact,
            "folder": folder.map(|it| it.to_string_lossy().into_owned()),
        });
        Ok(Ready {
            request,
            warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
        })
    }
}
