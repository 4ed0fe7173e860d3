//! Branches for pull requests: a change that a person is asked to merge.
//!
//! Guarantees: proposing the same content again changes nothing; a branch that somebody else pushed to is built upon,
//! never overwritten; an account's id is added without touching another byte of the file.

use std::collections::BTreeMap;

use git2::Oid;
use jiff::Timestamp;

use super::remote::Pushed;
use super::writing::{Changes, write_commit, write_tree};
use super::{Error, Repository, commit_id, find};
use crate::model::{AccountId, CommitId, Value};

/// How often a push is tried again on top of what somebody else pushed meanwhile.
const N_TRIES: u32 = 3;

/// Where a proposal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The head of its branch.
    pub commit: CommitId,
    /// False when it was there already.
    pub is_new: bool,
}

/// Makes `branch` hold `changes` (path → whole new content), on top of `base` if the branch is new or merged.
pub fn propose(
    repository: &Repository,
    base: &CommitId,
    branch: &str,
    changes: &BTreeMap<String, Vec<u8>>,
    message: &str,
    time: Timestamp,
) -> Result<Proposal, Error> {
    repository.healing(|| try_propose(repository, base, branch, changes, message, time))
}

fn try_propose(
    repository: &Repository,
    base: &CommitId,
    branch: &str,
    changes: &BTreeMap<String, Vec<u8>>,
    message: &str,
    time: Timestamp,
) -> Result<Proposal, Error> {
    let mut refused_at = None;
    for _ in 0..N_TRIES {
        let head = repository.try_fetch(branch)?;
        let cache = repository.cache()?;
        if let Some(head) = head.filter(|head| holds(&cache, *head, changes)) {
            return Ok(Proposal { commit: commit_id(head)?, is_new: false });
        }
        let parent = parent(&cache, find(&cache, base)?.id(), head)?;
        let commit = commit(&cache, parent, changes, message, time)?;
        match repository.push(branch, head, commit)? {
            Pushed::Done => return Ok(Proposal { commit: commit_id(commit)?, is_new: true }),
            Pushed::Rejected(reason) if refused_at == Some(head) => {
                let (url, branch) = (repository.url().to_owned(), branch.to_owned());
                return Err(Error::Refused { url, branch, reason });
            }
            Pushed::Rejected(_) => refused_at = Some(head),
        }
    }
    Err(Error::Raced { branch: branch.to_owned(), n_tries: N_TRIES })
}

/// True when every changed file is at `commit` as it should be.
fn holds(cache: &git2::Repository, commit: Oid, changes: &BTreeMap<String, Vec<u8>>) -> bool {
    let Ok(tree) = cache.find_commit(commit).and_then(|commit| commit.tree()) else { return false };
    changes.iter().all(|(path, bytes)| {
        let blob = tree.get_path(path.as_ref()).and_then(|entry| cache.find_blob(entry.id()));
        blob.is_ok_and(|blob| blob.content() == bytes)
    })
}

/// On top of the branch, so that nothing has to be forced; on top of the base once the branch is part of it.
fn parent(cache: &git2::Repository, base: Oid, head: Option<Oid>) -> Result<Oid, Error> {
    Ok(match head {
        Some(head) if head != base && !cache.graph_descendant_of(base, head)? => head,
        _ => base,
    })
}

fn commit(
    cache: &git2::Repository,
    parent: Oid,
    changes: &BTreeMap<String, Vec<u8>>,
    message: &str,
    time: Timestamp,
) -> Result<Oid, Error> {
    let before = cache.find_commit(parent)?.tree()?;
    let changes: Changes<'_> =
        changes.iter().map(|(path, bytes)| (path.as_str(), Some(bytes.as_slice()))).collect();
    let tree = write_tree(cache, Some(&before), &changes)?;
    let message = format!("{}\n", message.trim_end());
    // Not signed with the key of `landfast/observed`: see there.
    write_commit(cache, tree, &[parent], &message, time, None)
}

/// An account file with `id` as its first key; comments, layout and line ends stay as they are.
///
/// Refused when an id is there already, and when the file is not a block of keys and values.
pub fn record_id(text: &str, id: &AccountId) -> Result<String, Error> {
    let before = keys(text).map_err(refuse)?;
    if before.contains_key("id") {
        return Err(refuse("the file has an id already"));
    }
    let at = first_key(text).ok_or_else(|| refuse("the file has no first key on a line of its own"))?;
    let line = &text[at..];
    let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let after = format!("{}{indent}id: \"{id}\"{end}{line}", &text[..at]);
    let mut expected = before;
    expected.insert("id".to_owned(), Value::from(id.as_str()));
    // Whatever the file looks like: it must mean the same as before, with the id.
    if keys(&after).as_ref() == Ok(&expected) {
        Ok(after)
    } else {
        Err(refuse("its layout is not understood"))
    }
}

fn keys(text: &str) -> Result<BTreeMap<String, Value>, &'static str> {
    yaml_serde::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| "the file is not a map of keys")
}

/// Where the line of the first key starts: past comments, blank lines, directives and the start of the document.
fn first_key(text: &str) -> Option<usize> {
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for line in text[at..].split_inclusive('\n') {
        let content = line.trim();
        let is_before = content.is_empty() || content.starts_with(['#', '%']) || is_document_start(content);
        if !is_before {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// `---`, perhaps with a comment; content on the same line is not understood.
fn is_document_start(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'))
}

fn refuse(reason: &str) -> Error {
    Error::Record { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Result<String, Error> {
        record_id(text, &AccountId::parse("012345678901").unwrap())
    }

    fn check(before: &str, after: &str) {
        assert_eq!(record(before).unwrap(), after);
    }

    #[test]
    fn an_id_becomes_the_first_key() {
        check("name: A\nou: /x\n", "id: \"012345678901\"\nname: A\nou: /x\n");
    }

    #[test]
    fn comments_stay_where_they_are() {
        check(
            "# Payments.\n\n# Ask Ann.\nname: A  # short\nou: /x # last",
            "# Payments.\n\n# Ask Ann.\nid: \"012345678901\"\nname: A  # short\nou: /x # last",
        );
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        check("# c\r\nname: A\r\nou: /x\r\n", "# c\r\nid: \"012345678901\"\r\nname: A\r\nou: /x\r\n");
    }

    #[test]
    fn the_start_of_the_document_stays_first() {
        check("%YAML 1.2\n--- # here\nname: A\n", "%YAML 1.2\n--- # here\nid: \"012345678901\"\nname: A\n");
        check("\u{feff}---\nname: A\n", "\u{feff}---\nid: \"012345678901\"\nname: A\n");
    }

    #[test]
    fn an_indented_map_stays_indented() {
        check("  name: A\n  ou: /x\n", "  id: \"012345678901\"\n  name: A\n  ou: /x\n");
    }

    #[test]
    fn an_id_that_is_there_is_never_replaced() {
        for text in ["id: \"111122223333\"\nname: A\n", "name: A\nid: null\n", "{name: A, id: '1'}\n"] {
            assert!(matches!(record(text), Err(Error::Record { .. })), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_a_block_of_keys_is_refused() {
        for text in
            ["", "# only a comment\n", "{name: A}\n", "- name: A\n", "--- {name: A}\n", "a: 1\n---\nb: 2\n"]
        {
            assert!(matches!(record(text), Err(Error::Record { .. })), "{text}");
        }
    }
}
