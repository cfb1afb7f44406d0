//! A folder of files as an account of a metric store.
//!
//! The scope of a question names a file of the folder without its ending, the location (where there is one) a folder in it,
//! and the metric's name a column or the rows of that name; what else the query says is passed over, so that a config that was
//! written for any store can be tried with files. A wide CSV holds one side, so that its name alone is the scope
//! (`web-canary`); a long CSV and a pair list hold several, and the scope says which: `checkout:baseline`,
//! `checkout:canary`, `checkout:history`.
//!
//! Of a file's series the points within the window are taken, on the file's own grid: nothing is aligned, filled or
//! averaged. Names come from requests, so that they can only mean what stands in the folder.

mod content;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::spawn_blocking;

use super::problem::InputError;
use crate::config::canary::wire::Query;
use crate::model::metric_set::MetricSet;
use crate::model::scope::Scope;
use crate::sources::{Fetched, MetricSource, Question, Remedy, SourceError};
use content::{Content, read, within};

/// Endings of files, in the order in which they are looked for.
const ENDINGS: [&str; 4] = ["csv", "csv.gz", "json", "json.gz"];

/// Words for the parts of a file that holds more than one side.
const PARTS: [&str; 3] = ["baseline", "canary", "history"];

/// How many files are kept as they were read last.
const KEPT: usize = 8;

/// How many files are looked through for names of metrics.
const MOST_NAMED: usize = 100;

/// Reads series from the files of one folder.
#[derive(Debug)]
pub struct FilesSource {
    folder: PathBuf,
    kept: Mutex<Vec<(PathBuf, Slot)>>,
}

/// One file as it was read last. Who reads it holds its lock, so that it is read once for all; other files are not held up.
type Slot = Arc<AsyncMutex<Option<(Stamp, Arc<Content>)>>>;

/// A file with the same stamp is the same file.
type Stamp = (u64, Option<SystemTime>);

impl FilesSource {
    /// Reads the files of `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            kept: Mutex::default(),
        }
    }

    /// The content of `file`, read again only where it changed.
    async fn content(&self, file: &Place) -> Result<Arc<Content>, SourceError> {
        let slot = self.slot(&file.path);
        let mut kept = slot.lock().await;
        let path = file.path.clone();
        let stamp = aside(move || stamp(&path)).await?;
        let stamp = stamp.map_err(|error| file.unreadable(&error))?;
        if let Some((known, content)) = kept.as_ref()
            && *known == stamp
        {
            return Ok(Arc::clone(content));
        }
        let (path, name) = (file.path.clone(), file.name.clone());
        let read = aside(move || read(&path, &name)).await?;
        let content = Arc::new(read.map_err(|error| misread(&error))?);
        *kept = Some((stamp, Arc::clone(&content)));
        Ok(content)
    }

    /// The place of a file among those that are kept; it becomes the newest one.
    fn slot(&self, path: &Path) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(known, _)| known == path);
        let (path, slot) = match known {
            Some(index) => kept.remove(index),
            None => (path.to_owned(), Slot::default()),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((path, Arc::clone(&slot)));
        slot
    }
}

/// Does on a thread of its own what may wait for a disk.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    spawn_blocking(work).await.map_err(|error| {
        let message = format!("cannot read the account's folder: {error}");
        SourceError::new(Remedy::GiveUp, message)
    })
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// A file that a scope names, and the part of it.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// As messages name it: below the account's folder.
    name: String,
    part: Option<usize>,
}

impl Place {
    fn unreadable(&self, error: &dyn std::fmt::Display) -> SourceError {
        let message = format!("cannot read `{}`: {error}", self.name);
        SourceError::new(Remedy::GiveUp, message)
    }
}

/// The words of a scope: folder, file without ending, part.
struct Words<'s> {
    folder: Option<&'s str>,
    stem: &'s str,
    part: Option<usize>,
}

