//! What a judgement starts from: config, thresholds, judge and series.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use coalmine_judges::config::{JudgeConfig, MetricSpec, Thresholds};
use coalmine_judges::judge::Judge;
use coalmine_judges::judges;
use coalmine_judges::series::{MetricSetPair, Series};

use super::failure::Failure;
use super::live::SideNames;
use crate::archive::whole_file::resolved;
use crate::config::{CanaryConfig, Strictness, load, node};
use crate::model::query::SentQueries;
use crate::sources::files::problem::InputError;
use crate::sources::files::{FileInput, csv_long, csv_wide, note_on, open, pairs};

/// The one group of metrics that no config names.
pub(super) const DEFAULT_GROUP: &str = "metrics";

/// Where the series are.
#[derive(Debug, clap::Args)]
pub(super) struct SeriesArgs {
    /// Kayenta's metric set pair list, JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "baseline", "canary", "metric_store"])]
    pairs: Option<PathBuf>,
    /// Both sides in one CSV: timestamp,metric,side,value and tags
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "canary", "metric_store"])]
    data: Option<PathBuf>,
    /// The version now live: CSV with a column for each metric; or its scope in a metric store
    #[arg(long, value_name = "FILE|SCOPE", requires = "canary")]
    baseline: Option<PathBuf>,
    /// The new version, likewise
    #[arg(long, value_name = "FILE|SCOPE", requires = "baseline")]
    canary: Option<PathBuf>,
}

impl SeriesArgs {
    /// All files that are read.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.pairs, &self.data, &self.baseline, &self.canary]
            .into_iter()
            .flatten()
    }

    /// Baseline and canary as scopes of a metric store.
    pub(super) fn side_names(&self) -> SideNames<'_> {
        SideNames {
            baseline: self.baseline.as_deref(),
            canary: self.canary.as_deref(),
        }
    }

    /// The names of baseline and canary, where they are files of their own.
    pub(super) fn sides(&self) -> (Option<String>, Option<String>) {
        let name = |path: &Option<PathBuf>| path.as_deref().map(file_name);
        (name(&self.baseline), name(&self.canary))
    }

    /// Whether the order of the pairs is the input's own, and not the config's.
    pub(super) fn keeps_order(&self) -> bool {
        self.pairs.is_some()
    }

    /// Reads them.
    pub(super) fn read(&self) -> Result<FileInput, Failure> {
        if let Some(path) = &self.pairs {
            let text = open::read_text(path, open::MAX_BYTES)?;
            return Ok(pairs::read(&text, &path.display().to_string())?);
        }
        if let Some(path) = &self.data {
            return Ok(csv_long::read(
                open::open(path)?,
                &path.display().to_string(),
            )?);
        }
        match (&self.baseline, &self.canary) {
            (Some(baseline), Some(canary)) => read_wide(baseline, canary),
            // The argument parser asks for one of them.
            (None | Some(_), _) => Err(Failure::new("no input files")),
        }
    }
}

fn read_wide(baseline: &Path, canary: &Path) -> Result<FileInput, Failure> {
    let side = |path: &Path| -> Result<csv_wide::WideSide, InputError> {
        let side = csv_wide::read_side(open::open(path)?, &path.display().to_string())?;
        // Errors name the whole path; what is kept does not tell where on a machine a file was.
        Ok(csv_wide::WideSide {
            file: file_name(path),
            ..side
        })
    };
    match (side(baseline), side(canary)) {
        (Ok(baseline), Ok(canary)) => Ok(csv_wide::join(baseline, canary)),
        (Err(first), Err(second)) => Err(Failure::from(first).and(second.into())),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error.into()),
    }
}

