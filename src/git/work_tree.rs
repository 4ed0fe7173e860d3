//! A commit of the repository whose work tree a directory is in.
//!
//! Guarantees: the same limits and the same kinds of entry as for a commit that was fetched; nothing is fetched, checked
//! out or written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::tree::{Read, Walk};
use super::{Error, commit_id};
use crate::load::Tree;

/// The files of `directory` as they are in the commit that `name` leads to: an id, a branch, a tag.
pub fn read_commit(directory: &Path, name: &str) -> Result<Tree, Error> {
    let place = directory.display();
    let refuse = |reason: String| Error::Location { reason };
    let repository = git2::Repository::discover(directory)
        .map_err(|error| refuse(format!("`{place}` is in no work tree of git: {}", error.message())))?;
    let commit = repository.revparse_single(name).and_then(|found| found.peel_to_commit());
    let commit =
        commit.map_err(|_| refuse(format!("`{name}` leads to no commit in the repository of `{place}`")))?;
    let read = Read::default();
    let files = match folder(&repository, &commit, directory)? {
        Some(folder) => Walk::new(&repository, &read)?.roots(&folder)?.0,
        None => BTreeMap::new(),
    };
    Ok(Tree { revision: commit_id(commit.id())?, files })
}

/// The folder of the commit that lies where `directory` does; nothing where the commit has none there.
fn folder<'a>(
    repository: &'a git2::Repository,
    commit: &git2::Commit<'a>,
    directory: &Path,
) -> Result<Option<git2::Tree<'a>>, Error> {
    let (root, inside) = (commit.tree()?, inside(repository, directory)?);
    if inside.as_os_str().is_empty() {
        return Ok(Some(root));
    }
    match root.get_path(&inside) {
        Ok(entry) => Ok(entry.to_object(repository)?.into_tree().ok()),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The way from the top of the work tree to `directory`.
fn inside(repository: &git2::Repository, directory: &Path) -> Result<PathBuf, Error> {
    let real = |path: &Path| {
        let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        path.canonicalize().map_err(failed)
    };
    let top = repository.workdir().map(real).transpose()?;
    let directory = real(directory)?;
    let inside = top.and_then(|top| directory.strip_prefix(top).map(Path::to_owned).ok());
    inside.ok_or_else(|| Error::Location {
        reason: format!("`{}` is in no work tree of git", directory.display()),
    })
}
