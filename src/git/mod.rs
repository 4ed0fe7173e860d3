//! Git: fetch, read trees, write branches. The only folder that names git2.
//!
//! Guarantees:
//! - The cache on disk may be wiped at any time; the next fetch makes it anew. Nothing else is kept on disk.
//! - A failed fetch is an error, never an empty tree; a branch that is missing is an error of its own.
//! - Nothing is ever forced and nothing is checked out: files are read from the object database at one commit.
//! - No credential shows in an error, in `Debug` or in the cache.
//!
//! Assumes: one [`Repository`] (and its clones) per address and cache folder; histories are fetched whole, so what is
//! not there is not an ancestor.

pub mod bare;
mod directory;
mod error;
mod history;
mod location;
mod observed;
mod past;
mod propose;
mod record;
mod remote;
mod signing;
mod tree;
mod turn;
mod work_tree;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use git2::Oid;
use sha2::{Digest as _, Sha256};

pub use directory::{Watch, read_directory};
pub use error::Error;
pub(crate) use location::is_loopback;
pub use location::{Credentials, Secret, may_share_token};
pub use observed::{OBSERVED_BRANCH, ObservedBranch, ScopeRecord, Update};
pub use past::PastFile;
pub use propose::{Proposal, propose, record_id};
pub use signing::Signer;
pub use work_tree::read_commit;

use crate::load::Tree;
use crate::model::CommitId;
use location::Location;
use remote::{Pushed, Remote};
use tree::{Read, Walk};
use turn::Turn;

/// A remote repository with its local cache. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
}

struct Shared {
    cache: PathBuf,
    location: Location,
    credentials: RwLock<Credentials>,
    read: Mutex<Read>,
    turn: Turn,
}

/// The branch that keeps the commit in force reachable.
pub const ACCEPTED_BRANCH: &str = "landfast/accepted";

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// Who made a commit, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
    /// The author's name.
    pub author_name: String,
    /// The author's e-mail.
    pub author_email: String,
    /// When it was committed, by the committer's own clock.
    pub time: jiff::Timestamp,
    /// The first line of its message.
    pub summary: String,
}

impl Repository {
    /// Names a repository; nothing is fetched yet.
    ///
    /// `url` is https, ssh (`ssh://` or `git@host:path`), `file://` or a path; plain http to this machine only. A
    /// password in it is taken out. The cache is a folder of its own below `cache_dir`.
    pub fn open(cache_dir: &Path, url: &str, mut credentials: Credentials) -> Result<Self, Error> {
        let location = Location::parse(url, &mut credentials)?;
        let digest = hex::encode(&Sha256::digest(location.url.as_bytes())[..8]);
        let shared = Shared {
            cache: cache_dir.join(format!("{digest}.git")),
            location,
            credentials: RwLock::new(credentials),
            read: Mutex::default(),
            turn: Turn::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The address, without credentials.
    pub fn url(&self) -> &str {
        &self.shared.location.url
    }

    /// Replaces the token, for those that expire.
    pub fn set_token(&self, token: Secret) {
        self.shared.credentials.write().unwrap_or_else(PoisonError::into_inner).token = Some(token);
    }

    /// Fetches one branch, no more than what is new, and says where it is now.
    ///
    /// A branch that is not there is [`Error::NoBranch`].
    pub fn fetch(&self, branch: &str) -> Result<CommitId, Error> {
        let missing = || Error::NoBranch { url: self.url().to_owned(), branch: branch.to_owned() };
        self.try_fetch(branch)?.map(commit_id).transpose()?.ok_or_else(missing)
    }

    /// The files of a commit that Landfast reads. Unchanged files are the same memory as in the tree read before.
    pub fn tree(&self, revision: &CommitId) -> Result<Tree, Error> {
        self.healing(|| self.try_tree(revision))
    }

    /// True when `descendant` is `ancestor` or has it in its history.
    ///
    /// An `ancestor` the cache does not know is not one: whole histories are fetched.
    pub fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        let cache = self.cache()?;
        let descendant = find(&cache, descendant)?.id();
        match find(&cache, ancestor) {
            Err(Error::UnknownCommit { .. }) => Ok(false),
            Err(error) => Err(error),
            Ok(found) => Ok(found.id() == descendant || cache.graph_descendant_of(descendant, found.id())?),
        }
    }

    /// Who made a fetched commit, when and why.
    pub fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        let cache = self.cache()?;
        describe(&find(&cache, id)?)
    }

    /// Keeps a fetched commit reachable under [`ACCEPTED_BRANCH`], whatever becomes of the branch it came from: a server
    /// forgets what no branch leads to.
    pub fn keep(&self, commit: &CommitId) -> Result<(), Error> {
        let (kept, commit) = (self.try_fetch(ACCEPTED_BRANCH)?, object_id(commit)?);
        if kept == Some(commit) {
            return Ok(());
        }
        match self.push(ACCEPTED_BRANCH, kept, commit)? {
            Pushed::Done => Ok(()),
            Pushed::Rejected(reason) => {
                Err(Error::Refused { url: self.url().to_owned(), branch: ACCEPTED_BRANCH.to_owned(), reason })
            }
        }
    }

