//! What every archive promises, told once and checked on each of them; and what a disk can do to one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coalmine::archive::bundle::{Bundle, Saved, SavedError};
use coalmine::archive::folder::FolderArchive;
use coalmine::archive::memory::MemoryArchive;
use coalmine::archive::{Archive, ArchiveError, JudgementRecord};
use tempfile::TempDir;

const GOLDEN: &str = include_str!("../golden/saved-v1.json");

/// Makes a test of each story for each archive.
macro_rules! for_every_archive {
    ($($story:ident),+ $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(std::sync::Arc::new(super::MemoryArchive::new())).await;
                }
            )+
        }

        mod folder {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    let folder = tempfile::tempdir().unwrap();
                    let archive = super::FolderArchive::open_with(folder.path(), super::Duration::ZERO).unwrap();
                    super::$story(std::sync::Arc::new(archive)).await;
                }
            )+
        }
    };
}

for_every_archive![
    a_bundle_reads_back_under_the_hash_of_its_content,
    the_same_bundle_is_kept_once_also_by_many_at_once,
    a_judgement_reads_back_and_a_later_one_takes_its_place,
    what_was_kept_apart_fits_together_again,
    names_that_are_no_names_are_refused_and_find_nothing,
    what_is_removed_is_gone_and_the_rest_stays,
    a_bundle_stays_for_as_long_as_a_judgement_needs_it,
    only_bundles_that_nothing_names_are_orphans,
];

type AnyArchive = Arc<dyn Archive>;

fn golden() -> (Bundle, JudgementRecord) {
    Saved::read(GOLDEN).unwrap().take_apart()
}

fn other(bundle: &Bundle) -> Bundle {
    Bundle {
        sets: bundle.sets[1..].to_vec(),
        ..bundle.clone()
    }
}

fn check_missing<T: std::fmt::Debug>(found: Result<T, ArchiveError>, expect: &str) {
    let error = found.unwrap_err();
    assert!(matches!(error, ArchiveError::NotFound { .. }), "{error:?}");
    assert_eq!(error.to_string(), expect);
}

async fn a_bundle_reads_back_under_the_hash_of_its_content(archive: AnyArchive) {
    let (bundle, record) = golden();
    check_missing(
        archive.bundle(&record.bundle_id).await,
        &format!("the archive has no bundle `{}`", record.bundle_id),
    );
    let id = archive.put_bundle(&bundle).await.unwrap();
    assert_eq!(id, record.bundle_id);
    assert_eq!(archive.bundle(&id).await.unwrap(), bundle);
    let second = other(&bundle);
    let second_id = archive.put_bundle(&second).await.unwrap();
    assert_ne!(second_id, id);
    assert_eq!(archive.bundle(&second_id).await.unwrap(), second);
    assert_eq!(archive.bundle(&id).await.unwrap(), bundle);
}

async fn the_same_bundle_is_kept_once_also_by_many_at_once(archive: AnyArchive) {
    let (bundle, record) = golden();
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (archive, bundle) = (Arc::clone(&archive), bundle.clone());
        tasks.push(tokio::spawn(async move {
            let id = archive.put_bundle(&bundle).await.unwrap();
            // Nobody ever sees half of it.
            assert_eq!(archive.bundle(&id).await.unwrap(), bundle);
            id
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), record.bundle_id);
    }
}

async fn a_judgement_reads_back_and_a_later_one_takes_its_place(archive: AnyArchive) {
    let (_, record) = golden();
    let name = "01J9ZZZZZZZZZZZZZZZZZZZZZZ-0_last";
    let expect = format!("the archive has no judgement `{name}`");
    check_missing(archive.judgement(name).await, &expect);
    archive.put_judgement(name, &record).await.unwrap();
    archive.put_judgement(name, &record).await.unwrap();
    assert_eq!(archive.judgement(name).await.unwrap(), record);
    let mut later = record.clone();
    later.judged_at_ms += 1;
    archive.put_judgement(name, &later).await.unwrap();
    assert_eq!(archive.judgement(name).await.unwrap(), later);
    let longest = "n".repeat(200);
    archive.put_judgement(&longest, &record).await.unwrap();
    assert_eq!(archive.judgement(&longest).await.unwrap(), record);
}

