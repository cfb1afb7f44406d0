//! An archive in a folder: one compressed JSON file for each bundle and each judgement.
//!
//! ```text
//! bundles/<first two digits of the id>/<id>.json.gz
//! judgements/<name>.json.gz
//! uses/<id>/<name>     an empty file for each judgement that was made of the bundle <id>
//! unfinished/          files that are being written; emptied when the archive is opened
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use flate2::read::MultiGzDecoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bundle::{Bundle, SavedError};
use super::whole_file::Packing;
use super::{Archive, ArchiveError, JudgementRecord, is_name};

/// Keeps bundles and judgements in a folder that no other process writes into. All waiting for the disk is done beside the
/// runtime's own threads.
#[derive(Debug, Clone)]
pub struct FolderArchive {
    places: Arc<Places>,
}

/// One day: between the moment when a bundle is kept and its judgement there are seconds, and at worst the time that a person
/// needs to make room on the disk.
const REST: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
struct Places {
    bundles: PathBuf,
    judgements: PathBuf,
    uses: PathBuf,
    unfinished: PathBuf,
    /// How long a bundle stays at least after it was kept last.
    rest: Duration,
    /// Held between looking whether a bundle may go and removing it, and while one is made young again.
    removing: Mutex<()>,
}

impl FolderArchive {
    /// Opens the folder, and makes it where it is absent; the folder that it stands in must be there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        Self::open_with(folder, REST)
    }

    /// Takes a folder to read from, also beside a process that writes into it; nothing is made or put in order. Nothing is found
    /// where it is absent.
    #[must_use]
    pub fn to_read(folder: &Path) -> Self {
        Self {
            places: Arc::new(Places::of(folder, REST)),
        }
    }

    /// As [`FolderArchive::open`]; a bundle that was kept less than `rest` ago is never removed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn open_with(folder: &Path, rest: Duration) -> Result<Self, ArchiveError> {
        let places = Places::of(folder, rest);
        let prepare = || {
            make_folder(folder)?;
            let Places {
                bundles,
                judgements,
                uses,
                unfinished,
                ..
            } = &places;
            for place in [bundles, judgements, uses, unfinished] {
                make_folder(place)?;
            }
            for entry in fs::read_dir(&places.unfinished)? {
                fs::remove_file(entry?.path())?;
            }
            Ok(())
        };
        prepare().map_err(unavailable("opening it"))?;
        Ok(Self {
            places: Arc::new(places),
        })
    }

    async fn beside<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Places) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let places = Arc::clone(&self.places);
        let done = tokio::task::spawn_blocking(move || work(&places)).await;
        done.map_err(|error| unavailable(doing)(io::Error::other(error)))?
    }
}

#[async_trait]
impl Archive for FolderArchive {
    async fn put_bundle(&self, bundle: &Bundle) -> Result<String, ArchiveError> {
        const DOING: &str = "keeping a bundle";
        let bundle = bundle.clone();
        self.beside(DOING, move |places| {
            let id = bundle.id().map_err(unavailable(DOING))?;
            let kept = places.put_bundle(&id, &bundle);
            kept.map_err(unavailable(DOING)).map(|()| id)
        })
        .await
    }

    async fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError> {
        let id = id.to_owned();
        self.beside("reading a bundle", move |places| places.bundle(&id))
            .await
    }

    async fn put_judgement(
        &self,
        name: &str,
        record: &JudgementRecord,
    ) -> Result<(), ArchiveError> {
        const DOING: &str = "keeping a judgement";
        if !is_name(name) {
            return Err(ArchiveError::BadName(name.to_owned()));
        }
        let (name, record) = (name.to_owned(), record.clone());
        self.beside(DOING, move |places| {
            let kept = places.put_judgement(&name, &record);
            kept.map_err(unavailable(DOING))
        })
        .await
    }

    async fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError> {
        let name = name.to_owned();
        self.beside("reading a judgement", move |places| places.judgement(&name))
            .await
    }