impl<'s> Words<'s> {
    fn of(scope: &'s Scope) -> Result<Self, SourceError> {
        let (stem, part) = match scope.scope.split_once(':') {
            None => (scope.scope.as_str(), None),
            Some((stem, word)) => match PARTS.iter().position(|part| *part == word) {
                Some(part) => (stem, Some(part)),
                None => {
                    return Err(SourceError::new(
                        Remedy::Mend,
                        format!(
                            "the scope `{}` ends in `{word}`; expected `baseline`, `canary` or `history` after the colon",
                            scope.scope
                        ),
                    ));
                }
            },
        };
        let folder = Some(scope.location.as_str()).filter(|location| !location.is_empty());
        for (what, name) in [("scope", Some(stem)), ("location", folder)] {
            if name.is_some_and(|name| !is_plain(name)) {
                return Err(SourceError {
                    hint: Some("the scope is the name of a file in the account's folder, without `.csv` or `.json`".to_owned()),
                    ..SourceError::new(
                        Remedy::Mend,
                        format!(
                            "the {what} `{}` cannot be the name of a file; expected letters, digits, `-`, `_` and `.`",
                            name.unwrap_or_default().escape_debug()
                        ),
                    )
                });
            }
        }
        Ok(Self { folder, stem, part })
    }

    fn shown(&self) -> String {
        let folder = self.folder.map(|folder| format!("{folder}/"));
        let part = self.part.map(|part| format!(":{}", PARTS[part]));
        [
            folder.unwrap_or_default(),
            self.stem.to_owned(),
            part.unwrap_or_default(),
        ]
        .concat()
    }
}

/// Whether a name means nothing but a file of that name: no separators, and no dot in front.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(allowed)
}

#[async_trait]
impl MetricSource for FilesSource {
    fn kind(&self) -> &'static str {
        "files"
    }

    /// Any query: the metric's name and the scope select the rows.
    fn accepts(&self, _query: &Query) -> bool {
        true
    }

    fn render(&self, question: &Question) -> Result<String, SourceError> {
        let words = Words::of(&question.scope)?;
        Ok(format!("{} {}", words.shown(), question.metric))
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, SourceError> {
        let query = self.render(question)?;
        let answer = self.answer(question, &query).await;
        answer.map_err(|error| SourceError {
            query: Some(query),
            ..error
        })
    }

    async fn metric_names(&self, filter: &str) -> Result<Vec<String>, SourceError> {
        let filter = filter.to_lowercase();
        let mut names = BTreeSet::new();
        for file in self.all_files().await?.into_iter().take(MOST_NAMED) {
            // A file that cannot be read has no names; whoever asks for it is told why.
            if let Ok(content) = self.content(&file).await {
                let of_file = content.series.iter().map(|series| series.name.clone());
                names.extend(of_file.filter(|name| name.to_lowercase().contains(&filter)));
            }
        }
        Ok(names.into_iter().collect())
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.all_files().await.map(|_| ())
    }
}

