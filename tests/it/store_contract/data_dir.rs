//! One process for each data folder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use coalmine::store::data_dir::{DataDir, DataDirError, is_held};

#[test]
fn a_folder_that_is_absent_is_made_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("deep/data");
    let data = DataDir::open(&path).unwrap();
    assert_eq!(data.path(), path);
    assert_eq!(data.database(), path.join("coalmine.db"));
    assert_eq!(data.archive(), path.join("archive"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn a_folder_is_served_once_and_the_other_is_named() {
    let place = tempfile::tempdir().unwrap();
    let first = DataDir::open(place.path()).unwrap();
    let error = DataDir::open(place.path()).unwrap_err();
    let told = format!(
        "the data folder `{}` is served by the process {}",
        place.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), told);
    assert!(error.hint().contains("stop the other process"));
    drop(first);
    DataDir::open(place.path()).unwrap();
}

#[test]
fn who_looks_sees_whether_a_folder_is_served_and_keeps_nobody_out() {
    let place = tempfile::tempdir().unwrap();
    assert!(!is_held(place.path()), "there is no lock yet");
    let served = DataDir::open(place.path()).unwrap();
    assert!(is_held(place.path()));
    drop(served);
    assert!(!is_held(place.path()), "the file stays, and tells nothing");
    DataDir::open(place.path()).unwrap();
}

/// A killed process leaves its lock file, and no lock.
#[cfg(target_os = "linux")]
#[test]
fn a_lock_ends_with_the_process_that_held_it() {
    let place = tempfile::tempdir().unwrap();
    drop(DataDir::open(place.path()).unwrap());
    let lock = place.path().join("coalmine.lock");
    // `flock` of util-linux holds the same kind of lock.
    let mut holder = Command::new("flock")
        .arg("--close")
        .arg(&lock)
        .args(["sh", "-c", "echo held; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut told = BufReader::new(holder.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    fs::write(&lock, "no number").unwrap();
    let error = DataDir::open(place.path()).unwrap_err();
    assert!(matches!(error, DataDirError::InUse { pid: None, .. }));
    assert!(error.to_string().ends_with("is served by another process"));
    holder.kill().unwrap();
    holder.wait().unwrap();
    DataDir::open(place.path()).unwrap();
    let pid = fs::read_to_string(&lock).unwrap();
    assert_eq!(pid, format!("{}\n", std::process::id()));
}

#[test]
fn what_is_no_folder_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = DataDir::open(&file).unwrap_err();
    assert!(error.to_string().ends_with("is a file; expected a folder"));
    let error = DataDir::open(&file.join("below")).unwrap_err();
    assert!(matches!(error, DataDirError::System { .. }), "{error:?}");
}

#[test]
fn an_installation_has_a_name_for_as_long_as_its_folder_lasts() {
    let place = tempfile::tempdir().unwrap();
    let data = DataDir::open(place.path()).unwrap();
    let name = data.installation().unwrap();
    assert_eq!(name.as_str().len(), 26, "{name}");
    assert_eq!(data.installation().unwrap(), name);
    drop(data);
    let again = DataDir::open(place.path()).unwrap();
    assert_eq!(again.installation().unwrap(), name);
    let other = tempfile::tempdir().unwrap();
    let other = DataDir::open(other.path()).unwrap();
    assert_ne!(other.installation().unwrap(), name);
}

#[test]
fn a_damaged_name_of_an_installation_is_not_made_anew() {
    let place = tempfile::tempdir().unwrap();
    let data = DataDir::open(place.path()).unwrap();
    for damaged in ["", "01J", "not one of twenty-six char"] {
        fs::write(place.path().join("installation"), damaged).unwrap();
        let error = data.installation().unwrap_err();
        assert!(
            error.to_string().contains("no name of an installation"),
            "{error}"
        );
        let left = fs::read_to_string(place.path().join("installation")).unwrap();
        assert_eq!(left, damaged);
    }
}