async fn what_was_kept_apart_fits_together_again(archive: AnyArchive) {
    let (bundle, record) = golden();
    let id = archive.put_bundle(&bundle).await.unwrap();
    archive.put_judgement("j", &record).await.unwrap();
    let record = archive.judgement("j").await.unwrap();
    let bundle = archive.bundle(&id).await.unwrap();
    let saved = Saved::assemble(bundle.clone(), record.clone()).unwrap();
    let mut text = Vec::new();
    saved.write(&mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), GOLDEN);
    // A judgement of something else is told.
    let error = Saved::assemble(other(&bundle), record.clone()).unwrap_err();
    assert!(
        matches!(error, SavedError::Hash { part: "bundle", .. }),
        "{error}"
    );
    let mut shorter = record.clone();
    shorter.judgement.results.pop();
    let error = Saved::assemble(bundle.clone(), shorter).unwrap_err();
    assert_eq!(
        error,
        SavedError::Mismatch("3 results for 4 metric set pairs".to_owned())
    );
    let newer = JudgementRecord {
        version: 2,
        ..record
    };
    let error = Saved::assemble(bundle, newer).unwrap_err();
    assert!(
        error.hint().contains("newer version of Coalmine"),
        "{error}"
    );
}

async fn names_that_are_no_names_are_refused_and_find_nothing(archive: AnyArchive) {
    let (bundle, record) = golden();
    archive.put_bundle(&bundle).await.unwrap();
    let long = "n".repeat(201);
    for name in [
        "",
        ".",
        "..",
        "../j",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "a.b",
        "a b",
        "ü",
        "a\0",
        "j\n",
        &long,
    ] {
        let error = archive.put_judgement(name, &record).await.unwrap_err();
        assert!(matches!(&error, ArchiveError::BadName(it) if it == name));
        assert!(archive.judgement(name).await.is_err());
        let missing = archive.bundle(name).await;
        assert!(matches!(missing, Err(ArchiveError::NotFound { .. })));
    }
    for id in [
        format!("../{}", record.bundle_id),
        record.bundle_id.to_uppercase(),
        record.bundle_id[1..].to_owned(),
    ] {
        let missing = archive.bundle(&id).await;
        assert!(matches!(missing, Err(ArchiveError::NotFound { .. })));
    }
}

async fn what_is_removed_is_gone_and_the_rest_stays(archive: AnyArchive) {
    let (bundle, record) = golden();
    let id = archive.put_bundle(&bundle).await.unwrap();
    let kept = archive.put_bundle(&other(&bundle)).await.unwrap();
    for name in ["a", "b"] {
        archive.put_judgement(name, &record).await.unwrap();
    }
    let names = ["a", "b", "absent", "../c"].map(str::to_owned);
    let ids = [id.clone(), "absent".to_owned(), format!("../{kept}")];
    archive.remove(&names, &ids).await.unwrap();
    archive.remove(&names, &ids).await.unwrap();
    assert!(archive.judgement("a").await.is_err());
    assert!(archive.judgement("b").await.is_err());
    assert!(archive.bundle(&id).await.is_err());
    assert_eq!(archive.bundle(&kept).await.unwrap(), other(&bundle));
    // It can come again.
    assert_eq!(archive.put_bundle(&bundle).await.unwrap(), id);
    assert_eq!(archive.bundle(&id).await.unwrap(), bundle);
}

async fn a_bundle_stays_for_as_long_as_a_judgement_needs_it(archive: AnyArchive) {
    let (bundle, record) = golden();
    let id = archive.put_bundle(&bundle).await.unwrap();
    for name in ["a", "b", "b"] {
        archive.put_judgement(name, &record).await.unwrap();
    }
    let (a, b, ids) = (["a".to_owned()], ["b".to_owned()], [id.clone()]);
    archive.remove(&a, &ids).await.unwrap();
    assert_eq!(archive.bundle(&id).await.unwrap(), bundle);
    assert_eq!(archive.judgement("b").await.unwrap(), record);
    archive.remove(&b, &ids).await.unwrap();
    assert!(archive.bundle(&id).await.is_err());
}