    async fn check(&self) -> Result<(), ArchiveError> {
        const DOING: &str = "checking that it can be written to";
        self.beside(DOING, |places| {
            places.try_writing().map_err(unavailable(DOING))
        })
        .await
    }

    async fn remove_orphans(&self, named: &BTreeSet<String>) -> Result<u64, ArchiveError> {
        const DOING: &str = "looking for bundles that nothing names";
        let named = named.clone();
        self.beside(DOING, move |places| {
            places.remove_orphans(&named).map_err(unavailable(DOING))
        })
        .await
    }

    async fn remove(&self, judgements: &[String], bundles: &[String]) -> Result<(), ArchiveError> {
        const DOING: &str = "removing old files";
        let (judgements, bundles) = (judgements.to_vec(), bundles.to_vec());
        self.beside(DOING, move |places| {
            let removed = places.remove(&judgements, &bundles);
            removed.map_err(unavailable(DOING))
        })
        .await
    }
}

impl Places {
    fn of(folder: &Path, rest: Duration) -> Self {
        Self {
            bundles: folder.join("bundles"),
            judgements: folder.join("judgements"),
            uses: folder.join("uses"),
            unfinished: folder.join("unfinished"),
            rest,
            removing: Mutex::new(()),
        }
    }

    /// Where a bundle is, or would be; `None` where this cannot be the id of one.
    fn of_bundle(&self, id: &str) -> Option<(PathBuf, String)> {
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let is_id = id.len() == 64 && id.chars().all(digit);
        is_id.then(|| (self.bundles.join(&id[..2]), file_name(id)))
    }

    fn put_bundle(&self, id: &str, bundle: &Bundle) -> io::Result<()> {
        let (folder, name) = self.of_bundle(id).ok_or(ErrorKind::InvalidInput)?;
        make_folder(&folder)?;
        // One that is there and whole stays as it is; it may have been written just before a loss of power, so that the disk is
        // asked once more to keep it.
        match self.bundle(id) {
            Ok(_) if self.touch(&folder.join(&name))? => sync_folder(&folder),
            Ok(_) | Err(_) => self.write(&folder, &name, bundle),
        }
    }

