//! What people see of a release, drawn from its state: each text is a file in `tests/golden/release`, looked at.

pub(crate) mod fixture;
mod lines;
mod plans;
mod texts;

use std::fs;
use std::path::Path;

/// Holds a text against the committed one; `COALMINE_WRITE` writes it anew.
fn golden(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/release");
    let file = folder.join(name);
    if std::env::var_os("COALMINE_WRITE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "tests/golden/release/{name} is not what is drawn; run this test with COALMINE_WRITE=1 and look at it:\n{text}"
    );
}