async fn only_bundles_that_nothing_names_are_orphans(archive: AnyArchive) {
    let (bundle, record) = golden();
    let used = archive.put_bundle(&bundle).await.unwrap();
    archive.put_judgement("a", &record).await.unwrap();
    let named = archive.put_bundle(&other(&bundle)).await.unwrap();
    let mut third = other(&bundle);
    third.sets.clear();
    let orphan = archive.put_bundle(&third).await.unwrap();
    let names = std::collections::BTreeSet::from([named.clone()]);
    assert_eq!(archive.remove_orphans(&names).await.unwrap(), 1);
    assert_eq!(archive.remove_orphans(&names).await.unwrap(), 0);
    assert!(archive.bundle(&orphan).await.is_err());
    assert!(archive.bundle(&used).await.is_ok());
    assert!(archive.bundle(&named).await.is_ok());
}

#[tokio::test]
async fn a_bundle_whose_judgement_may_still_come_is_not_removed() {
    let place = Place::new();
    let (bundle, _) = golden();
    let id = place.archive.put_bundle(&bundle).await.unwrap();
    let ids = [id.clone()];
    place.archive.remove(&[], &ids).await.unwrap();
    assert!(
        place.archive.bundle(&id).await.is_ok(),
        "it was kept just now"
    );
    let day = Duration::from_secs(25 * 60 * 60);
    let old = std::time::SystemTime::now() - day;
    let file = fs::File::options()
        .append(true)
        .open(place.bundle(&id))
        .unwrap();
    file.set_modified(old).unwrap();
    // Kept once more, it is young again.
    place.archive.put_bundle(&bundle).await.unwrap();
    place.archive.remove(&[], &ids).await.unwrap();
    assert!(place.archive.bundle(&id).await.is_ok());
    file.set_modified(old).unwrap();
    place.archive.remove(&[], &ids).await.unwrap();
    assert!(place.archive.bundle(&id).await.is_err());
}

/// An archive in a folder, with its files.
struct Place {
    folder: TempDir,
    archive: FolderArchive,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = FolderArchive::open(folder.path()).unwrap();
        Self { folder, archive }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bundle(&self, id: &str) -> PathBuf {
        self.path(&format!("bundles/{}/{id}.json.gz", &id[..2]))
    }

