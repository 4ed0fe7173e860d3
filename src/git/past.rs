//! Files of accounts as they once were: those that one commit has and a later one has not, or not like this.
//!
//! Assumes: both commits were fetched.

use git2::{Delta, DiffOptions, Oid, Tree};

use super::{Error, Repository, find};
use crate::model::CommitId;

/// A larger file is none that loads.
const MAX_FILE: usize = 1 << 20;

/// The file of an account that was changed or went away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastFile {
    /// The name of its folder.
    pub folder: String,
    /// Its text.
    pub text: String,
    /// What became of it; nothing where it is gone.
    pub now: Option<String>,
}

impl Repository {
    /// The files `accounts/*/account.yaml` of `then` that are others in `now`, or gone.
    pub fn past_accounts(&self, then: &CommitId, now: &CommitId) -> Result<Vec<PastFile>, Error> {
        let cache = self.cache()?;
        let (then, now) = (accounts(&cache, then)?, accounts(&cache, now)?);
        if then.as_ref().map(Tree::id) == now.as_ref().map(Tree::id) {
            return Ok(Vec::new());
        }
        let diff = cache.diff_tree_to_tree(then.as_ref(), now.as_ref(), Some(&mut DiffOptions::new()))?;
        let file = |delta: git2::DiffDelta<'_>| {
            let path = delta.old_file().path()?.to_str()?;
            let folder = path.strip_suffix("/account.yaml")?.to_owned();
            let now = (delta.status() != Delta::Deleted).then(|| text(&cache, delta.new_file().id()));
            Some(PastFile { folder, text: text(&cache, delta.old_file().id())?, now: now.flatten() })
        };
        Ok(diff.deltas().filter(|delta| delta.status() != Delta::Added).filter_map(file).collect())
    }
}

fn accounts<'a>(cache: &'a git2::Repository, commit: &CommitId) -> Result<Option<Tree<'a>>, Error> {
    let entry = find(cache, commit)?.tree()?.get_name("accounts").map(|entry| entry.id());
    // What is no folder has no files.
    Ok(entry.and_then(|id| cache.find_tree(id).ok()))
}

fn text(cache: &git2::Repository, id: Oid) -> Option<String> {
    let blob = cache.find_blob(id).ok().filter(|blob| blob.size() <= MAX_FILE)?;
    Some(String::from_utf8_lossy(blob.content()).into_owned())
}
