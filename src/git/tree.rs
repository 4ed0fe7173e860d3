//! Reading a commit's files from the object database.
//!
//! Guarantees: only `landfast.yaml`, `organization/`, `baselines/` and `accounts/` are looked at; links are named and
//! never followed; the number of entries, their depth and the bytes in memory are bounded whatever the commit holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{ObjectType, Oid};

use super::Error;
use crate::load::File;

/// The roots Landfast reads, in a commit and in a directory; `landfast.yml` only to say that it is called otherwise.
pub(super) const ROOTS: [&str; 5] =
    ["accounts", "baselines", "landfast.yaml", "landfast.yml", "organization"];
/// Above this a file is reported and not read: `CloudFormation` takes 51,200 bytes, and YAML is written by hand.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The same for XML: IAM takes SAML metadata of ten million characters.
const MAX_XML_BYTES: u64 = 10_000_000;
/// Files in one commit; 10,000 accounts are 10,000 files. Folders are counted apart, under the same limit.
pub(super) const MAX_ENTRIES: usize = 20_000;
/// Parts of a path; the deepest useful one has four.
pub(super) const MAX_DEPTH: usize = 8;
/// All files of one commit together: a small pack can hold a large tree.
pub(super) const MAX_TOTAL_BYTES: u64 = 256 * 1024 * 1024;

/// How large the file at `path` may be.
pub(super) fn max_bytes(path: &str) -> u64 {
    let extension = std::path::Path::new(path).extension();
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) {
        MAX_XML_BYTES
    } else {
        MAX_FILE_BYTES
    }
}

/// What one walk read, so that the next one reads only what changed, and what did not is the same memory.
#[derive(Default)]
pub(super) struct Read {
    blobs: BTreeMap<Oid, Arc<[u8]>>,
    /// The folders of accounts and baselines, in the order of the walk.
    folders: Vec<Arc<Folder>>,
}

/// What a walk adds to that.
#[derive(Default)]
pub(super) struct Found {
    blobs: BTreeMap<Oid, Arc<[u8]>>,
    /// Blobs that were known before, with their sizes, as often as they were met.
    again: Vec<(Oid, u64)>,
    folders: Vec<Arc<Folder>>,
}

impl Read {
    /// Takes in what a walk found. What it did not meet is forgotten, but not each time: there may be ten thousand.
    pub(super) fn take_in(&mut self, found: Found) {
        let Found { blobs, again, folders } = found;
        let live = blobs.len() + again.len();
        if self.blobs.len() + blobs.len() > live + live / 8 {
            self.blobs.retain(|id, _| again.binary_search_by_key(id, |(id, _)| *id).is_ok());
        }
        self.blobs.extend(blobs);
        self.folders = folders;
    }
}

/// A folder as it was read.
struct Folder {
    path: String,
    id: Oid,
    entries: Vec<Entry>,
    /// Folders in it.
    n_folders: usize,
}

/// A file with its path; the id where it is a blob that was read.
type Entry = (String, File, Option<Oid>);

/// The depth of the folders that are remembered: `accounts/<slug>`.
const REMEMBERED: usize = 2;

/// One walk over one commit.
pub(super) struct Walk<'a> {
    repository: &'a git2::Repository,
    odb: git2::Odb<'a>,
    before: &'a Read,
    /// Which of the folders before is looked for next: two walks meet them in the same order.
    next: usize,
    /// Where each of them is, for when that is not enough.
    places: Option<BTreeMap<&'a str, usize>>,
    found: Found,
    entries: Vec<Entry>,
    budget: Budget,
}

/// What may still be read.
#[derive(Default)]
pub(super) struct Budget {
    files: usize,
    folders: usize,
    bytes: u64,
}

impl Budget {
    pub(super) fn file(&mut self) -> Result<(), Error> {
        self.files += 1;
        at_most("the number of files", self.files, MAX_ENTRIES)
    }

    pub(super) fn folder(&mut self, depth: usize) -> Result<(), Error> {
        self.folders(1)?;
        at_most("the depth of folders", depth + 1, MAX_DEPTH)
    }