    /// With the golden bundle and its judgement, called `j`.
    async fn filled() -> (Self, Bundle, JudgementRecord) {
        let (bundle, record) = golden();
        let place = Self::new();
        place.archive.put_bundle(&bundle).await.unwrap();
        place.archive.put_judgement("j", &record).await.unwrap();
        (place, bundle, record)
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_was_kept_is_there_after_opening_again_and_nothing_else_is() {
    let (place, bundle, record) = Place::filled().await;
    let mut expected = vec![
        format!("{}.json.gz", record.bundle_id),
        "j.json.gz".to_owned(),
        "j".to_owned(),
    ];
    expected.sort();
    assert_eq!(files(place.folder.path()), expected);
    assert!(place.bundle(&record.bundle_id).is_file());
    // What a killed process was writing.
    fs::write(place.path("unfinished/writing-x"), "half").unwrap();
    let archive = FolderArchive::open(place.folder.path()).unwrap();
    assert_eq!(files(place.folder.path()), expected);
    assert_eq!(archive.bundle(&record.bundle_id).await.unwrap(), bundle);
    assert_eq!(archive.judgement("j").await.unwrap(), record);
}

#[cfg(unix)]
#[tokio::test]
async fn a_bundle_that_is_there_is_not_written_again_unless_it_is_damaged() {
    use std::os::unix::fs::MetadataExt as _;
    let (place, bundle, record) = Place::filled().await;
    let path = place.bundle(&record.bundle_id);
    let file = || fs::metadata(&path).unwrap().ino();
    let (before, bytes) = (file(), fs::read(&path).unwrap());
    place.archive.put_bundle(&bundle).await.unwrap();
    assert_eq!(file(), before);
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    place.archive.put_bundle(&bundle).await.unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
}

#[tokio::test]
async fn damage_is_told_at_every_byte() {
    let (place, bundle, record) = Place::filled().await;
    let id = &record.bundle_id;
    for (path, is_bundle) in [
        (place.bundle(id), true),
        (place.path("judgements/j.json.gz"), false),
    ] {
        let whole = fs::read(&path).unwrap();
        let mut told = 0;
        for at in (0..whole.len()).step_by(17) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            let doubled = [&whole[..], &whole[at..]].concat();
            for bytes in [flipped, whole[..at].to_vec(), doubled] {
                fs::write(&path, bytes).unwrap();
                // A changed byte in gzip's header changes nothing of what is kept.
                let same = if is_bundle {
                    place.archive.bundle(id).await.map(|it| it == bundle)
                } else {
                    place.archive.judgement("j").await.map(|it| it == record)
                };
                match same {
                    Ok(same) => assert!(same, "byte {at} of {}", path.display()),
                    Err(ArchiveError::Damaged { .. }) => told += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        assert!(
            told >= whole.len() / 17 * 3 - 6,
            "{told} of {}",
            whole.len()
        );
    }
}

#[tokio::test]
async fn another_bundle_or_version_in_the_place_of_a_bundle_is_told() {
    let (place, bundle, record) = Place::filled().await;
    let second = place.archive.put_bundle(&other(&bundle)).await.unwrap();
    fs::copy(place.bundle(&second), place.bundle(&record.bundle_id)).unwrap();
    let error = place.archive.bundle(&record.bundle_id).await.unwrap_err();
    let expect = format!(
        "the bundle `{}` in the archive is damaged",
        record.bundle_id
    );
    assert_eq!(error.to_string(), expect);
    let later = Bundle {
        version: 2,
        ..bundle
    };
    let later = place.archive.put_bundle(&later).await.unwrap();
    let error = place.archive.bundle(&later).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "found format version 2 of the bundle; expected 1");
    let newer = JudgementRecord {
        version: 2,
        ..record
    };
    place.archive.put_judgement("j", &newer).await.unwrap();
    let error = place.archive.judgement("j").await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    let expect = "found format version 2 of the judgement's record; expected 1";
    assert_eq!(cause, expect);
}

#[tokio::test]
async fn a_disk_that_refuses_is_out_of_reach_and_keeps_what_was_there() {
    let (place, bundle, record) = Place::filled().await;
    let mut later = record.clone();
    later.judged_at_ms += 1;
    // No place to write in; a user without rights finds the same.
    place.archive.check().await.unwrap();
    fs::remove_dir(place.path("unfinished")).unwrap();
    let checked = place.archive.check().await.unwrap_err();
    assert!(
        matches!(checked, ArchiveError::Unavailable { .. }),
        "{checked:?}"
    );
    let error = place.archive.put_judgement("j", &later).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Unavailable { .. }));
    let error = place.archive.put_bundle(&other(&bundle)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the archive is out of reach while keeping a bundle"
    );
    assert_eq!(place.archive.judgement("j").await.unwrap(), record);
    // What is there already needs no writing.
    place.archive.put_bundle(&bundle).await.unwrap();
    fs::create_dir(place.path("unfinished")).unwrap();
    place.archive.put_judgement("j", &later).await.unwrap();
    assert_eq!(place.archive.judgement("j").await.unwrap(), later);
    // A rename that fails leaves nothing behind.
    fs::create_dir(place.path("judgements/k.json.gz")).unwrap();
    let refused = place.archive.put_judgement("k", &later).await;
    assert!(matches!(refused, Err(ArchiveError::Unavailable { .. })));
    let unread = place.archive.judgement("k").await;
    assert!(matches!(unread, Err(ArchiveError::Unavailable { .. })));
    assert!(files(&place.path("unfinished")).is_empty());
    // Nor can an archive be made where there is no folder.
    for nowhere in ["no/archive", "judgements/j.json.gz"] {
        let error = FolderArchive::open(&place.path(nowhere)).unwrap_err();
        assert!(matches!(error, ArchiveError::Unavailable { .. }));
    }
}
