//! Who is under which lock, and whether an account leaves one from one commit to the next.
//!
//! An account's OU and tags are its own word, and targets look at them; so a single commit cannot tell an account that
//! fled from one that was never meant. Two commits can: an account leaves a lock only by the lock's own word, which is
//! to take the lock out, to aim it at others, or to leave the account out by name.

use std::collections::{BTreeMap, BTreeSet};

use super::Diagnostics;
use super::diagnostic::{At, Fault, Faults, Spot};
use super::layer::Path;
use super::merge::Layers;
use super::rule::Rule;
use super::targets::Targets;
use super::tree::Tree;
use crate::model::{AccountId, CommitId, Slug};

/// Every lock of a commit with the accounts it holds in.
#[derive(Clone, Debug, Default)]
pub struct Held {
    locks: BTreeMap<Key, Lock>,
    accounts: BTreeMap<Slug, Whereabouts>,
}

/// The file that locks, and the path.
pub(super) type Key = (String, Path);

#[derive(Clone, Debug)]
struct Lock {
    spot: Spot,
    /// What the targets ask for, as text.
    aim: String,
    left_out: BTreeSet<String>,
    accounts: BTreeSet<Slug>,
}

#[derive(Clone, Debug)]
struct Whereabouts {
    id: Option<AccountId>,
    ou: Spot,
}

/// How a lock is named from one commit to the next.
pub(super) fn key(file: &Spot, lock: &At<Path>) -> Key {
    (file.path.to_string(), lock.value.clone())
}

impl Held {
    /// Every lock there is; whom they hold in is still to be said.
    pub(super) fn new(layers: &Layers) -> Self {
        let repository = layers.repository();
        let mut locks = BTreeMap::new();
        for lock in &repository.layer.locked {
            locks.insert(key(&repository.spot, lock), Lock::new(lock, &[]));
        }
        for baseline in layers.iter() {
            for lock in &baseline.layer.locked {
                let targets: Vec<_> =
                    baseline.layer.narrowing_of(&lock.value).chain([&baseline.targets]).collect();
                locks.insert(key(&baseline.spot, lock), Lock::new(lock, &targets));
            }
        }
        Self { locks, accounts: BTreeMap::new() }
    }

    /// Notes an account and the locks that hold in it.
    pub(super) fn note(&mut self, slug: &Slug, id: Option<&AccountId>, ou: &Spot, keys: &[Key]) {
        self.accounts.insert(slug.clone(), Whereabouts { id: id.cloned(), ou: ou.clone() });
        for key in keys {
            if let Some(lock) = self.locks.get_mut(key) {
                lock.accounts.insert(slug.clone());
            }
        }
    }

    /// Says which accounts left a lock since `before` without its word. An account whose folder went away has not
    /// left: nothing is changed in it any more. A folder that was renamed is known by its recorded id.
    pub fn departures(&self, before: &Self, revision: &CommitId) -> Diagnostics {
        let mut faults = Faults::default();
        for (key, was) in &before.locks {
            let Some(now) = self.locks.get(key).filter(|now| now.aim == was.aim) else { continue };
            for slug in was.accounts.iter().filter(|slug| !now.left_out.contains(slug.as_str())) {
                let Some((slug, account)) = self.find(slug, before) else { continue };
                if !now.accounts.contains(slug) && !now.left_out.contains(slug.as_str()) {
                    let message = format!("accounts/{slug} would leave the lock of `{}`", key.1.join("."));
                    let hint = "put its ou and tags back, or leave it out by name there, with a reason";
                    let fault = Fault::new(Rule::Locked, &account.ou, message, hint);
                    faults.add(fault.see(&now.spot, "locked here"));
                }
            }
        }
        faults.into_diagnostics(&Tree { revision: revision.clone(), files: BTreeMap::new() })
    }

    /// The account that was in this folder.
    fn find(&self, slug: &Slug, before: &Self) -> Option<(&Slug, &Whereabouts)> {
        let id = before.accounts.get(slug).and_then(|was| was.id.as_ref());
        let moved = self.accounts.iter().find(|(_, it)| id.is_some() && it.id.as_ref() == id);
        moved.or_else(|| self.accounts.get_key_value(slug))
    }
}

impl Lock {
    fn new(lock: &At<Path>, targets: &[&Targets]) -> Self {
        Self {
            spot: lock.spot.clone(),
            aim: targets.iter().map(|targets| targets.aim()).collect::<Vec<_>>().join(" and "),
            left_out: targets.iter().flat_map(|targets| targets.exclusions().keys().cloned()).collect(),
            accounts: BTreeSet::new(),
        }
    }
}
