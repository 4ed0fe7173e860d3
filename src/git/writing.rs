//! Making trees and commits in the object database, without a working tree.
//!
//! Guarantees: the same input makes the same object, byte for byte; times are handed in.

use std::collections::BTreeMap;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository, Signature, Time};
use jiff::Timestamp;

use super::Error;
use super::signing::Signer;

/// Who all our commits are by. A name on a commit proves nothing: the signature does.
const NAME: &str = "Landfast";
const EMAIL: &str = "landfast@localhost";

/// Files to write (bytes) or to remove (nothing), by path.
pub(super) type Changes<'a> = BTreeMap<&'a str, Option<&'a [u8]>>;

/// The tree that `before` becomes with `changes`. What is not named stays; removing what is not there is nothing.
pub(super) fn write_tree(
    repository: &Repository,
    before: Option<&git2::Tree<'_>>,
    changes: &Changes<'_>,
) -> Result<Oid, Error> {
    let empty = repository.find_tree(repository.treebuilder(None)?.write()?)?;
    let before = before.unwrap_or(&empty);
    let mut update = TreeUpdateBuilder::new();
    for (path, bytes) in changes {
        match bytes {
            Some(bytes) => {
                update.upsert(*path, repository.blob(bytes)?, file_mode(before, path));
            }
            None if before.get_path(path.as_ref()).is_ok() => {
                update.remove(*path);
            }
            None => {}
        }
    }
    Ok(update.create_updated(repository, before)?)
}

/// A file that could be executed stays so.
fn file_mode(before: &git2::Tree<'_>, path: &str) -> FileMode {
    match before.get_path(path.as_ref()) {
        Ok(entry) if entry.filemode() == 0o100_755 => FileMode::BlobExecutable,
        _ => FileMode::Blob,
    }
}

/// A commit of ours, signed when there is a key.
pub(super) fn write_commit(
    repository: &Repository,
    tree: Oid,
    parents: &[Oid],
    message: &str,
    time: Timestamp,
    signer: Option<&Signer>,
) -> Result<Oid, Error> {
    let author = signature(NAME, EMAIL, time)?;
    let tree = repository.find_tree(tree)?;
    let parents =
        parents.iter().map(|parent| repository.find_commit(*parent)).collect::<Result<Vec<_>, _>>()?;
    let parents: Vec<_> = parents.iter().collect();
    let Some(signer) = signer else {
        return Ok(repository.commit(None, &author, &author, message, &tree, &parents)?);
    };
    let content = repository.commit_create_buffer(&author, &author, message, &tree, &parents)?;
    let content = std::str::from_utf8(&content).map_err(|_| Error::bug("a commit of ours is not UTF-8"))?;
    Ok(repository.commit_signed(content, &signer.sign(content.as_bytes())?, Some("gpgsig"))?)
}

/// Who and when, in UTC.
pub(super) fn signature(name: &str, email: &str, time: Timestamp) -> Result<Signature<'static>, Error> {
    Ok(Signature::new(name, email, &Time::new(time.as_second(), 0))?)
}
