//! A plain directory in the place of a repository, for writing and trying out.
//!
//! Guarantees: the same limits and the same kinds of entry as for a commit; links are named and never followed.
//! The links that Emacs puts beside a file with unsaved changes (`.#account.yaml`) are not there for us.
//! Assumes: somebody may be writing meanwhile, so a read is not one moment; [`Watch`] asks for another one then.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::Watcher as _;
use tokio::sync::mpsc;

use super::Error;
use super::tree::{Budget, ROOTS, max_bytes};
use crate::load::{File, Tree};
use crate::model::CommitId;

/// An editor writes, renames and touches within a few milliseconds: wait until it is quiet.
const QUIET: Duration = Duration::from_millis(200);
/// Never wait longer than this, however busy the folder is.
const AT_MOST: Duration = Duration::from_secs(2);

/// Reads the files of `directory` as they lie, committed or not; its revision is all zeros.
pub fn read_directory(directory: &Path) -> Result<Tree, Error> {
    let mut files = BTreeMap::new();
    let mut budget = Budget::default();
    // A folder that is not there is an error, never an empty tree.
    fs::read_dir(directory).map_err(|source| failed(directory, source))?;
    for root in ROOTS {
        let path = directory.join(root);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, error)),
            Ok(_) => read(&path, root, 0, &mut budget, &mut files)?,
        }
    }
    let revision = CommitId::parse("0".repeat(40)).map_err(|invalid| Error::bug(invalid.to_string()))?;
    Ok(Tree { revision, files })
}

fn read(
    path: &Path,
    name: &str,
    depth: usize,
    budget: &mut Budget,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(path).map_err(|source| failed(path, source))?;
    let kind = metadata.file_type();
    if kind.is_dir() && !path.join(".git").exists() {
        return folder(path, name, depth + 1, budget, files);
    }
    budget.file()?;
    let file = match () {
        () if kind.is_symlink() => File::Symlink,
        () if kind.is_dir() => File::Submodule,
        () if !kind.is_file() => {
            return Err(Error::Entry { path: name.to_owned(), reason: "it is neither file nor folder" });
        }
        () if metadata.len() > max_bytes(name) => File::TooLarge { size: metadata.len() },
        () => File::Blob(Arc::from(fs::read(path).map_err(|source| failed(path, source))?)),
    };
    budget.bytes(if let File::Blob(bytes) = &file { bytes.len() as u64 } else { 0 })?;
    files.insert(name.to_owned(), file);
    Ok(())
}

fn folder(
    path: &Path,
    name: &str,
    depth: usize,
    budget: &mut Budget,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Error> {
    budget.folder(depth)?;
    for entry in fs::read_dir(path).map_err(|source| failed(path, source))? {
        let entry = entry.map_err(|source| failed(path, source))?;
        let Some(child) = entry.file_name().to_str().map(|child| format!("{name}/{child}")) else {
            return Err(Error::Entry { path: name.to_owned(), reason: "a name in it is not UTF-8" });
        };
        if is_lock(&entry) {
            continue;
        }
        read(&entry.path(), &child, depth, budget, files)?;
    }
    Ok(())
}

/// True for what tells other Emacsen that a file is being edited: a link, or a file where there are none.
fn is_lock(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".#")
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Io { doing: "read", path: path.to_owned(), source }
}

/// Tells when something in a directory changed.
pub struct Watch {
    changes: mpsc::Receiver<()>,
    // Kept here so that a change is not lost when waiting for quiet is cut short.
    is_due: bool,
    directory: PathBuf,
    // Watching ends when this is dropped.
    _watcher: notify::RecommendedWatcher,
}

impl Watch {
    /// Watches `directory` and everything below it, git's own folder apart.
    pub fn start(directory: &Path) -> Result<Self, Error> {
        // The watcher names files by their real path.
        let directory = directory.canonicalize().map_err(|source| failed(directory, source))?;
        // One waiting change is enough to say "look again".
        let (sender, changes) = mpsc::channel(1);
        let git = directory.join(".git");
        let tell = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| is_change(&event, &git)) {
                // Full means that a look is already due.
                let _ = sender.try_send(());
            }
        };
        let watch = || {
            let mut watcher = notify::recommended_watcher(tell)?;
            watcher.watch(&directory, notify::RecursiveMode::Recursive)?;
            Ok(watcher)
        };
        let watcher = watch().map_err(|error: notify::Error| Error::Watch {
            path: directory.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self { changes, is_due: false, directory, _watcher: watcher })
    }

    /// Waits for a change, and then until it is quiet. Safe to drop and call again.
    pub async fn changed(&mut self) -> Result<(), Error> {
        if !self.is_due {
            let ended =
                || Error::Watch { path: self.directory.clone(), reason: "the watcher ended".to_owned() };
            self.changes.recv().await.ok_or_else(ended)?;
            self.is_due = true;
        }
        let quiet =
            async { while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {} };
        // Busy for too long is no error: look now, and again at the next change.
        let _ = tokio::time::timeout(AT_MOST, quiet).await;
        self.is_due = false;
        Ok(())
    }
}

/// Reading a file is no change, and what happens inside `.git` is not what we read. An event without a path (a full
/// queue) may be anything.
fn is_change(event: &notify::Event, git: &Path) -> bool {
    !event.kind.is_access()
        && (event.paths.is_empty() || event.paths.iter().any(|path| !path.starts_with(git)))
}
