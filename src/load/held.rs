//! Who is under which lock, and whether an account leaves one from one commit to the next.
//!
//! An account's OU and tags are its own word, and targets look at them; so a single commit cannot tell an account that
//! fled from one that was never meant. Two commits can: an account leaves a lock only by the lock's own word, which is
//! to take the lock out, to aim it at others, or to leave the account out by name.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    accounts: BTreeMap<Slug, Arc<Whereabouts>>,
}

/// The file that locks, and the path.
pub(super) type Key = (String, Path);

#[derive(Clone, Debug)]
struct Lock {
    spot: Spot,
    /// What the targets ask for, as text.
    aim: String,
    left_out: BTreeSet<String>,
}

/// One account: who it is, and the locks that hold in it.
#[derive(Debug)]
pub(super) struct Whereabouts {
    pub(super) id: Option<AccountId>,
    pub(super) ou: Spot,
    pub(super) locks: BTreeSet<Key>,
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

    /// Notes the accounts and the locks that hold in them.
    pub(super) fn note(&mut self, accounts: Vec<(Slug, Arc<Whereabouts>)>) {
        self.accounts = accounts.into_iter().collect();
    }

    /// Says which accounts left a lock since `before` without its word. An account whose folder went away has not
    /// left: nothing is changed in it any more. A folder that was renamed is known by its recorded id.
    pub fn departures(&self, before: &Self, revision: &CommitId) -> Diagnostics {
        let mut faults = Faults::default();
        let by_id = OnceCell::new();
        let by_id = || by_id.get_or_init(|| self.by_id());
        for (slug, was) in &before.accounts {
            let here = self.accounts.get_key_value(slug);
            // Unchanged memory is under the same locks as before.
            if here.is_some_and(|(_, now)| Arc::ptr_eq(now, was)) {
                continue;
            }
            let moved = was.id.as_ref().and_then(|id| by_id().get(id).copied());
            if let Some((to, now)) = moved.or(here) {
                self.check_departure((slug, was), (to, now), before, &mut faults);
            }
        }
        faults.into_diagnostics(&Tree { revision: revision.clone(), files: BTreeMap::new() })
    }

    fn by_id(&self) -> BTreeMap<&AccountId, (&Slug, &Arc<Whereabouts>)> {
        let with_id = |(slug, it)| -> Option<_> { Some((Whereabouts::id(it)?, (slug, it))) };
        self.accounts.iter().filter_map(with_id).collect()
    }

    /// Says which locks an account left that was in the folder `from` and is in `to` now.
    fn check_departure(
        &self,
        (from, was): (&Slug, &Whereabouts),
        (to, now): (&Slug, &Whereabouts),
        before: &Self,
        faults: &mut Faults,
    ) {
        for key in was.locks.difference(&now.locks) {
            let (Some(old), Some(lock)) = (before.locks.get(key), self.locks.get(key)) else { continue };
            let is_left_out = [from, to].iter().any(|slug| lock.left_out.contains(slug.as_str()));
            if lock.aim == old.aim && !is_left_out {
                let message = format!("accounts/{to} would leave the lock of `{}`", key.1.join("."));
                let hint = "put its ou and tags back, or leave it out by name there, with a reason";
                let fault = Fault::new(Rule::Locked, &now.ou, message, hint);
                faults.add(fault.see(&lock.spot, "locked here"));
            }
        }
    }
}

impl Whereabouts {
    fn id(this: &Arc<Self>) -> Option<&AccountId> {
        this.id.as_ref()
    }
}

impl Lock {
    fn new(lock: &At<Path>, targets: &[&Targets]) -> Self {
        Self {
            spot: lock.spot.clone(),
            aim: targets.iter().map(|targets| targets.aim()).collect::<Vec<_>>().join(" and "),
            left_out: targets.iter().flat_map(|targets| targets.exclusions().keys().cloned()).collect(),
        }
    }
}