    fn folders(&mut self, more: usize) -> Result<(), Error> {
        self.folders += more;
        at_most("the number of folders", self.folders, MAX_ENTRIES)
    }

    pub(super) fn bytes(&mut self, size: u64) -> Result<(), Error> {
        self.bytes += size;
        if self.bytes <= MAX_TOTAL_BYTES {
            return Ok(());
        }
        Err(Error::Limit { what: "the size of all files".into(), limit: "256 MiB".into() })
    }
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), Error> {
    if count <= limit {
        return Ok(());
    }
    Err(Error::Limit { what: what.to_owned(), limit: limit.to_string() })
}

impl<'a> Walk<'a> {
    pub(super) fn new(repository: &'a git2::Repository, before: &'a Read) -> Result<Self, Error> {
        Ok(Self {
            repository,
            odb: repository.odb()?,
            before,
            next: 0,
            places: None,
            found: Found::default(),
            entries: Vec::new(),
            budget: Budget::default(),
        })
    }

    /// Reads the roots of `tree`: the files, and what to remember for the next walk.
    pub(super) fn roots(mut self, tree: &git2::Tree<'_>) -> Result<(BTreeMap<String, File>, Found), Error> {
        check_once("", tree)?;
        for entry in
            tree.iter().filter(|entry| ROOTS.iter().any(|root| entry.name_bytes() == root.as_bytes()))
        {
            self.entry("", 0, &entry)?;
        }
        // Each blob counts once, however many files have it.
        self.found.again.sort_unstable();
        self.found.again.dedup();
        self.budget.bytes(self.found.again.iter().map(|(_, size)| size).sum())?;
        Ok((self.entries.into_iter().map(|(path, file, _)| (path, file)).collect(), self.found))
    }

    fn entry(&mut self, folder: &str, depth: usize, entry: &git2::TreeEntry<'_>) -> Result<(), Error> {
        if depth + 1 == REMEMBERED
            && let Some(known) = self.next_known(folder, entry)
        {
            return self.again(&known);
        }
        let path = join(folder, entry.name_bytes())?;
        match (entry.filemode(), entry.kind()) {
            (_, Some(ObjectType::Tree)) => self.folder(&path, depth + 1, entry.id()),
            (0o120_000, _) => self.keep((path, File::Symlink, None)),
            (_, Some(ObjectType::Blob)) => self.blob(path, entry.id()),
            // A commit (mode 160000): a submodule. Nothing else can stand in a tree.
            _ => self.keep((path, File::Submodule, None)),
        }
    }

    /// The next of the folders before, if this is it and it is as it was.
    fn next_known(&mut self, parent: &str, entry: &git2::TreeEntry<'_>) -> Option<Arc<Folder>> {
        let next = self.before.folders.get(self.next).filter(|next| next.id == entry.id())?;
        let name = next.path.strip_prefix(parent)?.strip_prefix('/')?;
        let is_it = name.as_bytes() == entry.name_bytes();
        self.next += usize::from(is_it);
        is_it.then(|| Arc::clone(next))
    }

    /// The folder at this path, if it is as it was.
    fn known(&mut self, path: &str, id: Oid) -> Option<Arc<Folder>> {
        let folders = &self.before.folders;
        let at = if folders.get(self.next).is_some_and(|next| next.path == path) {
            self.next
        } else {
            let all = || folders.iter().enumerate().map(|(at, folder)| (folder.path.as_str(), at)).collect();
            *self.places.get_or_insert_with(all).get(path)?
        };
        self.next = at + 1;
        Some(&folders[at]).filter(|folder| folder.id == id).cloned()
    }

    fn folder(&mut self, path: &str, depth: usize, id: Oid) -> Result<(), Error> {
        if depth == REMEMBERED
            && let Some(known) = self.known(path, id)
        {
            return self.again(&known);
        }
        self.budget.folder(depth)?;
        let (first, n_folders) = (self.entries.len(), self.budget.folders);
        self.inside(path, depth, id)?;
        if depth == REMEMBERED {
            let (entries, n_folders) = (self.entries[first..].to_vec(), self.budget.folders - n_folders);
            self.found.folders.push(Arc::new(Folder { path: path.to_owned(), id, entries, n_folders }));
        }
        Ok(())
    }

