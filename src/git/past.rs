//! Files of accounts as they once were: the commits before which one of them was changed or went away.
//!
//! Assumes: the search begins at a commit that was fetched, so that all before it is there.

use git2::{DiffOptions, Oid, Sort, Tree};

use super::{Error, Repository, commit_id, object_id};
use crate::model::CommitId;

/// How many commits are searched; what was before them is not looked at.
const MAX_WALK: usize = 20_000;
/// A larger file is none that loads.
const MAX_FILE: usize = 1 << 20;

/// Where in a history something was otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The last commit of each state that was found, newest first.
    pub commits: Vec<CommitId>,
    /// False when there are more than were asked for.
    pub is_whole: bool,
}

impl Repository {
    /// Every state before `from` in which a file under `accounts` was there that `is_meant` (path, text) and that is
    /// another now, or gone; at most so many.
    pub fn past(
        &self,
        from: &CommitId,
        most: usize,
        mut is_meant: impl FnMut(&str, &str) -> bool,
    ) -> Result<Past, Error> {
        let cache = self.cache()?;
        let mut walk = cache.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(object_id(from)?)?;
        let mut commits: Vec<CommitId> = Vec::new();
        for commit in walk.take(MAX_WALK) {
            let commit = cache.find_commit(commit?)?;
            let now = accounts(&cache, &commit)?;
            for parent in commit.parents() {
                let was = accounts(&cache, &parent)?;
                let id = commit_id(parent.id())?;
                if !commits.contains(&id) && is_left(&cache, was.as_ref(), now.as_ref(), &mut is_meant)? {
                    commits.push(id);
                }
                if commits.len() > most {
                    commits.truncate(most);
                    return Ok(Past { commits, is_whole: false });
                }
            }
        }
        Ok(Past { commits, is_whole: true })
    }
}

fn accounts<'a>(cache: &'a git2::Repository, commit: &git2::Commit<'_>) -> Result<Option<Tree<'a>>, Error> {
    let entry = commit.tree()?.get_name("accounts").map(|entry| entry.id());
    // What is no folder has no files.
    Ok(entry.and_then(|id| cache.find_tree(id).ok()))
}

/// True when a file that is meant was in `was` and is not the same in `now`.
fn is_left(
    cache: &git2::Repository,
    was: Option<&Tree<'_>>,
    now: Option<&Tree<'_>>,
    is_meant: &mut impl FnMut(&str, &str) -> bool,
) -> Result<bool, Error> {
    if was.map(Tree::id) == now.map(Tree::id) {
        return Ok(false);
    }
    let diff = cache.diff_tree_to_tree(was, now, Some(&mut DiffOptions::new()))?;
    let left = diff.deltas().filter_map(|delta| {
        let (path, id) = (delta.old_file().path()?.to_str()?.to_owned(), delta.old_file().id());
        (id != Oid::ZERO_SHA1 && path.ends_with("/account.yaml")).then_some((path, id))
    });
    // Each is asked about, since what is meant may hang on what was seen.
    Ok(left.fold(false, |found, (path, id)| {
        let blob = cache.find_blob(id).ok().filter(|blob| blob.size() <= MAX_FILE);
        let text = blob.map(|blob| String::from_utf8_lossy(blob.content()).into_owned());
        text.is_some_and(|text| is_meant(&format!("accounts/{path}"), &text)) || found
    }))
}