    /// Fetches what [`Self::keep`] kept. Only the id of a commit says what it is, so nobody can slip another one in.
    pub fn fetch_kept(&self) -> Result<(), Error> {
        self.try_fetch(ACCEPTED_BRANCH).map(|_| ())
    }

    /// Like [`Self::fetch`]; nothing when the branch is not there. A cache that is broken is made anew once.
    pub(in crate::git) fn try_fetch(&self, branch: &str) -> Result<Option<Oid>, Error> {
        check_branch(branch)?;
        let _turn = self.shared.turn.take()?;
        let credentials = self.credentials();
        let fetch =
            || Remote::new(&self.shared.location, &credentials).fetch(&self.open_or_make_cache()?, branch);
        match fetch() {
            Err(Error::Cache { reason }) => {
                tracing::warn!(url = self.url(), reason, "the git cache is damaged and is made anew");
                self.drop_cache()?;
                fetch()
            }
            fetched => fetched,
        }
    }

    /// Moves `branch` from `expected` to `commit`, unless somebody else moved it first.
    pub(in crate::git) fn push(
        &self,
        branch: &str,
        expected: Option<Oid>,
        commit: Oid,
    ) -> Result<Pushed, Error> {
        check_branch(branch)?;
        let _turn = self.shared.turn.take()?;
        let credentials = self.credentials();
        Remote::new(&self.shared.location, &credentials).push(&self.cache()?, branch, expected, commit)
    }

    /// Does `work` and drops the cache when it turns out to be damaged, so that the next fetch makes it anew. A fetch
    /// that finds nothing new does not look at old objects: what is damaged would stay so.
    pub(in crate::git) fn healing<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let done = work();
        if let Err(Error::Cache { reason }) = &done {
            tracing::warn!(url = self.url(), reason, "the git cache is damaged and is dropped");
            self.drop_cache()?;
        }
        done
    }

    /// The cache, which must be there.
    pub(in crate::git) fn cache(&self) -> Result<git2::Repository, Error> {
        Ok(git2::Repository::open_bare(&self.shared.cache)?)
    }

    fn try_tree(&self, revision: &CommitId) -> Result<Tree, Error> {
        let cache = self.cache().map_err(|_| Error::UnknownCommit { commit: revision.clone() })?;
        let root = find(&cache, revision)?.tree()?;
        let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, found) = Walk::new(&cache, &read)?.roots(&root)?;
        read.take_in(found);
        Ok(Tree { revision: revision.clone(), files })
    }

    fn open_or_make_cache(&self) -> Result<git2::Repository, Error> {
        let path = &self.shared.cache;
        if let Ok(cache) = git2::Repository::open_bare(path) {
            return Ok(cache);
        }
        self.drop_cache()?;
        make_private_folder(path)?;
        Ok(git2::Repository::init_bare(path)?)
    }

    fn drop_cache(&self) -> Result<(), Error> {
        let path = &self.shared.cache;
        match std::fs::remove_dir_all(path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Io { doing: "remove", path: path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    fn credentials(&self) -> Credentials {
        self.shared.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs blocking git work off the runtime and stops waiting when it takes far too long.
///
/// Work that was given up on still ends by itself later; it holds a thread until then.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // A little over the transfer's own limit, which gives the better error.
    let limit = remote::DEADLINE + std::time::Duration::from_secs(10);
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => Err(Error::bug(format!("git work did not end well: {join}"))),
        Err(_) => Err(Error::Deadline { seconds: limit.as_secs() }),
    }
}

fn describe(commit: &git2::Commit<'_>) -> Result<Commit, Error> {
    let author = commit.author();
    let time = jiff::Timestamp::from_second(commit.time().seconds())
        .map_err(|_| Error::Entry { path: commit.id().to_string(), reason: "its time is no time" })?;
    Ok(Commit {
        id: commit_id(commit.id())?,
        parents: commit.parent_ids().map(commit_id).collect::<Result<_, _>>()?,
        author_name: String::from_utf8_lossy(author.name_bytes()).into_owned(),
        author_email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
        time,
        summary: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned(),
    })
}

fn commit_id(id: Oid) -> Result<CommitId, Error> {
    CommitId::parse(id.to_string()).map_err(|invalid| Error::bug(format!("libgit2 gave a bad id: {invalid}")))
}

fn object_id(id: &CommitId) -> Result<Oid, Error> {
    Ok(Oid::from_str(id.as_str())?)
}

fn find<'a>(repository: &'a git2::Repository, id: &CommitId) -> Result<git2::Commit<'a>, Error> {
    match repository.find_commit(object_id(id)?) {
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            Err(Error::UnknownCommit { commit: id.clone() })
        }
        found => Ok(found?),
    }
}

fn check_branch(branch: &str) -> Result<(), Error> {
    if git2::Reference::is_valid_name(&format!("refs/heads/{branch}")) {
        return Ok(());
    }
    Err(Error::Location { reason: format!("`{branch}` is not the name of a branch") })
}

/// The cache may hold what only some may read.
fn make_private_folder(path: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| Error::Io { doing: "make", path: path.to_owned(), source })
}