    fn inside(&mut self, path: &str, depth: usize, id: Oid) -> Result<(), Error> {
        let tree = self.repository.find_tree(id)?;
        check_once(path, &tree)?;
        tree.iter().try_for_each(|entry| self.entry(path, depth, &entry))
    }

    /// A folder that is as it was. It counts as if it had been read, so that limits do not hang on what is remembered.
    fn again(&mut self, folder: &Arc<Folder>) -> Result<(), Error> {
        self.budget.folder(REMEMBERED)?;
        self.budget.folders(folder.n_folders)?;
        for (path, file, id) in &folder.entries {
            if let (File::Blob(bytes), Some(id)) = (file, id) {
                self.found.again.push((*id, bytes.len() as u64));
            }
            self.keep((path.clone(), file.clone(), *id))?;
        }
        self.found.folders.push(Arc::clone(folder));
        Ok(())
    }

    fn blob(&mut self, path: String, id: Oid) -> Result<(), Error> {
        // What fits at one path may be too large for another.
        let max = max_bytes(&path);
        let fits = |bytes: &&Arc<[u8]>| bytes.len() as u64 <= max;
        let bytes = if let Some(bytes) = self.before.blobs.get(&id).filter(fits) {
            self.found.again.push((id, bytes.len() as u64));
            Arc::clone(bytes)
        } else if let Some(bytes) = self.found.blobs.get(&id).filter(fits) {
            Arc::clone(bytes)
        } else {
            match self.read(id, max)? {
                Ok(bytes) => {
                    self.budget.bytes(bytes.len() as u64)?;
                    self.found.blobs.insert(id, Arc::clone(&bytes));
                    bytes
                }
                Err(size) => return self.keep((path, File::TooLarge { size }, None)),
            }
        };
        self.keep((path, File::Blob(bytes), Some(id)))
    }

    /// The bytes, or else the size of what is too large; the size is looked at before anything is unpacked.
    fn read(&self, id: Oid, max: u64) -> Result<Result<Arc<[u8]>, u64>, Error> {
        let (size, _) = self.odb.read_header(id)?;
        if size as u64 > max {
            return Ok(Err(size as u64));
        }
        Ok(Ok(Arc::from(self.odb.read(id)?.data())))
    }

    fn keep(&mut self, entry: Entry) -> Result<(), Error> {
        self.budget.file()?;
        self.entries.push(entry);
        Ok(())
    }
}

/// Git itself makes no tree that has a name twice; of two files one would be reviewed and the other applied.
fn check_once(folder: &str, tree: &git2::Tree<'_>) -> Result<(), Error> {
    let entries: Vec<_> = tree.iter().collect();
    let mut names: Vec<_> = entries.iter().map(git2::TreeEntry::name_bytes).collect();
    // Git keeps them nearly so.
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(Error::Entry { path: join(folder, twice[0])?, reason: "its folder has it twice" }),
        None => Ok(()),
    }
}

/// `folder/name`, or why a name is not one that git itself would have made.
fn join(folder: &str, name: &[u8]) -> Result<String, Error> {
    let shown = String::from_utf8_lossy(name);
    let reason = match name {
        b"" | b"." | b".." => Some("it is not a name"),
        _ if name.eq_ignore_ascii_case(b".git") => Some("it is git's own folder"),
        _ if name.iter().any(|byte| matches!(byte, b'/' | b'\\' | 0)) => Some("its name holds a separator"),
        _ if std::str::from_utf8(name).is_err() => Some("its name is not UTF-8"),
        _ => None,
    };
    let path = if folder.is_empty() { shown.into_owned() } else { format!("{folder}/{shown}") };
    match reason {
        Some(reason) => Err(Error::Entry { path, reason }),
        None => Ok(path),
    }
}
