//! What the commits of `landfast/observed` tell of the past: when the base of each account last changed, and which commits
//! were in force.
//!
//! Guarantees: only commits we signed count, each with its own time; what another one holds is passed over. A change is
//! never said to be older than it is: where the search ends early, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Sort, Tree};

use super::{Error, record};
use crate::model::{CommitId, Slug};

/// How many commits are searched; what is not found in them counts as unknown.
const MAX_WALK: usize = 20_000;

/// Seconds since 1970 by account, as far back as `from`; 0 for what changed before that.
pub(super) fn changes(
    cache: &git2::Repository,
    seal: Oid,
    is_ours: impl Fn(Oid) -> bool,
    from: i64,
) -> Result<BTreeMap<Slug, i64>, Error> {
    let mut walk = cache.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.simplify_first_parent()?;
    walk.push(seal)?;
    let mut found = BTreeMap::new();
    let mut newer: Option<(Option<Tree<'_>>, i64)> = None;
    for (n_seen, commit) in walk.enumerate() {
        let commit = commit?;
        if n_seen >= MAX_WALK {
            return Ok(found);
        }
        if !is_ours(commit) {
            continue;
        }
        let commit = cache.find_commit(commit)?;
        let (tree, time) = (record::accounts(cache, &commit.tree()?)?, commit.time().seconds());
        if let Some((newer, time)) = &newer {
            for slug in differing(cache, tree.as_ref(), newer.as_ref())? {
                found.entry(slug).or_insert(*time);
            }
        }
        if time < from {
            return Ok(with_the_rest(found, tree.as_ref(), 0));
        }
        newer = Some((tree, time));
    }
    Ok(match newer {
        Some((oldest, time)) => with_the_rest(found, oldest.as_ref(), time),
        None => found,
    })
}

/// Every commit of the desired state that was put in force, the newest first, each once.
pub(super) fn accepted(
    cache: &git2::Repository,
    seal: Oid,
    is_ours: impl Fn(Oid) -> bool,
) -> Result<Vec<CommitId>, Error> {
    let mut walk = cache.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.simplify_first_parent()?;
    walk.push(seal)?;
    let mut found: Vec<CommitId> = Vec::new();
    for commit in walk.take(MAX_WALK) {
        let commit = commit?;
        let accepted = record::accepted(cache, &cache.find_commit(commit)?.tree()?)?;
        // Most say what the one after them says: their signatures need not be looked at.
        if let Some(accepted) = accepted.filter(|it| found.last() != Some(it) && is_ours(commit)) {
            found.push(accepted);
        }
    }
    Ok(found)
}

fn with_the_rest(mut found: BTreeMap<Slug, i64>, tree: Option<&Tree<'_>>, time: i64) -> BTreeMap<Slug, i64> {
    for slug in tree
        .into_iter()
        .flat_map(|tree| tree.iter().filter_map(|it| slug(it.name().ok()?)).collect::<Vec<_>>())
    {
        found.entry(slug).or_insert(time);
    }
    found
}

/// The accounts whose files differ between two folders.
fn differing(
    cache: &git2::Repository,
    older: Option<&Tree<'_>>,
    newer: Option<&Tree<'_>>,
) -> Result<BTreeSet<Slug>, Error> {
    if older.map(Tree::id) == newer.map(Tree::id) {
        return Ok(BTreeSet::new());
    }
    let diff = cache.diff_tree_to_tree(older, newer, None)?;
    let files = diff.deltas().flat_map(|delta| [delta.old_file().path(), delta.new_file().path()]);
    Ok(files.filter_map(|path| slug(path?.to_str()?)).collect())
}

fn slug(file: &str) -> Option<Slug> {
    Slug::parse(file.strip_suffix(".yaml")?).ok()
}
