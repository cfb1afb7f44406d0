//! Release specs: what is read, what is refused, and in which words.

mod examples;
mod hostile;
mod overrides;
mod pages;
mod process;
mod refusals;
mod warnings;

use std::path::PathBuf;

use coalmine::config::problems::plain;
use coalmine::config::release::{Loaded, Overrides, Refused, load};

/// A canary config without warnings.
const CANARY: &str = include_str!("../../configs/examples/scrape.canary.yaml");

/// A spec to which `more` is added at the top level. It has an artifact, one target, and nothing else.
fn spec(more: &str) -> String {
    format!(
        "version: coalmine/v1\napplication: search\ntargets:\n- size: 3\nartifact: {{version: 5.4.0, reference: /srv/search}}\n{more}"
    )
}

/// Files beside a spec.
fn file(path: &str) -> Result<String, String> {
    match path {
        "c.yaml" => Ok(CANARY.to_owned()),
        "broken.yaml" => Ok("metrics:\n- name: m\n  groups: [g]\nclassifer: {}\n".to_owned()),
        _ => Err(format!("cannot read `{path}`: no such file")),
    }
}

fn read(text: &str) -> Result<Loaded, Box<Refused>> {
    load(text, &file, &Overrides::default())
}

#[track_caller]
fn taken(text: &str) -> Loaded {
    read(text).unwrap_or_else(|refused| panic!("{}", told(&refused)))
}

/// What is said of a spec that is refused.
#[track_caller]
fn refused(text: &str) -> String {
    match read(text) {
        Err(refused) => told(&refused),
        Ok(loaded) => panic!("loaded as {loaded:?}"),
    }
}

fn told(refused: &Refused) -> String {
    let files = refused.files.iter().map(|file| {
        let name = file.name.as_deref().unwrap_or("the spec");
        format!("{name}: {}", file.problems)
    });
    files.collect::<Vec<_>>().join("\n")
}

/// As a terminal shows it.
fn shown(refused: &Refused) -> String {
    let files = refused.files.iter().map(|file| {
        let name = file.name.as_deref().unwrap_or("search.yaml");
        file.problems.render(name, &file.text, &plain)
    });
    files.collect::<Vec<_>>().join("\n")
}

fn configs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/configs"))
}
