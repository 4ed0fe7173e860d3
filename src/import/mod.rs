//! What was found in an organization → the files that say so.
//!
//! Guarantees: pure. Nothing that is written down asks for a write: each piece is loaded and planned against what was
//! seen of it, and whatever would not be in sync is left out and said. Files that are there are only added to, and keep
//! every byte a person wrote. What could not be read, what belongs to another owner and what a person has to add by hand
//! is in the notes.
//!
//! Assumes: what was found is of the organization whose file is in the tree.

mod account;
mod edit;
mod folders;
mod organization;
mod pieces;
mod policies;
mod slug;
mod stacks;
mod trial;

use std::collections::BTreeMap;

use crate::load::{self, Diagnostics, File, Tree};
use crate::model::{Access, AccountId, Organization, Region, Slug};
use crate::observe::{Census, Inside};

pub use organization::{ORGANIZATION, Start, regions, start};

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The organization as Organizations tells of it.
    pub census: Census,
    /// Accounts that were entered, or why they could not be.
    pub inside: BTreeMap<AccountId, Result<Inside, String>>,
}

/// What to write, and what to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// New files by path from the root.
    pub new: BTreeMap<String, String>,
    /// Files that are there, with the text that adds to them.
    pub edited: BTreeMap<String, String>,
    /// What a person should know.
    pub notes: Notes,
}

/// What a person should know of an import. Each list is in the order of the accounts' folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Folders that are new.
    pub folders: Vec<Slug>,
    /// What was added to files that were there.
    pub added: Vec<String>,
    /// What could not be read, with why.
    pub unread: Vec<Note>,
    /// What belongs to another owner, with whom.
    pub left: Vec<Note>,
    /// What was found and cannot be written down so that it is in sync, with why.
    pub unfit: Vec<Note>,
    /// What baselines that were there bring to new folders, which `landfast plan` would make there.
    pub brought: Vec<Note>,
    /// What a person has to add, file by file, because the file's layout has no room for it.
    pub by_hand: Vec<Note>,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What it is about: a file, or an item of an account.
    pub about: String,
    /// What there is to say.
    pub says: String,
}

impl Note {
    fn new(about: impl std::fmt::Display, says: impl Into<String>) -> Self {
        Self { about: about.to_string(), says: says.into() }
    }
}

/// The organization that a tree is for, whether or not it has accounts.
///
/// Errors with what is wrong with `organization/organization.yaml`.
pub fn organization_of(tree: &Tree) -> Result<Organization, Diagnostics> {
    trial::organization(tree)
}

/// The roles of accounts whose folder records their id; the others have the organization's.
pub fn accesses(tree: &Tree) -> BTreeMap<AccountId, Access> {
    let accounts = load::load(tree).map(|desired| desired.accounts).unwrap_or_default();
    accounts.into_values().filter_map(|account| Some((account.id.clone()?, account.access.clone()))).collect()
}

/// What to write beside, or into, the files of `tree`.
///
/// Errors with every fault of a tree that has accounts and does not load: nothing is added to what is broken. With those
/// of the whole where that would not load: nothing is written that keeps anybody from going on.
pub fn draft(tree: &Tree, found: &Found) -> Result<Draft, Diagnostics> {
    let mut drafting = folders::Drafting::begin(tree)?;
    drafting.organization(&found.census);
    drafting.policies(&found.census);
    for counted in &found.census.accounts {
        drafting.account(counted, found.inside.get(&counted.id));
    }
    drafting.end()
}

/// The text of a file of the tree.
fn text<'t>(tree: &'t Tree, path: &str) -> Option<&'t str> {
    match tree.files.get(path)? {
        File::Blob(bytes) => std::str::from_utf8(bytes).ok(),
        File::Symlink | File::Submodule | File::TooLarge { .. } => None,
    }
}

/// The regions to look into where nobody named any: those that the organization's file names, its home first.
fn in_order(home: Region, others: impl Iterator<Item = Region>) -> Vec<Region> {
    let mut regions = vec![home];
    for region in others {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    regions
}
