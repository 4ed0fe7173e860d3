//! A bare repository on this machine, as a forge keeps it: made from a folder, compared, merged.
//!
//! For the simulated GitHub and for stories. Guarantees: refs are named in full, so that a branch is never taken for
//! a commit; times are handed in; a branch moves only from where it was read, except in [`force_branch`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use git2::{FileMode, Oid, Repository};
use jiff::Timestamp;

use super::writing::{Changes, signature, write_tree};
use super::{Commit, Error, commit_id, describe, find};
use crate::model::CommitId;

/// Who commits here: anybody but Landfast.
const NAME: &str = "Somebody";
const EMAIL: &str = "somebody@example.com";

/// Makes a bare repository at `target` with one commit on `branch` that holds the plain files below `directory`.
/// Links and git's own folder are left out.
pub fn create_bare_from_directory(
    directory: &Path,
    target: &Path,
    branch: &str,
    message: &str,
    time: Timestamp,
) -> Result<CommitId, Error> {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).no_reinit(true).initial_head(branch).mkpath(true);
    let repository = Repository::init_opts(target, &options)?;
    let tree = import(&repository, directory)?;
    commit_id(advance(&repository, branch, tree, &[], message, time)?)
}

/// The commit at the head of a branch.
pub fn head(path: &Path, branch: &str) -> Result<CommitId, Error> {
    commit_id(resolve(&Repository::open_bare(path)?, branch)?)
}

/// The same; nothing where there is no such branch.
pub fn find_head(path: &Path, branch: &str) -> Result<Option<CommitId>, Error> {
    match Repository::open_bare(path)?.refname_to_id(&format!("refs/heads/{branch}")) {
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        found => commit_id(found?).map(Some),
    }
}

/// Who made a commit, when and why.
pub fn commit(path: &Path, id: &CommitId) -> Result<Commit, Error> {
    describe(&find(&Repository::open_bare(path)?, id)?)
}

/// Every branch with its head.
pub fn branches(path: &Path) -> Result<BTreeMap<String, CommitId>, Error> {
    let repository = Repository::open_bare(path)?;
    let mut branches = BTreeMap::new();
    for branch in repository.branches(Some(git2::BranchType::Local))? {
        let (branch, _) = branch?;
        if let (Ok(Some(name)), Some(target)) = (branch.name(), branch.get().target()) {
            branches.insert(name.to_owned(), commit_id(target)?);
        }
    }
    Ok(branches)
}

/// What `head` changed since it left `base`, as a unified diff: what a pull request shows.
pub fn diff(path: &Path, base: &str, head: &str) -> Result<String, Error> {
    let repository = Repository::open_bare(path)?;
    let head = resolve(&repository, head)?;
    let fork = repository.merge_base(resolve(&repository, base)?, head)?;
    let tree = |commit| repository.find_commit(commit)?.tree();
    let diff = repository.diff_tree_to_tree(Some(&tree(fork)?), Some(&tree(head)?), None)?;
    let mut text = String::new();
    diff.print(git2::DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            text.push(line.origin());
        }
        text.push_str(&String::from_utf8_lossy(line.content()));
        true
    })?;
    Ok(text)
}

/// Merges `head` into `base` by a merge commit, even where `base` could just move.
pub fn merge(path: &Path, base: &str, head: &str, message: &str, time: Timestamp) -> Result<CommitId, Error> {
    let repository = Repository::open_bare(path)?;
    let (ours, theirs) = (resolve(&repository, base)?, resolve(&repository, head)?);
    let conflict = |reason: &str| Error::Conflict {
        base: base.to_owned(),
        head: head.to_owned(),
        reason: reason.to_owned(),
    };
    if ours == theirs || repository.graph_descendant_of(ours, theirs)? {
        return Err(conflict("there is nothing to merge"));
    }
    let commit = |id| repository.find_commit(id);
    let mut index = repository.merge_commits(&commit(ours)?, &commit(theirs)?, None)?;
    if index.has_conflicts() {
        return Err(conflict("both change the same lines"));
    }
    let tree = index.write_tree_to(&repository)?;
    commit_id(advance(&repository, base, tree, &[ours, theirs], message, time)?)
}