    /// Makes a bundle young again; whether it was still there. Nobody removes it meanwhile.
    fn touch(&self, file: &Path) -> io::Result<bool> {
        let _alone = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        match File::options().append(true).open(file) {
            Ok(file) => {
                file.set_modified(SystemTime::now())?;
                file.sync_all()?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn bundle(&self, id: &str) -> Result<Bundle, ArchiveError> {
        let place = self.of_bundle(id);
        let path = place.map(|(folder, name)| folder.join(name));
        let bundle: Bundle = read("bundle", id, path)?;
        bundle.check(id).map_err(damaged("bundle", id))?;
        Ok(bundle)
    }

    fn judgement(&self, name: &str) -> Result<JudgementRecord, ArchiveError> {
        let path = is_name(name).then(|| self.judgements.join(file_name(name)));
        let record: JudgementRecord = read("judgement", name, path)?;
        if record.version != JudgementRecord::VERSION {
            return Err(damaged("judgement", name)(SavedError::Version {
                part: "judgement's record",
                found: record.version,
                expected: JudgementRecord::VERSION,
            }));
        }
        Ok(record)
    }

    /// The use first: a use without a judgement keeps a bundle too long, the reverse would lose one.
    fn put_judgement(&self, name: &str, record: &JudgementRecord) -> io::Result<()> {
        if let Some(uses) = self.uses_of(&record.bundle_id) {
            make_folder(&uses)?;
            File::create(uses.join(name))?.sync_all()?;
            sync_folder(&uses)?;
        }
        self.write(&self.judgements, &file_name(name), record)
    }

    fn uses_of(&self, id: &str) -> Option<PathBuf> {
        self.of_bundle(id).map(|_| self.uses.join(id))
    }

    /// Whether another judgement than those that are just being removed was made of the bundle.
    fn is_used(&self, id: &str, removed: &[String]) -> io::Result<bool> {
        let Some(uses) = self.uses_of(id) else {
            return Ok(false);
        };
        for name in removed.iter().filter(|name| is_name(name)) {
            remove_file(&uses.join(name))?;
        }
        match fs::remove_dir(&uses) {
            Ok(()) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn is_resting(&self, bundle: &Path) -> bool {
        let kept = fs::metadata(bundle).and_then(|file| file.modified());
        // A file from the future was kept just now, before the clock was turned back.
        kept.is_ok_and(|kept| kept.elapsed().map_or(true, |age| age < self.rest))
    }

    /// Whole or not at all, and on the disk when it returns.
    fn write(&self, folder: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix("writing-")
            .tempfile_in(&self.unfinished)?;
        let mut bytes = Vec::new();
        Packing::Gzip.write(&mut bytes, |out| {
            serde_json::to_writer(out, content).map_err(io::Error::from)
        })?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name))
            .map_err(|error| error.error)?;
        sync_folder(folder)
    }

    /// As much as a small bundle, beside what is being written; gone when it returns.
    fn try_writing(&self) -> io::Result<()> {
        let mut file = tempfile::tempfile_in(&self.unfinished)?;
        file.write_all(&[0; 16 * 1024])?;
        file.sync_all()
    }

    /// Judgements first: one without its bundle would be worse than a bundle without a judgement.
    fn remove(&self, judgements: &[String], bundles: &[String]) -> io::Result<()> {
        for name in judgements.iter().filter(|name| is_name(name)) {
            remove_file(&self.judgements.join(file_name(name)))?;
        }
        if !judgements.is_empty() {
            sync_folder(&self.judgements)?;
        }
        for id in bundles {
            if !self.is_used(id, judgements)? {
                self.remove_rested(id)?;
            }
        }
        Ok(())
    }

    /// Whether the bundle was there, and is gone.
    fn remove_rested(&self, id: &str) -> io::Result<bool> {
        let _alone = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.of_bundle(id).map(|(folder, name)| folder.join(name));
        match file.filter(|file| file.exists() && !self.is_resting(file)) {
            Some(file) => remove_file(&file).map(|()| true),
            None => Ok(false),
        }
    }

    fn remove_orphans(&self, named: &BTreeSet<String>) -> io::Result<u64> {
        let mut removed = 0;
        for folder in fs::read_dir(&self.bundles)? {
            for file in fs::read_dir(folder?.path())? {
                let name = file?.file_name();
                let id = name.to_str().and_then(|name| name.strip_suffix(".json.gz"));
                let Some(id) = id.filter(|id| !named.contains(*id)) else {
                    continue;
                };
                if !self.is_used(id, &[])? && self.remove_rested(id)? {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.json.gz")
}

/// Without a path, the name cannot be that of a file of ours, and there is none.
fn read<T: DeserializeOwned>(
    what: &'static str,
    id: &str,
    path: Option<PathBuf>,
) -> Result<T, ArchiveError> {
    let packed = path.map_or_else(|| Err(ErrorKind::NotFound.into()), fs::read);
    let packed = match packed {
        Ok(packed) => packed,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(ArchiveError::NotFound {
                what,
                id: id.to_owned(),
            });
        }
        Err(error) => return Err(unavailable("reading it")(error)),
    };
    let mut text = Vec::new();
    // To the end, where the checksum stands.
    MultiGzDecoder::new(packed.as_slice())
        .read_to_end(&mut text)
        .map_err(damaged(what, id))?;
    serde_json::from_slice(&text).map_err(damaged(what, id))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// So that a name that was made or changed in it survives the loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let here = folder.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { folder })?.sync_all()
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unavailable(doing: &'static str) -> impl FnOnce(io::Error) -> ArchiveError {
    move |error| ArchiveError::Unavailable {
        doing,
        cause: Box::new(error),
    }
}

fn damaged<E: std::error::Error + Send + Sync + 'static>(
    what: &'static str,
    id: &str,
) -> impl FnOnce(E) -> ArchiveError {
    let id = id.to_owned();
    move |error| ArchiveError::Damaged {
        what,
        id,
        cause: Box::new(error),
    }
}