impl FilesSource {
    async fn answer(&self, question: &Question, query: &str) -> Result<Fetched, SourceError> {
        let (folder, scope) = (self.folder.clone(), question.scope.clone());
        let found = aside(move || Words::of(&scope).and_then(|words| find(&folder, &words)));
        let file = found.await??;
        let content = self.content(&file).await?;
        let part = match (content.whole, file.part) {
            (true, None) => 0,
            (false, Some(part)) => part,
            (true, Some(_)) => {
                return Err(SourceError::new(
                    Remedy::Mend,
                    format!(
                        "`{}` holds one side; expected a scope without a colon",
                        file.name
                    ),
                ));
            }
            (false, None) => {
                return Err(SourceError::new(
                    Remedy::Mend,
                    format!(
                        "`{}` holds several sides; expected a scope that ends in `:baseline`, `:canary` or `:history`",
                        file.name
                    ),
                ));
            }
        };
        let scope = &question.scope;
        let mut fetched = Fetched {
            sets: Vec::new(),
            query: query.to_owned(),
            points: 0,
            expected_points: 0,
            warnings: Vec::new(),
            build: None,
        };
        let named = content
            .series
            .iter()
            .filter(|series| series.name == question.metric);
        let mut known = false;
        for series in named {
            known = true;
            if series.part != part || series.series.is_empty() {
                continue;
            }
            let (set, timed) = within(series, scope);
            fetched.points += set.values.iter().flatten().count() as u64;
            fetched.expected_points += match timed {
                true => scope.window.length_ms() / set.step_ms.max(1) + 1,
                false => set.values.len() as u64,
            };
            if !timed {
                let warning = format!(
                    "`{}` has no times, so that all its points were taken",
                    file.name
                );
                fetched.warnings.push(warning);
            }
            fetched.sets.push(set);
        }
        if !known {
            let warning = format!("`{}` has no metric of this name", file.name);
            fetched.warnings.push(warning);
        }
        if fetched.sets.is_empty() {
            fetched.expected_points = scope.expected_points();
            fetched.sets.push(placeholder(question));
        }
        fetched.warnings.dedup();
        Ok(fetched)
    }

    async fn all_files(&self) -> Result<Vec<Place>, SourceError> {
        let folder = self.folder.clone();
        aside(move || files(&folder)).await?
    }
}

/// The file that a scope names.
fn find(folder: &Path, words: &Words<'_>) -> Result<Place, SourceError> {
    let below = words.folder.map(|folder| format!("{folder}/"));
    let below = below.unwrap_or_default();
    for ending in ENDINGS {
        let name = format!("{below}{}.{ending}", words.stem);
        let path = folder.join(&name);
        if path.is_file() {
            return Ok(Place {
                path,
                name,
                part: words.part,
            });
        }
    }
    Err(SourceError {
        hint: Some(
            "the scope is the name of a file in the account's folder, without its ending"
                .to_owned(),
        ),
        ..SourceError::new(
            Remedy::Mend,
            format!(
                "no file is called `{below}{0}.csv` or `{below}{0}.json`",
                words.stem
            ),
        )
    })
}

/// All files of the folder and of the folders in it, by name.
fn files(folder: &Path) -> Result<Vec<Place>, SourceError> {
    let listed = |folder: &Path| -> std::io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)?;
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    let top = listed(folder).map_err(|error| {
        let message = format!("cannot read the account's folder: {error}");
        SourceError::new(Remedy::GiveUp, message)
    })?;
    let mut paths = Vec::new();
    for path in top {
        if path.is_dir() {
            paths.extend(listed(&path).unwrap_or_default());
        } else {
            paths.push(path);
        }
    }
    paths.retain(|path| {
        let name = path.to_string_lossy();
        path.is_file()
            && ENDINGS
                .iter()
                .any(|ending| name.ends_with(&format!(".{ending}")))
    });
    paths.sort();
    let places = paths.into_iter().map(|path| Place {
        name: path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .display()
            .to_string(),
        path,
        part: None,
    });
    Ok(places.collect())
}

/// What stands for a metric without points.
fn placeholder(question: &Question) -> MetricSet {
    let scope = &question.scope;
    MetricSet {
        name: question.metric.clone(),
        tags: Default::default(),
        start_ms: scope.window.start_ms(),
        end_ms: scope.window.end_ms(),
        step_ms: scope.step_secs.saturating_mul(1000),
        values: Vec::new(),
        attributes: Default::default(),
    }
}

fn misread(error: &InputError) -> SourceError {
    let mut problems: Vec<String> = error
        .problems
        .iter()
        .take(3)
        .map(ToString::to_string)
        .collect();
    let more = error.problems.len() as u64 + error.more - problems.len() as u64;
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    SourceError {
        hint: Some("`coalmine judge` reads the same formats and tells all problems".to_owned()),
        ..SourceError::new(Remedy::Mend, format!("{error}: {}", problems.join("; ")))
    }
}