/// The last part of a path, for people.
pub(super) fn file_name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_owned();
    }
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Refuses to write `path` where that is one of the files `claimed` (resolved) for something else; devices may be.
pub(super) fn check_not_claimed(path: &Path, claimed: &[PathBuf]) -> Result<(), Failure> {
    let device = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if device || !claimed.contains(&resolved(path)) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` is given twice; expected another file to write to",
        path.display()
    )))
}

/// Reads a canary config.
pub(super) fn load_config(path: &Path, lenient: bool) -> Result<CanaryConfig, Failure> {
    canary_config(path, config_text(path)?, lenient)
}

/// The text of a config of any kind.
pub(super) fn config_text(path: &Path) -> Result<String, Failure> {
    Ok(open::read_text(path, node::MAX_BYTES as u64)?)
}

/// The canary config that `text`, which was read from `path`, is.
pub(super) fn canary_config(
    path: &Path,
    text: String,
    lenient: bool,
) -> Result<CanaryConfig, Failure> {
    let strictness = if lenient {
        Strictness::Lenient
    } else {
        Strictness::Strict
    };
    match load(&text, strictness) {
        Ok(config) => Ok(config),
        Err(problems) => Err(Failure::config(path.display().to_string(), text, problems)),
    }
}

/// What a reader of the judgement should know of the config.
pub(super) fn config_notes(config: &CanaryConfig) -> Vec<String> {
    let ignored = config
        .ignored()
        .iter()
        .map(|what| format!("ignored: {what}"));
    let warnings = config.warnings().iter().map(ToString::to_string);
    warnings.chain(ignored).collect()
}

/// Whether the config asks for a judge that is not here: valid, but not judged without `--judge`.
pub(super) fn judge_note(config: &CanaryConfig) -> Option<String> {
    let name = config.judge_name()?;
    judges::by_name(name).is_none().then(|| {
        format!(
            "judge.name: this version has no judge `{name}`; `coalmine judge` needs `--judge {}`",
            judges::NAMES[0]
        )
    })
}

/// The judge: as asked, else as the config says, else the first.
pub(super) fn choose_judge(
    asked: Option<&str>,
    config: Option<&CanaryConfig>,
) -> Result<Box<dyn Judge>, Failure> {
    let (name, from) = match (asked, config.and_then(CanaryConfig::judge_name)) {
        (Some(name), _) => (name, "--judge"),
        (None, Some(name)) => (name, "the config's judge.name"),
        (None, None) => (judges::NAMES[0], "the default"),
    };
    judges::by_name(name).ok_or_else(|| {
        let known: Vec<String> = judges::NAMES
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let failure = Failure::new(format!(
            "no judge is called `{name}` ({from}); expected {}",
            known.join(" or ")
        ));
        if asked.is_none() {
            failure.hint(format!(
                "`--judge {}` judges by another one",
                judges::NAMES[0]
            ))
        } else {
            failure
        }
    })
}

/// The thresholds: flags, else the config's, else the defaults.
pub(super) fn choose_thresholds(
    pass: Option<f64>,
    marginal: Option<f64>,
    config: Option<&CanaryConfig>,
) -> Result<Thresholds, Failure> {
    let from_config = config.and_then(CanaryConfig::score_thresholds);
    let base = from_config.unwrap_or_default();
    let chosen = Thresholds {
        pass: pass.unwrap_or(base.pass),
        marginal: marginal.unwrap_or(base.marginal),
    };
    let origin = |flag: bool| match (flag, from_config) {
        (true, _) => "",
        (false, Some(_)) => ", from the config",
        (false, None) => ", the default",
    };
    let mut failure: Option<Failure> = None;
    let mut add = |next: Failure| {
        failure = Some(match failure.take() {
            Some(before) => before.and(next),
            None => next,
        });
    };
    let both = [
        ("pass", chosen.pass, pass),
        ("marginal", chosen.marginal, marginal),
    ];
    for (name, value, flag) in both {
        if !(0.0..=100.0).contains(&value) {
            let origin = origin(flag.is_some());
            add(Failure::new(format!(
                "the {name} threshold is {value}{origin}; expected a score of 0 to 100"
            )));
        }
    }
    if chosen.marginal > chosen.pass {
        add(Failure::new(format!(
            "the marginal threshold is {}{}, above the pass threshold {}{}; expected at most that",
            chosen.marginal,
            origin(marginal.is_some()),
            chosen.pass,
            origin(pass.is_some()),
        ))
        .hint("give both: `--pass N --marginal N`"));
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(chosen),
    }
}

/// Every metric that was found, judged by the defaults, in one group.
pub(super) fn default_config(sets: &[MetricSetPair]) -> JudgeConfig {
    let mut seen = HashSet::new();
    let metrics = sets
        .iter()
        .filter(|set| seen.insert(set.name.as_str()))
        .map(|set| MetricSpec::new(set.name.clone(), [DEFAULT_GROUP]))
        .collect();
    JudgeConfig {
        metrics,
        group_weights: BTreeMap::from([(DEFAULT_GROUP.to_owned(), 100.0)]),
    }
}

/// An export has more columns than a config has metrics: what the config does not name is not judged, and a note says so. A
/// pair list is made for its config, so there it stays and is refused, as in Kayenta.
fn leave_out_extra_columns(config: &JudgeConfig, input: &mut FileInput) {
    let known: HashSet<&str> = config
        .metrics
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    let mut extra: Vec<String> = Vec::new();
    input.sets.retain(|set| {
        let keep = known.contains(set.name.as_str());
        if !keep && extra.last() != Some(&set.name) {
            extra.push(set.name.clone());
        }
        keep
    });
    extra.sort();
    extra.dedup();
    let note = note_on(&extra, "is", "are", "not in the config, so not judged");
    input.notes.extend(note);
}

/// Adds a pair without points for each metric of the config that the input does not have: no evidence is never success, so
/// a metric that is missing altogether must not be forgotten. Series from CSV are put in the config's order, those of one
/// metric by their tags.
pub(super) fn complete(config: &JudgeConfig, input: &mut FileInput, keep_order: bool) {
    if !keep_order {
        leave_out_extra_columns(config, input);
    }
    let present: HashSet<String> = input.sets.iter().map(|set| set.name.clone()).collect();
    let mut ids: HashSet<String> = input.sets.iter().map(|set| set.id.clone()).collect();
    let mut added = HashSet::new();
    let mut absent = Vec::new();
    for spec in &config.metrics {
        if present.contains(&spec.name) || !added.insert(spec.name.as_str()) {
            continue;
        }
        let mut id = spec.name.clone();
        let mut number = 2_usize;
        while !ids.insert(id.clone()) {
            id = format!("{}#{number}", spec.name);
            number += 1;
        }
        // Where there is history, a note says already that there is nothing else.
        if !input.history.iter().any(|past| past.name == spec.name) {
            absent.push(spec.name.clone());
        }
        input.sets.push(MetricSetPair {
            name: spec.name.clone(),
            id,
            tags: BTreeMap::new(),
            baseline: Series::default(),
            canary: Series::default(),
        });
        if !input.queries.is_empty() {
            input.queries.push(SentQueries::default());
        }
    }
    let note = note_on(
        &absent,
        "of the config is",
        "of the config are",
        "in no input file",
    );
    input.notes.extend(note);
    if keep_order {
        return;
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, spec) in config.metrics.iter().enumerate() {
        places.entry(spec.name.as_str()).or_insert(place);
    }
    let place = |name: &str| places.get(name).copied().unwrap_or(usize::MAX);
    // Names that the config does not have are refused later, in an order of their own.
    input.sets.sort_by(|a, b| {
        (place(&a.name), &a.name, &a.tags).cmp(&(place(&b.name), &b.name, &b.tags))
    });
}
