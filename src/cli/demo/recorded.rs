//! A real incident, judged from files that are part of the program.

use std::path::Path;

use super::report_file;
use crate::archive::bundle::{Bundle, Saved, Sides, Told};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{inputs, judge};
use crate::config::{Strictness, load};
use crate::sources::files::csv_wide;
use crate::ui::report::{self as draw, Format};

const CONFIG_FILE: &str = "online-boutique.canary.yaml";
const CONFIG: &str =
    include_str!("../../../configs/examples/online-boutique/online-boutique.canary.yaml");
const BASELINE: &str = include_str!("../../../configs/examples/online-boutique/baseline.csv");
const CANARY: &str = include_str!("../../../configs/examples/online-boutique/canary.csv");

const STORY: &str = "\
A real incident, recorded in Google's Online Boutique on 22 August 2022 (Nezha data set, MIT licence):
in one pod of the recommendation service, other processes began to compete for the processor.
Baseline: 20 minutes before, without a fault. Canary: the 4 minutes after.
";
const ORIGIN: &str = "Nezha data set (IntelligentDDS, MIT licence), case cpu_contention of recommendationservice, 2022-08-22";

/// Stands in every report of this judgement, as the origin of its data within the JSON that it carries.
pub(super) fn mark() -> String {
    format!("\"origin\":{}", serde_json::Value::from(ORIGIN))
}

/// A demonstration that ran is a success, whatever the verdict.
pub(super) fn run(out: Option<&Path>, console: &mut Console) -> Result<Exit, Failure> {
    let path = report_file::choose(out, &[mark()])?;
    let file = report_file::open(&path)?;
    let saved = saved(console.now_ms())?;
    report_file::finish(file, &path, &draw::html(&saved)?)?;
    let mut style = console.text_style();
    style.all = true;
    style.report_path = Some(Console::shown_path(&path, &style));
    let text = draw::write(&saved, Format::Text, &style, None)?;
    console.tell(&format!("{STORY}\n{text}"))?;
    Ok(Exit::Pass)
}

/// The incident, judged.
fn saved(now_ms: i64) -> Result<Saved, Failure> {
    let config = load(CONFIG, Strictness::Strict)
        .map_err(|problems| Failure::config(CONFIG_FILE.to_owned(), CONFIG.to_owned(), problems))?;
    let baseline = csv_wide::read_side(BASELINE.as_bytes(), "baseline.csv")?;
    let canary = csv_wide::read_side(CANARY.as_bytes(), "canary.csv")?;
    let mut input = csv_wide::join(baseline, canary);
    inputs::complete(config.judge_config(), &mut input, false);
    let judge = inputs::choose_judge(None, Some(&config))?;
    let thresholds = inputs::choose_thresholds(None, None, Some(&config))?;
    let bundle = Bundle {
        version: Bundle::VERSION,
        config: Some(judge::wire_json(&config)?),
        judge: judge.name().to_owned(),
        judge_config: config.judge_config().clone(),
        thresholds,
        sets: input.sets,
        history: input.history,
        queries: input.queries,
    };
    let mut notes = inputs::config_notes(&config);
    notes.append(&mut input.notes);
    let told = Told {
        sides: Sides {
            application: judge::application(&config),
            baseline: Some("before the fault".to_owned()),
            canary: Some("with the fault".to_owned()),
        },
        origin: Some(ORIGIN.to_owned()),
        notes,
    };
    judge::judge_bundle(bundle, judge.as_ref(), now_ms, told)
}