/// Commits changed files (bytes) and removed ones (nothing) to a branch, as somebody who pushes would.
pub fn commit_file_changes(
    path: &Path,
    branch: &str,
    changes: &BTreeMap<String, Option<Vec<u8>>>,
    message: &str,
    time: Timestamp,
) -> Result<CommitId, Error> {
    let repository = Repository::open_bare(path)?;
    let parent = resolve(&repository, branch)?;
    let before = repository.find_commit(parent)?.tree()?;
    let changes: Changes<'_> =
        changes.iter().map(|(path, bytes)| (path.as_str(), bytes.as_deref())).collect();
    let tree = write_tree(&repository, Some(&before), &changes)?;
    commit_id(advance(&repository, branch, tree, &[parent], message, time)?)
}

/// Sets a branch to any commit, as a force-push does; a new branch is made.
pub fn force_branch(path: &Path, branch: &str, commit: &CommitId) -> Result<(), Error> {
    let repository = Repository::open_bare(path)?;
    let target = find(&repository, commit)?.id();
    repository.reference(&full_name(branch), target, true, "force-push")?;
    Ok(())
}

/// Removes a branch; one that is not there is an error.
pub fn delete_branch(path: &Path, branch: &str) -> Result<(), Error> {
    let repository = Repository::open_bare(path)?;
    find_branch(&repository, branch)?.delete()?;
    Ok(())
}

fn import(repository: &Repository, directory: &Path) -> Result<Oid, Error> {
    let failed = |source| Error::Io { doing: "read", path: directory.to_owned(), source };
    let mut builder = repository.treebuilder(None)?;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (kind, path) = (entry.file_type().map_err(failed)?, entry.path());
        if kind.is_dir() && entry.file_name() != ".git" {
            let tree = import(repository, &path)?;
            // Git keeps no empty folders.
            if !repository.find_tree(tree)?.is_empty() {
                builder.insert(entry.file_name(), tree, FileMode::Tree.into())?;
            }
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(|source| Error::Io { doing: "read", path, source })?;
            builder.insert(entry.file_name(), repository.blob(&bytes)?, FileMode::Blob.into())?;
        }
    }
    Ok(builder.write()?)
}

/// Commits `tree` and moves `branch` there, provided it is still at the first parent.
fn advance(
    repository: &Repository,
    branch: &str,
    tree: Oid,
    parents: &[Oid],
    message: &str,
    time: Timestamp,
) -> Result<Oid, Error> {
    let author = signature(NAME, EMAIL, time)?;
    let tree = repository.find_tree(tree)?;
    let commits =
        parents.iter().map(|parent| repository.find_commit(*parent)).collect::<Result<Vec<_>, _>>()?;
    let commits: Vec<_> = commits.iter().collect();
    let name = full_name(branch);
    let message = format!("{}\n", message.trim_end());
    // With a ref to update, libgit2 refuses when its target is not the first parent.
    Ok(repository.commit(Some(&name), &author, &author, &message, &tree, &commits)?)
}

/// The head of the branch of that name, or else the commit of that id.
fn resolve(repository: &Repository, name: &str) -> Result<Oid, Error> {
    match find_branch(repository, name) {
        Ok(branch) => Ok(branch.peel_to_commit()?.id()),
        Err(missing) => match CommitId::parse(name) {
            Ok(id) => Ok(find(repository, &id)?.id()),
            Err(_) => Err(missing),
        },
    }
}

fn find_branch<'a>(repository: &'a Repository, branch: &str) -> Result<git2::Reference<'a>, Error> {
    let missing =
        |_| Error::NoBranch { url: repository.path().display().to_string(), branch: branch.to_owned() };
    repository.find_reference(&full_name(branch)).map_err(missing)
}

fn full_name(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// Clones `bare` with a work tree on `branch` into `folder`, which must be empty or not there.
pub fn clone_to(bare: &Path, folder: &Path, branch: &str) -> Result<(), Error> {
    git2::build::RepoBuilder::new().branch(branch).clone(&bare.display().to_string(), folder)?;
    Ok(())
}
